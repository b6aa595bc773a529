"""One half-line for each observable, chosen on some models to be counted on others."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


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


def choose_half_lines(
    p: Float[np.ndarray, "r j"],
    q: Float[np.ndarray, "s j"],
    n: int,
    m: int,
    *,
    factor: Float[np.ndarray, " e"] | None = None,
    delta: Float[np.ndarray, " e"] | None = None,
    score: float,
) -> HalfLineEvents:
    """The half-lines whose bounds on P against Q are expected to be greatest.

    The expected bound on delta is ``a - c b - score (s_a + c s_b)`` with smoothed rates a, b and
    their standard errors at the sizes to come; that on epsilon is the logarithm of
    ``(a - score s_a - delta) / (b + score s_b)``.

    Args:
        p: models of P to choose on.
        q: models of Q to choose on.
        n: models of P that will be counted.
        m: models of Q that will be counted.
        factor: the factors ``c = e^epsilon`` for bounds on delta.
        delta: the deltas for bounds on epsilon; exactly one of the two is given.
        score: normal score of each one-sided limit.

    Returns:
        One event for each factor (or delta) and observable.
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

    shape = ((factor if factor is not None else np.asarray(delta)).size, p.shape[1])
    best, threshold = np.full(shape, -np.inf), np.zeros(shape)
    above = np.zeros(shape, dtype=bool)
    columns = np.arange(p.shape[1])
    for upward in (True, False):
        x = r - below_p if upward else below_p
        y = total - r - below_q if upward else below_q
        a, b = (x + 0.5) / (r + 1.0), (y + 0.5) / (total - r + 1.0)
        error_a = score * np.sqrt(a * (1.0 - a) / n)
        error_b = score * np.sqrt(b * (1.0 - b) / m)
        for e in range(shape[0]):
            if factor is not None:
                worth = a - error_a - factor[e] * (b + error_b)
            else:
                worth = (a - error_a - np.asarray(delta)[e]) / (b + error_b)
            worth = np.where(split, worth, -np.inf)
            at = worth.argmax(axis=0)
            better = worth[at, columns] > best[e]
            best[e] = np.where(better, worth[at, columns], best[e])
            threshold[e] = np.where(better, bars[at, columns], threshold[e])
            above[e] = np.where(better, upward, above[e])
    return HalfLineEvents(threshold, above)
