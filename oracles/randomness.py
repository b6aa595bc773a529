"""Where all randomness of a model comes from: (seed, stream, model), and nothing else.

Populations, scores and forget sets draw from these streams, so that the same seed makes the same
models on every machine and engine.
"""

import hashlib

import jax
import numpy as np
from jaxtyping import Array, Int, Key

from estimators.checks import check_seed

__all__ = [
    "batch_plan",
    "choose",
    "epoch_batches",
    "stream_key",
    "stream_number",
]


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
    stream: int, model: int, included: Int[np.ndarray, " included"], steps: int, batch: int
) -> Int[np.ndarray, "steps batch"]:
    """Which examples one model sees at each step.

    The included examples are permuted anew for each epoch and the epochs are laid end to end, so
    every batch is full and each epoch visits each included example once; an excluded example is
    never drawn. Philox is counter-based: the plan of a model depends on its key alone.

    Args:
        stream: number of the population (`stream_number`).
        model: index of the model.
        included: indices of the training examples the model may see.
        steps: optimiser steps.
        batch: examples a step.

    Returns:
        int32 indices ``[steps, batch]``.
    """
    philox = np.random.Philox(key=np.array([stream, model], dtype=np.uint64))
    examples = len(included)
    epochs = -(-steps * batch // examples)
    # Each word holds random upper bits and an example's number in its lower bits. Sorting the words
    # permutes the numbers, in half the time of a shuffle. Two words with the same upper bits keep
    # their order, which happens in one plan of 10^8.
    lower_bits = np.uint64(examples.bit_length())
    bits = philox.random_raw(epochs * examples).reshape(epochs, examples)
    bits >>= lower_bits
    bits <<= lower_bits
    bits |= np.arange(examples, dtype=np.uint64)
    bits.sort(axis=1)
    bits &= (np.uint64(1) << lower_bits) - np.uint64(1)
    order = included.astype(np.int32)[bits.view(np.int64).ravel()[: steps * batch]]
    return order.reshape(steps, batch)


def epoch_batches(key: Key[Array, ""], examples: int, steps: int, batch: int) -> Int[Array, "..."]:
    """The same law as `batch_plan` on examples 0 to n − 1, drawn inside a JAX program.

    Args:
        key: JAX key.
        examples: n, at least 1.
        steps: optimiser steps.
        batch: examples a step.

    Returns:
        int32 indices ``[steps, batch]``.
    """
    epochs = -(-steps * batch // examples)
    keys = jax.random.split(key, epochs)
    order = jax.vmap(lambda k: jax.random.permutation(k, examples))(keys)
    return order.ravel()[: steps * batch].reshape(steps, batch)


def choose(
    rng: np.random.Generator, pool: Int[np.ndarray, " pool"], count: int
) -> Int[np.ndarray, " chosen"]:
    """Up to ``count`` of the indices, without repeats, in increasing order."""
    return np.sort(rng.choice(pool, size=min(count, len(pool)), replace=False))
