"""CF-k and EU-k: forget in the last k layers, and leave the others alone."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from estimators.checks import check_counts
from oracles._learner import Learner, Parameters, descend
from oracles._recipe import build
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, check_descent, passes


@dataclass(frozen=True)
class FineTuneLast:
    """CF-k: minimises mean_R ℓ over the last k layers from θ0; the others keep their bits.

    Which layers are the last is read off the module: see `layers`. Source: Goel et al. 2022,
    arXiv 2201.06640; 10 epochs and learning rate 0.01 are those of fine-tuning there. k is set to
    1 for the built-in modules, of which the smallest has one layer. Nothing was tuned.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples a step, or all of R.
        momentum: of SGD, in [0, 1).
        last: k, at least 1 and at most the module's number of layers (then it is fine-tuning).
    """

    learning_rate: float = 0.01
    epochs: int = 10
    batch: int = 128
    momentum: float = 0.9
    last: int = 1

    def __post_init__(self) -> None:
        check_descent(self.learning_rate, self.epochs, self.batch, self.momentum)
        check_counts(last=self.last)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 with its last k layers trained on."""
        plan = passes(key, len(retain[1]), self.epochs, self.batch)
        optimiser = optax.sgd(self.learning_rate, momentum=self.momentum)
        return _train_last(self.last, optimiser, learner, params, params, retain, plan)


@dataclass(frozen=True)
class RetrainLast:
    """EU-k: draws the last k layers anew and trains them on R with the learner's own recipe.

    The other layers keep the bits of θ0. With k = all layers it is exact retraining. Source: Goel
    et al. 2022, arXiv 2201.06640. Optimiser, steps and batch are the learner's, as published; k is
    set to 1 as in `FineTuneLast`. Which layers are the last: see `layers`. Nothing was tuned.

    Attributes:
        last: k, at least 1 and at most the module's number of layers.
    """

    last: int = 1

    def __post_init__(self) -> None:
        check_counts(last=self.last)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 with its last k layers retrained."""
        init_key, plan_key = jax.random.split(key)
        fresh = learner.init(init_key, retain[0])
        plan = epoch_batches(plan_key, len(retain[1]), learner.steps, learner.batch)
        optimiser = build(learner.optimiser)
        return _train_last(self.last, optimiser, learner, params, fresh, retain, plan)


def layers(learner: Learner, inputs: Any) -> dict[str, list[str]]:
    """Names of a module's layers, first to last, each with the paths of its parameters.

    Layers stand in the order in which the module makes its parameters when it is initialised, which
    is that of its forward pass. Parameters are of one layer when they share the submodule they lie
    in and what follows the first underscore of their own name: ``Dense_0/kernel`` and
    ``Dense_0/bias`` are layer ``Dense_0/``, ``kernel_0`` and ``bias_0`` are layer ``0``.

    Args:
        learner: the learner whose module it is.
        inputs: an array of inputs; only shape and dtype matter.

    Example:
        >>> import optax
        >>> from functools import partial
        >>> from indist import oracles
        >>> learner = oracles.Learner(oracles.MLP((8, 3)), partial(optax.sgd, 0.1), 5, 4)
        >>> layers(learner, jnp.zeros((1, 2)))
        {'0': ['kernel_0', 'bias_0'], '1': ['kernel_1', 'bias_1']}
    """
    made: list[str] = []

    def watch(key: Any, inputs: Any) -> None:
        # JAX sorts the keys of what it returns: the order is seen only in here.
        made.extend(_paths(learner.init(key, inputs)))

    jax.eval_shape(watch, jax.random.key(0), inputs[:1])
    found: dict[str, list[str]] = {}
    for path in made:
        parents, slash, name = path.rpartition("/")
        found.setdefault(parents + slash + name.partition("_")[2], []).append(path)
    return found


def _paths(tree: Any) -> list[str]:
    return [
        f"{name}/{rest}" if rest else str(name)
        for name, below in tree.items()
        for rest in (_paths(below) if hasattr(below, "items") else [""])
    ]


def _flat(tree: Any) -> dict[str, Any]:
    """Leaves by path, in JAX's order."""
    leaves, _ = jax.tree.flatten_with_path(tree)
    return {"/".join(str(step.key) for step in path): leaf for path, leaf in leaves}


def _train_last(
    last: int, optimiser: Any, learner: Learner, params: Any, start: Any, data: Batch, plan: Any
) -> Any:
    """Trains the last layers from ``start``; the others are those of ``params``."""
    inputs, labels = jnp.asarray(data[0]), jnp.asarray(data[1])
    groups = list(layers(learner, inputs).values())
    if last > len(groups):
        raise ValueError(f"last: expected 1 to {len(groups)}, the layers there are, found {last}")
    chosen = {path for group in groups[-last:] for path in group}
    fixed, fresh = _flat(params), _flat(start)

    def merged(moving: Any) -> Any:
        every = [moving.get(path, leaf) for path, leaf in fixed.items()]
        return jax.tree.unflatten(jax.tree.structure(params), every)

    return merged(
        descend(
            optimiser,
            lambda moving, index: learner.loss(merged(moving), inputs[index], labels[index]),
            {path: fresh[path] for path in fresh if path in chosen},
            plan,
        )
    )
