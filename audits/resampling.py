"""Bootstrap weights: how often each member of a sample is drawn when it is drawn anew.

Audits, comparisons of logs and studies resample by these functions, so that one seed means the same
draws wherever it is used.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

__all__ = ["batched_counts", "drawn_counts", "drawn_shares"]


def drawn_counts(
    members: int, draws: int, rng: np.random.Generator
) -> Int[np.ndarray, "draws members"]:
    """How often each member of a sample occurs in each of several draws with replacement.

    Args:
        members: size of the sample, and of each draw.
        draws: number of draws.
        rng: the source of randomness.

    Returns:
        Counts; each row sums to ``members``.

    Example:
        >>> drawn_counts(3, 2, np.random.default_rng(0)).sum(axis=1).tolist()
        [3, 3]
    """
    # Integers, not a multinomial: the same draws whatever the machine's mathematical library.
    places = rng.integers(members, size=(draws, members)) + members * np.arange(draws)[:, None]
    return np.bincount(places.ravel(), minlength=draws * members).reshape(draws, members)


def drawn_shares(
    members: int, draws: int, rng: np.random.Generator
) -> Float[np.ndarray, "draws members"]:
    """The same as a share of each draw, so that ``shares @ numbers`` are the means of the draws.

    Args:
        members: size of the sample, and of each draw.
        draws: number of draws.
        rng: the source of randomness.

    Returns:
        Shares; each row sums to 1.

    Example:
        >>> bool(np.allclose(drawn_shares(3, 2, np.random.default_rng(0)).sum(axis=1), 1.0))
        True
    """
    return drawn_counts(members, draws, rng) / members


def batched_counts(
    members: Sequence[int], draws: int, rng: np.random.Generator, *, batch: int
) -> Iterator[list[Int[np.ndarray, "batch _"]]]:
    """The same for several samples that are drawn apart, in batches that bound the memory.

    Args:
        members: size of each sample.
        draws: number of draws altogether.
        rng: the source of randomness; other batches are other draws.
        batch: the most draws at once, at least 1.

    Yields:
        An array of counts for each sample, all of as many draws.
    """
    for start in range(0, draws, batch):
        size = min(batch, draws - start)
        yield [drawn_counts(each, size, rng) for each in members]
