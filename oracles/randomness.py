"""Where all randomness of a model comes from: (seed, stream, model), and nothing else.

Populations, scores and forget sets draw from these streams, so that the same seed makes the same
models on every machine and engine.
"""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Key

from estimators.checks import check_seed

__all__ = [
    "MOST_PLACES",
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

MOST_PLACES = 2**30
"""The most places that a plan may have, steps times batch: they are counted in 32 bits."""


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
) -> Int[Array, "steps batch"]:
    """Which examples one model sees at each step, drawn inside a JAX program.

    The included examples are permuted anew for each epoch and the epochs are laid end to end, so
    every batch is full and each epoch visits each included example once; an excluded example is
    never drawn. The plan depends on the key and on which examples are included, and on nothing
    else. It consists of whole numbers and has the same bits on every device and backend.

    Two orders of an epoch are as likely as each other, up to random words that are equal: of n
    examples, some two have equal words in fewer than one epoch of 2^(65 - 3 bits(n)), where
    bits(n) is the length of n as a binary number: one of 2^32 for 1,297 examples, and one of 2^17
    for 50,000.

    Args:
        key: JAX key.
        included: whether the model may see each example; at least one.
        steps: optimiser steps.
        batch: examples a step.

    Returns:
        int32 indices ``[steps, batch]``.

    Example:
        >>> plan = batch_plan(jax.random.key(0), np.array([True, False, True]), steps=3, batch=2)
        >>> sorted(plan[0].tolist()), sorted(plan[1].tolist()), sorted(plan[2].tolist())
        ([0, 2], [0, 2], [0, 2])
    """
    total, examples = steps * batch, len(included)
    count = jnp.maximum(1, jnp.asarray(included).sum(dtype=jnp.int32))

    def add_epoch(made: tuple[Array, Array]) -> tuple[Array, Array]:
        epoch, plan = made
        # Each epoch is written over the excluded examples at the end of the one before. All epochs
        # at once would take memory that grows with their number times the excluded examples.
        order = _order(jax.random.fold_in(key, epoch), included)
        return epoch + 1, jax.lax.dynamic_update_slice(plan, order, (epoch * count,))

    start = jnp.int32(0), jnp.zeros(total + examples, dtype=jnp.int32)
    _, plan = jax.lax.while_loop(lambda made: made[0] * count < total, add_epoch, start)
    return plan[:total].reshape(steps, batch)


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
    return batch_plan(key, np.ones(examples, dtype=bool), steps, batch)


def _order(
    key: Key[Array, ""], included: Bool[Array | np.ndarray, " examples"]
) -> Int[Array, " examples"]:
    """An order of the examples, the included ones first.

    Each 64-bit word holds random upper bits and an example's number in its lower bits. Sorting the
    words permutes the numbers, six times faster on a CPU than sorting numbers by random keys.
    """
    examples = len(included)
    bits = examples.bit_length()
    halves = jax.random.bits(key, (2, examples))
    with jax.enable_x64(True):
        upper, lower = halves[0].astype(jnp.uint64), halves[1].astype(jnp.uint64)
        words = (upper << np.uint64(32)) | lower
        words = (words >> np.uint64(bits) << np.uint64(bits)) | np.arange(examples, dtype=np.uint64)
        words = jnp.sort(jnp.where(included, words, np.uint64(2**64 - 1)))
        return (words & np.uint64(2**bits - 1)).astype(jnp.int32)


def choose(
    rng: np.random.Generator, pool: Int[np.ndarray, " pool"], count: int
) -> Int[np.ndarray, " chosen"]:
    """Up to ``count`` of the indices, without repeats, in increasing order."""
    return np.sort(rng.choice(pool, size=min(count, len(pool)), replace=False))
