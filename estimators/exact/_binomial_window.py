"""Binomial laws near their means, for many rates at once."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import bdtr, bdtrc, gammaln

# Half-width of the window of counts that are summed, in sqrt(trials): over 6 standard deviations.
_REACH = 3.3
# What lies beyond the window counts in full: by Hoeffding's inequality, this share of the level at
# most. The window is wider than `_REACH` where the level asks for it.
_BEYOND = 1e-3
# Its logarithm is finite, so that no times it is 0, and any other count's mass vanishes.
_TINY = np.finfo(np.float64).tiny


@lru_cache(maxsize=64)
def log_choose(trials: int) -> Float[np.ndarray, " x"]:
    """Logarithms of the binomial coefficients of 0 to so many successes."""
    count = np.arange(trials + 1.0)
    return gammaln(trials + 1.0) - gammaln(count + 1.0) - gammaln(trials - count + 1.0)


class BinomialWindow(NamedTuple):
    """The binomial law near its mean, a row for each rate, and what lies beyond on either side."""

    first: Int[np.ndarray, "k 1"]
    mass: Float[np.ndarray, "k w"]
    below: Float[np.ndarray, " k"]
    above: Float[np.ndarray, " k"]


def binomial_window(trials: int, rates: Float[np.ndarray, " k"], alpha: float) -> BinomialWindow:
    """The binomial laws of given rates, in windows that hold all but a small share of a level.

    Args:
        trials: number of trials.
        rates: one rate a law, in [0, 1].
        alpha: the level with which sums of these masses will be compared.

    Returns:
        Masses of the counts from ``first`` on, 0 outside 0 to ``trials``; those that lie beyond
        the window are summed in ``below`` and ``above``.
    """
    width = max(_REACH, math.sqrt(0.5 * math.log(1.0 / (_BEYOND * alpha))))
    reach = int(np.ceil(width * np.sqrt(trials))) + 1
    first = np.rint(trials * rates).astype(np.int64)[:, None] - reach
    count = first + np.arange(2 * reach + 1)
    inside = (count >= 0) & (count <= trials)
    x, rate = np.clip(count, 0, trials), np.clip(rates[:, None], _TINY, None)
    log, log_rest = np.log(rate), np.log(np.maximum(1.0 - rates[:, None], _TINY))
    law = np.exp(log_choose(trials)[x] + x * log + (trials - x) * log_rest)
    last = count[:, -1]
    below = np.where(first[:, 0] > 0, bdtr(np.maximum(first[:, 0] - 1, 0), trials, rates), 0.0)
    above = np.where(last < trials, bdtrc(np.minimum(last, trials), trials, rates), 0.0)
    return BinomialWindow(first, law * inside, below, above)
