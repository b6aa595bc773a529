"""One half-line for each observable, chosen on some models and counted on the others."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from estimators.lower._pilot import share_of, shuffled
from estimators.lower._target import DeltaAt, Target


class HalfLineEvents(NamedTuple):
    """Events ``{value > threshold}`` or, where not ``above``, their complements."""

    threshold: Float[np.ndarray, "e j"]
    above: Bool[np.ndarray, "e j"]

    def counts(self, sample: Float[np.ndarray, "n j"]) -> Int[np.ndarray, "e j"]:
        """Points of each column in each of its events.

        Args:
            sample: one column an observable.

        Returns:
            Counts.
        """
        beyond = (sample[None] > self.threshold[:, None]).sum(axis=1)
        return np.where(self.above, beyond, sample.shape[0] - beyond)


class EventCounts(NamedTuple):
    """How many models of either side lie in the chosen events.

    Attributes:
        x: P's models in each event.
        n: P's models counted.
        y: Q's models in each event.
        m: Q's models counted.
    """

    x: Int[np.ndarray, "e j"]
    n: int
    y: Int[np.ndarray, "e j"]
    m: int


def counted_half_lines(
    p: Float[np.ndarray, "n j"],
    q: Float[np.ndarray, "m j"],
    target: Target,
    *,
    fraction: float,
    seed: int | None,
    score: float,
) -> EventCounts | None:
    """Counts of half-lines that a pilot chose, on the models that are not in the pilot.

    Args:
        p: samples of P.
        q: samples of Q.
        target: what is to be bounded.
        fraction: share of either side that is the pilot.
        seed: joins the digest of the samples in drawing the pilot.
        score: normal score of each one-sided limit, see `choose_half_lines`.

    Returns:
        The counts; None where a side has too few models for a pilot.
    """
    pilot_p, pilot_q = share_of(p.shape[0], fraction), share_of(q.shape[0], fraction)
    if not min(pilot_p, pilot_q):
        return None
    p, q = shuffled(p, q, seed)
    n, m = p.shape[0] - pilot_p, q.shape[0] - pilot_q
    events = choose_half_lines(p[:pilot_p], q[:pilot_q], n, m, target, score)
    return EventCounts(events.counts(p[pilot_p:]), n, events.counts(q[pilot_q:]), m)


def choose_half_lines(
    p: Float[np.ndarray, "r j"],
    q: Float[np.ndarray, "s j"],
    n: int,
    m: int,
    target: Target,
    score: float,
) -> HalfLineEvents:
    """The half-lines whose bounds on P against Q are expected to be greatest.

    The expected bound on delta is ``a - c b - score (s_a + c s_b)``, with ``c = e^epsilon``,
    smoothed rates a and b, and their standard errors at the sizes to come; that on epsilon is the
    logarithm of ``(a - score s_a - delta) / (b + score s_b)``.

    Args:
        p: models of P to choose on.
        q: models of Q to choose on.
        n: models of P that will be counted.
        m: models of Q that will be counted.
        target: what is to be bounded.
        score: normal score of each one-sided limit.

    Returns:
        One event for each number of the target and each observable.
    """
    r, total = p.shape[0], p.shape[0] + q.shape[0]
    pooled = np.concatenate([p, q])
    order = np.argsort(pooled, axis=0, kind="stable")
    values = np.take_along_axis(pooled, order, axis=0)
    below_p = np.cumsum(order < r, axis=0)
    below_q = np.arange(1, total + 1)[:, None] - below_p
    split = np.concatenate([values[1:] > values[:-1], np.zeros((1, p.shape[1]), dtype=bool)])
    next_value = np.concatenate([values[1:], values[-1:]])
    between = values / 2 + next_value / 2
    # Rounding can put the middle on the upper value, which then falls on the wrong side.
    bars = np.where(between < next_value, between, values)

    shape = (target.numbers.size, p.shape[1])
    best, threshold = np.full(shape, -np.inf), np.zeros(shape)
    above = np.zeros(shape, dtype=bool)
    columns = np.arange(p.shape[1])
    for upward in (True, False):
        x = r - below_p if upward else below_p
        y = total - r - below_q if upward else below_q
        a, b = (x + 0.5) / (r + 1.0), (y + 0.5) / (total - r + 1.0)
        low = a - score * np.sqrt(a * (1.0 - a) / n)
        high = b + score * np.sqrt(b * (1.0 - b) / m)
        if isinstance(target, DeltaAt):
            expected = (low - factor * high for factor in np.exp(target.numbers))
        else:
            expected = ((low - delta) / high for delta in target.numbers)
        for e, worth in enumerate(expected):
            worth = np.where(split, worth, -np.inf)
            at = worth.argmax(axis=0)
            better = worth[at, columns] > best[e]
            best[e] = np.where(better, worth[at, columns], best[e])
            threshold[e] = np.where(better, bars[at, columns], threshold[e])
            above[e] = np.where(better, upward, above[e])
    return HalfLineEvents(threshold, above)
