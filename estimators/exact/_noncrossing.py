"""Exact probability that an empirical distribution function stays between boundaries, or not."""

import numpy as np
from jaxtyping import Float
from scipy.special import gammaln

# Mass below this share of the largest state is dropped: it counts as a crossing.
DROPPED = 1e-18
_HARDLY_DROPPED = 1e-60


def noncrossing(low: Float[np.ndarray, " n"], high: Float[np.ndarray, " n"]) -> float:
    """Probability that every order statistic of n uniforms lies between its two boundaries.

    ``P(low_i <= U_(i) <= high_i for i = 1..n)``. A uniform sample is a Poisson process of rate n
    that happened to make n points. The number of points is followed from one boundary to the next:
    each step adds a Poisson number and strikes out the counts that crossed. All terms are positive,
    so nothing cancels; what is dropped to keep the window short makes the answer smaller.

    Args:
        low: lower boundaries, non-decreasing, 0 for none.
        high: upper boundaries, non-decreasing, 1 for none.

    Returns:
        A probability, right to about 1e-12 and never above the exact one by more.

    Raises:
        ValueError: when the boundaries differ in length, are empty, decrease or leave [0, 1].

    Example:
        >>> import numpy as np
        >>> from estimators.exact._noncrossing import noncrossing
        >>> print(f"{noncrossing(np.array([0.1, 0.2]), np.array([1.0, 1.0])):.2f}")
        0.80

    References:
        Khmaladze and Shinjikashvili (2001), Calculation of noncrossing probabilities for Poisson
        processes and its corollaries; Moscovich and Nadler (2017), Fast calculation of boundary
        crossing probabilities for Poisson processes.
    """
    return _followed(low, high, DROPPED, crossings=False)[0]


def crossing(low: Float[np.ndarray, " n"], high: Float[np.ndarray, " n"]) -> float:
    """One less `noncrossing`, right to a relative 1e-9 however small down to 1e-20.

    The counts that are struck out at a boundary are summed, each with its chance to come to n in
    the end: positive terms again, where the difference from 1 would keep no digit below 1e-12.

    Args:
        low: as for `noncrossing`.
        high: as for `noncrossing`.

    Returns:
        A probability; what is dropped counts as a crossing.

    Raises:
        ValueError: as `noncrossing`.

    Example:
        >>> import numpy as np
        >>> from estimators.exact._noncrossing import crossing
        >>> print(f"{crossing(np.array([1e-15, 1e-9]), np.array([1.0, 1.0])):.2e}")
        2.00e-15
    """
    return _followed(low, high, _HARDLY_DROPPED)[1]


def _followed(
    low: Float[np.ndarray, " n"],
    high: Float[np.ndarray, " n"],
    dropped: float,
    *,
    crossings: bool = True,
) -> tuple[float, float]:
    """The probabilities to stay between the boundaries and, where it is asked for, to cross one."""
    n = low.size
    if low.shape != high.shape or n == 0:
        raise ValueError(f"low and high: expected at least one boundary each, found {low}, {high}")
    for name, values in (("low", low), ("high", high)):
        if not ((values >= 0) & (values <= 1)).all() or (np.diff(values) < 0).any():
            raise ValueError(f"{name}: expected non-decreasing numbers in [0, 1]")
    if (low > high).any():
        return 0.0, 1.0

    ranks = np.arange(1, n + 1)
    below, above = low > 0.0, high < 1.0
    # A new lower boundary low_i forbids i points at its time; a new upper boundary asks for i.
    times = np.concatenate([low[below], high[above], [1.0]])
    most = np.concatenate([ranks[below] - 1, np.full(above.sum() + 1, n)])
    least = np.concatenate([np.zeros(below.sum(), int), ranks[above], [n]])
    order = np.argsort(times, kind="stable")
    times, most, least = times[order], most[order], least[order]

    log_factorial = gammaln(np.arange(n + 2) + 1.0)
    counts = np.arange(n + 1, dtype=np.float64)
    share = np.exp(n * np.log(n) - n - log_factorial[n])
    state, first, now, crossed = np.ones(1), 0, 0.0, 0.0

    def ending(struck: Float[np.ndarray, " k"], count: int) -> float:
        """Chance of all that is struck out, counts from this one on, to come to n points."""
        left = n - count - np.arange(struck.size)
        mean = n * (1.0 - now)
        if mean <= 0.0:
            return float(struck[left == 0].sum())
        log_law = left * np.log(mean) - mean - log_factorial[np.maximum(left, 0)]
        return float((struck * np.exp(log_law))[left >= 0].sum())

    for time, top, bottom in zip(times.tolist(), most.tolist(), least.tolist(), strict=True):
        mean = n * (time - now)
        if mean > 0.0:
            room = n - first + 1
            reach = min(room, int(mean + 10.0 * np.sqrt(mean) + 22.0))
            jump = np.exp(counts[:reach] * np.log(mean) - mean - log_factorial[:reach])
            state = np.convolve(state, jump)[:room]
            now = time
        start, stop = max(bottom - first, 0), min(top + 1 - first, state.size)
        greatest = state[start:stop].max() if start < stop else 0.0
        if not greatest > 0.0:
            return 0.0, 1.0
        kept = state[start:stop] > dropped * greatest
        start, stop = start + int(kept.argmax()), stop - int(kept[::-1].argmax())
        if crossings and (start or stop < state.size):
            crossed += ending(state[:start], first) + ending(state[stop:], first + stop)
        state, first = state[start:stop], first + start
    return min(float(state[0] / share), 1.0), min(float(crossed / share), 1.0)
