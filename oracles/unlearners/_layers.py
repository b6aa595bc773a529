"""The layers of a learner's module, and the leaves of its parameters by their paths."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from oracles._learner import AnyArray, Learner, Parameters
from oracles.modules._convolution import ConvNet
from oracles.modules._residual import ResNet, WideResNet

CONVOLUTIONAL = (ConvNet, ResNet, WideResNet)
"""Built-in modules of convolutions, whose kernels are matrices, and one layer named dense."""


def flat_leaves(params: Parameters) -> dict[str, Any]:
    """Leaves by path, as in ``Dense_0/kernel``, in JAX's order."""
    leaves, _ = jax.tree.flatten_with_path(params)
    return {"/".join(str(step.key) for step in path): leaf for path, leaf in leaves}


def with_leaves(params: Parameters, leaves: dict[str, Any]) -> Parameters:
    """A tree like ``params`` of other leaves, given in the order of `flat_leaves`."""
    return jax.tree.unflatten(jax.tree.structure(params), list(leaves.values()))


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
    paths: list[str] = []

    def note_paths(key: Any, inputs: Any) -> None:
        # JAX sorts the keys of a tree that it returns: only in here is the order of making seen.
        paths.extend(_paths(learner.init(key, inputs)))

    jax.eval_shape(note_paths, jax.random.key(0), inputs[:1])
    named: dict[str, list[str]] = {}
    for path in paths:
        parents, slash, name = path.rpartition("/")
        named.setdefault(parents + slash + name.partition("_")[2], []).append(path)
    return named


def _paths(tree: Any) -> list[str]:
    return [
        f"{name}/{rest}" if rest else str(name)
        for name, branch in tree.items()
        for rest in (_paths(branch) if hasattr(branch, "items") else [""])
    ]


def kernel_paths(learner: Learner, params: Parameters) -> list[str]:
    """Paths of a module's kernels: of its convolutions alone, if it has any.

    A kernel is a parameter whose own name begins with ``kernel``, as flax.linen names them; those
    of two-dimensional flax.linen convolutions have four axes.

    Raises:
        ValueError: when there is none.

    Example:
        >>> import optax
        >>> from functools import partial
        >>> from indist import oracles
        >>> learner = oracles.Learner(oracles.ConvNet(3), partial(optax.sgd, 0.1), 5, 4)
        >>> kernel_paths(learner, learner.init(jax.random.key(0), jnp.zeros((1, 4, 4))))
        ['kernel_0', 'kernel_1']
    """
    leaves = flat_leaves(params)
    kernels = [path for path in leaves if path.rpartition("/")[2].startswith("kernel")]
    if not kernels:
        raise ValueError(f"module: expected one with kernels, found parameters {', '.join(leaves)}")
    if isinstance(learner.module, CONVOLUTIONAL):
        return [path for path in kernels if path != "kernel_dense"]
    return [path for path in kernels if leaves[path].ndim == 4] or kernels


def last_layer(
    learner: Learner, params: Parameters, inputs: Shaped[AnyArray, "n ..."]
) -> tuple[str, str]:
    """Paths of the last layer's kernel and bias.

    Raises:
        ValueError: when it is not a kernel of one row a class with a bias.
    """
    leaves = flat_leaves(params)
    paths = list(layers(learner, inputs).values())[-1]
    classes = jax.eval_shape(learner.logits, params, inputs[:1]).shape[1]
    shapes = [leaves[path].shape for path in paths]
    fits = len(shapes) == 2 and len(shapes[0]) == 2 and shapes[0][0] == classes
    if not fits or shapes[1] != (classes,):
        found = ", ".join(f"{path} {shape}" for path, shape in zip(paths, shapes, strict=True))
        raise ValueError(
            f"module: expected a last layer with a kernel of {classes} rows, one a class, and a "
            f"bias, found {found}"
        )
    return paths[0], paths[1]


def last_features(
    learner: Learner, params: Parameters, inputs: Shaped[AnyArray, "n ..."]
) -> Float[Array, "n features"]:
    """What the last layer reads of each input: a logit's gradient in its row of the kernel."""
    path, _ = last_layer(learner, params, inputs)
    leaves = flat_leaves(params)

    def features(example: Any) -> Any:
        def first_logit(kernel: Any) -> Any:
            changed = with_leaves(params, leaves | {path: kernel})
            return learner.logits(changed, example[None])[0, 0]

        return jax.grad(first_logit)(leaves[path])[0]

    return jax.vmap(features)(jnp.asarray(inputs))
