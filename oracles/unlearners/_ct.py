"""CT: transpose the convolution kernels, and fine-tune on R."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch
from oracles.unlearners._finetune import FineTune
from oracles.unlearners._layers import CONVOLUTIONAL, flat_leaves, kernel_paths, with_leaves


@dataclass(frozen=True)
class ConvolutionTranspose(FineTune):
    """Swaps height and width of every convolution kernel of θ0, then minimises mean_R ℓ.

    A module without convolutions has its square kernels transposed; that is ours. One that has none
    of those either, as MLP 64-128-10 of the digits scenarios, is fine-tuned and nothing else. An
    entry to the NeurIPS 2023 unlearning challenge, reproduced as CT by Cadet et al. 2024, arXiv
    2410.01276. Published: 3 epochs and learning rate 0.001, with a schedule and weight decay that
    are left out here. It forgets nothing on ``digits-trigger``. Ours is set there: of a grid, what
    lowers accuracy on S most while that on the ``retain`` probes stays at 0.95. Those are of D∖B:
    so much of B was used, and no reference.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples a step.
        momentum: of SGD, in [0, 1).
    """

    learning_rate: float = 0.3
    epochs: int = 3
    batch: int = 64

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 with its kernels transposed, fine-tuned.

        Raises:
            ValueError: when the module has no kernels, or a convolution's is not square.
        """
        leaves, built_in = flat_leaves(params), isinstance(learner.module, CONVOLUTIONAL)
        for path in kernel_paths(learner, params):
            leaves[path] = _transposed(leaves[path], path, built_in)
        return super().__call__(learner, with_leaves(params, leaves), forget, retain, key)


def _transposed(kernel: Any, path: str, built_in: bool) -> Any:
    """A transposed kernel: ``[out, 9 in]`` of ours, ``[h, w, in, out]`` of flax, a matrix."""
    if built_in and path.endswith("_beside"):
        return kernel  # A projection, 1x1.
    if built_in:
        channels = kernel.shape[0]
        return jnp.swapaxes(kernel.reshape(channels, 3, 3, -1), 1, 2).reshape(kernel.shape)
    if kernel.shape[0] == kernel.shape[1]:
        return jnp.swapaxes(kernel, 0, 1)
    if kernel.ndim == 4:
        raise ValueError(f"{path}: expected a square convolution, found {kernel.shape[:2]}")
    return kernel
