"""How likely a weighted sum of coins is as great as the one seen, to many digits however small.

The sum is tilted so that what was seen is its mean. There the law is convolved coin by coin, with
additions of positive numbers only, and turned back. Probabilities of 1e-300 and less keep their
digits, and every step that loses anything is added to the result: it is never too small.

The tilted law. Let B_i be independent bits, each 1 with probability 1/2, S = sum v_i B_i and, where
it matters, N = sum B_i. For numbers λ >= 0 and θ let the bits be 1 with probability
p_i = e^(θ + λ v_i) / (1 + e^(θ + λ v_i)) instead; the law of (N, S) becomes q. Each outcome has
2^-m = q(outcome) prod((1 + e^(θ + λ v_i)) / 2) e^(-θN - λS), so that, M the product,

- P(S >= s) = M e^(-λs) sum_{t >= s} q(t) e^(-λ(t - s)), with θ = 0;
- P(S >= s | N = k) = M e^(-θk - λs) sum_{t >= s} q(k, t) e^(-λ(t - s)) / P(N = k).

Outcomes farther from the tilted mean than Hoeffding's inequality allows are left out on the way;
their probability under q, which bounds what they could add, is added to the sum.
"""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import root_scalar
from scipy.special import expit, gammaln

Law = Literal["fair coins", "fixed size"]

_UNIT = 2.0**-52
# Sums that are fewer standard deviations above their mean count as nothing.
_COUNTS = 0.5
# Deviations beyond this many root sums of squares are left out: 2 exp(-2 * 3.7^2) = 3e-12 a step.
_REACH = 3.7


def log_tail(weights: Int[np.ndarray, " m"], chosen: Int[np.ndarray, " m"], law: Law) -> float:
    """Logarithm of the probability that coins give at least the sum of weights that was seen.

    Args:
        weights: whole numbers, one for each coin.
        chosen: 1 where the coin was up, 0 where it was down.
        law: ``fair coins``, each up with probability 1/2; ``fixed size``: all choices of as many
            coins as were up are equally likely.

    Returns:
        ln P(sum of weights of coins that are up >= the one seen), rounded up; 0 where the sum is
        less than half a standard deviation above its mean, so that the probability is about .3 or
        more: no bound at 75 % confidence or more could come of it.

    Example:
        >>> ups = np.array([1, 1, 1, 0])
        >>> round(math.exp(log_tail(np.array([1, 2, 3, -1]), ups, "fair coins")) * 16, 6)
        1.0
        >>> round(math.exp(log_tail(np.array([1, 2, 3, -1]), ups, "fixed size")) * 4, 6)
        1.0
    """
    if law == "fixed size":
        return _fixed_size(weights, chosen)
    # A weight below 0 counts as its opposite, the coin being turned; one of 0 plays no part.
    turned = np.where(weights < 0, 1 - chosen, chosen)[weights != 0]
    values = np.abs(weights)[weights != 0]
    return _fair_coins(values, int((values * turned).sum()))


def _fair_coins(values: Int[np.ndarray, " m"], least: int) -> float:
    """The logarithm of P(S >= least) of fair bits, all values over 0."""
    if least <= 0:
        return 0.0
    total = int(values.sum())
    if least == total:
        return -values.size * math.log(2.0)
    if least < total / 2.0 + _COUNTS * math.sqrt(float((values**2).sum())) / 2.0:
        return 0.0
    # At ln m + 1 the mean lies within 1 of the total, as sum v e^(-λv) <= m e^-λ for λ >= 1.
    end = math.log(values.size) + 2.0
    tilt = _root(lambda x: float((values * expit(x * values)).sum()) - least, 0.0, end)
    exponents = tilt * values
    sums, start, lost = _convolved(values[:, None], expit(exponents), expit(-exponents))
    places = start[0] + np.arange(sums.size) - least
    beyond = places >= 0
    found = float((sums[beyond] * np.exp(-tilt * places[beyond])).sum()) + lost
    terms = np.logaddexp(0.0, exponents) - math.log(2.0)
    return _rounded_up(math.fsum(terms.tolist()), tilt * least, found, values.size)


def _fixed_size(values: Int[np.ndarray, " m"], chosen: Int[np.ndarray, " m"]) -> float:
    """The logarithm of P(S >= the one seen | N = as many as were up)."""
    size, up, least = values.size, int(chosen.sum()), int((values * chosen).sum())
    lowest = int(np.sort(values)[:up].sum())
    highest = int(np.sort(values)[size - up :].sum())
    spread = math.sqrt(up * (size - up) / max(size - 1.0, 1.0)) * float(values.std())
    if least <= max(lowest, up * float(values.mean()) + _COUNTS * spread):
        return 0.0
    ways = gammaln(size + 1.0) - gammaln(up + 1.0) - gammaln(size - up + 1.0)
    bend, tilt = _tilted_to(values, up, min(least, highest - 0.25))
    exponents = bend + tilt * values
    moves = np.stack([np.ones_like(values), values], axis=1)
    law, start, lost = _convolved(moves, expit(exponents), expit(-exponents))
    row = law[up - start[0]]
    places = start[1] + np.arange(row.size) - least
    beyond = places >= 0
    found = float((row[beyond] * np.exp(-tilt * places[beyond])).sum()) + lost
    product = math.fsum(np.logaddexp(0.0, exponents).tolist())
    return min(
        0.0,
        _rounded_up(product - float(ways), bend * up + tilt * least, found, size)
        + 1e-13 * (abs(product) + abs(float(ways))),
    )


def _tilted_to(values: Int[np.ndarray, " m"], up: int, least: float) -> tuple[float, float]:
    """(θ, λ) at which the mean of (N, S) is about (up, least); the bound holds at any λ >= 0."""
    if up in (0, values.size):
        return 0.0, 0.0
    odds = math.log(up / (values.size - up))
    most, fewest = float(values.max()), float(values.min())

    def bend(tilt: float) -> float:
        """θ at which the mean of N is ``up``."""
        low, high = odds - tilt * most - 1e-6, odds - tilt * fewest + 1e-6
        return _root(lambda x: float(expit(x + tilt * values).sum()) - up, low, high)

    def gap(tilt: float) -> float:
        return float((values * expit(bend(tilt) + tilt * values)).sum()) - least

    end = 30.0
    tilt = 0.0
    if gap(0.0) < 0.0:
        tilt = end if gap(end) <= 0.0 else _root(gap, 0.0, end)
    return bend(tilt), tilt


def _root(gap: Callable[[float], float], low: float, high: float) -> float:
    # Near is enough: any tilt gives the same sum, the more exactly the nearer its mean.
    return float(root_scalar(gap, bracket=(low, high), method="brentq", xtol=1e-7, rtol=1e-4).root)


def _convolved(
    moves: Int[np.ndarray, "m axes"],
    up: Float[np.ndarray, " m"],
    down: Float[np.ndarray, " m"],
) -> tuple[Float[np.ndarray, "..."], Int[np.ndarray, " axes"], float]:
    """The law of the sum of moves of bits that are 1 with probability ``up``, inside a window.

    Returns:
        Probabilities in the window; the place where it starts; what was left out, at most.
    """
    least = np.minimum(moves, 0).sum(axis=0)
    most = np.maximum(moves, 0).sum(axis=0)
    reach = np.ceil(_REACH * np.sqrt((moves.astype(np.float64) ** 2).sum(axis=0))).astype(int) + 1
    extent = np.minimum(2 * reach + 1, most - least + 1)
    whole = bool((extent == most - least + 1).all())
    # The window follows the mean, and stays inside of what is possible.
    means = np.floor(np.cumsum(moves * up[:, None], axis=0)).astype(int)
    starts = np.clip(means - reach, least, most - extent + 1)
    margin = np.abs(moves).max(axis=0)
    place = np.clip(-reach, least, most - extent + 1)
    held = np.zeros(extent + 2 * margin)
    inner = _window(margin, extent)
    held[tuple(margin - place)] = 1.0
    stayed, gone = np.empty(extent), np.empty(extent)
    for move, start, one, zero in zip(moves, starts, up, down, strict=True):
        ahead = start - place
        np.multiply(held[_window(margin + ahead, extent)], zero, out=stayed)
        np.multiply(held[_window(margin + ahead - move, extent)], one, out=gone)
        np.add(stayed, gone, out=held[inner])
        place = start
    lost = 2.0 * moves.size * math.exp(-2.0 * _REACH**2)
    return held[inner], place, 0.0 if whole else lost


def _window(start: Int[np.ndarray, " axes"], extent: Int[np.ndarray, " axes"]) -> tuple[slice, ...]:
    return tuple(slice(int(i), int(i + n)) for i, n in zip(start, extent, strict=True))


def _rounded_up(product: float, tilted: float, found: float, size: int) -> float:
    """The logarithm turned back, and raised by more than rounding can have taken away."""
    slack = 16.0 * _UNIT * (abs(product) + abs(tilted) + size + 16.0) + 1e-12
    return min(0.0, product - tilted + math.log(found + 1e-300) + slack)
