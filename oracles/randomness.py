"""Where all randomness of a model comes from: (seed, stream, model), and nothing else.

Populations, scores and forget sets draw from these streams, so that the same seed makes the same
models on every machine and engine.
"""

import hashlib
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Key

from estimators.checks import check_seed

__all__ = [
    "RANDOMNESS",
    "batch_plan",
    "choose",
    "epoch_batches",
    "stream_key",
    "stream_number",
]

RANDOMNESS = 2
"""The version of the laws below, which a recipe states.

1 was that of indist 0.1, which drew plans and subsets on the host, with NumPy's Philox. Folders of
it, whose recipes state no version, can be read and audited, and no model can be added to them.
"""


def stream_number(seed: int, stream: str) -> int:
    """A 64-bit number for a population: equal seeds with other stream names are independent."""
    seed = check_seed(seed)
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def stream_key(stream: int) -> Key[Array, ""]:
    """The JAX key of a population; model k's own key is ``jax.random.fold_in(key, k)``."""
    high, low = np.uint32(stream >> 32), np.uint32(stream & 0xFFFFFFFF)
    return jax.random.fold_in(jax.random.key(high), low)


def batch_plan(
    key: Key[Array, ""],
    included: Bool[Array | np.ndarray, " examples"],
    steps: int,
    batch: int,
    fewest: int | None = None,
) -> Int[Array, "steps batch"]:
    """Which examples one model sees at each step, drawn inside a JAX program.

    The included examples are permuted anew for each epoch and the epochs are laid end to end, so
    every batch is full and each epoch visits each included example once; an excluded example is
    never drawn. The plan depends on the key and on which examples are included, and on nothing
    else. It consists of whole numbers and has the same bits on every device and backend.

    Two orders of an epoch are as likely as each other, up to words of random bits that are equal:
    with n examples some two are in one epoch of 2^(64 - 3 bits(n)), where bits(n) counts those of
    n: in one of 2^31 for 1,297 examples, and one of 2^16 for 50,000.

    Args:
        key: JAX key.
        included: whether the model may see each example; at least one.
        steps: optimiser steps.
        batch: examples a step.
        fewest: a number of examples that are surely included, at least 1, for an ``included`` that
            is known inside the program alone. It decides how many epochs are drawn, and does not
            change the plan.

    Returns:
        int32 indices ``[steps, batch]``.

    Example:
        >>> plan = batch_plan(jax.random.key(0), np.array([True, False, True]), steps=3, batch=2)
        >>> sorted(plan[0].tolist()), sorted(plan[1].tolist()), sorted(plan[2].tolist())
        ([0, 2], [0, 2], [0, 2])
    """
    if fewest is None:
        fewest = int(np.asarray(included).sum())
    orders = _epochs(key, included, -(-steps * batch // fewest))
    # The first places of each epoch hold the included examples, the rest is of no interest.
    count, place = jnp.asarray(included).sum(), jnp.arange(steps * batch)
    return orders[place // count, place % count].reshape(steps, batch)


def epoch_batches(
    key: Key[Array, ""], examples: int, steps: int, batch: int
) -> Int[Array, "steps batch"]:
    """`batch_plan` where all of the examples are included.

    Args:
        key: JAX key.
        examples: how many, at least 1.
        steps: optimiser steps.
        batch: examples a step.

    Returns:
        int32 indices ``[steps, batch]``.
    """
    orders = _epochs(key, np.ones(examples, dtype=bool), -(-steps * batch // examples))
    return orders.ravel()[: steps * batch].reshape(steps, batch)


def _epochs(
    key: Key[Array, ""], included: Bool[Array | np.ndarray, " examples"], epochs: int
) -> Int[Array, "epochs examples"]:
    """An order of the examples for each epoch, the included ones first.

    Each 64-bit word holds random upper bits and an example's number in its lower bits. Sorting the
    words permutes the numbers, six times faster on a CPU than sorting numbers by random keys.
    """
    examples = len(included)
    bits = examples.bit_length()
    keys = jax.vmap(partial(jax.random.fold_in, key))(np.arange(epochs, dtype=np.uint32))
    halves = jax.vmap(lambda key: jax.random.bits(key, (2, examples)))(keys)
    with jax.enable_x64(True):
        upper, lower = halves[:, 0].astype(jnp.uint64), halves[:, 1].astype(jnp.uint64)
        words = (upper << np.uint64(32)) | lower
        words = (words >> np.uint64(bits) << np.uint64(bits)) | np.arange(examples, dtype=np.uint64)
        words = jnp.sort(jnp.where(included, words, np.uint64(2**64 - 1)))
        return (words & np.uint64(2**bits - 1)).astype(jnp.int32)


def choose(
    rng: np.random.Generator, pool: Int[np.ndarray, " pool"], count: int
) -> Int[np.ndarray, " chosen"]:
    """Up to ``count`` of the indices, without repeats, in increasing order."""
    return np.sort(rng.choice(pool, size=min(count, len(pool)), replace=False))
