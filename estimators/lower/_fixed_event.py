"""Discrete observables: one event, chosen on a pilot and bounded on the other models.

An event R tells of both directions at once. With ``p = P(R)``, ``q = Q(R)``, ``c = e^epsilon``,

    forward on R               p - c q <= delta,
    backward on its complement (1 - q) - c (1 - p) <= delta,

so every mixture of the two left sides, with a share between 0 and 1 for the first, is at most the
greater of the two divergences. A share of one half is a multiple of ``p - q`` and is far the best
for randomised response, where both inequalities are tight. Each mixture grows with p and falls
with q, so the worst corners of the joint region of the two counts bound it; in small samples the
even mixture is bounded by the exact law of the difference instead.
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import betaincinv

from estimators.exact._binomial_pair import lower_quantile, region_border, upper_quantile
from estimators.exact._difference import GREATEST_TOTAL, difference_lower
from estimators.lower._target import DeltaAt, Target

# Weights of the joint bound are rounded to this grid, so that few regions are computed.
_P_WEIGHTS = np.array([0.1, 0.2, 0.35, 0.5, 0.7071, 0.866, 0.95])
_MIXTURES = np.array([0.0, 0.5, 1.0])
_EVEN = 1
# The pilot's rates are uncertain: expected bounds are averages over these quantiles of each rate.
_QUANTILES = (np.arange(6) + 0.5) / 6
_CELLS = 256
_KAPPA = 0.1


class Event(NamedTuple):
    """``{value > threshold}`` or its complement, the share of forward, and P's weight."""

    threshold: float
    above: bool
    forward: float
    weight: float

    def holds(self, values: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Whether each value lies in the event."""
        return (values > self.threshold) == self.above


def choose_event(
    p: Float[np.ndarray, " r"],
    q: Float[np.ndarray, " s"],
    n: int,
    m: int,
    target: Target,
    direction: Literal["forward", "either"],
) -> Event:
    """The event whose bound is expected to be greatest at the sizes to come.

    Args:
        p: pilot of P, one observable.
        q: pilot of Q.
        n: models of P that will be counted.
        m: models of Q that will be counted.
        target: what is to be bounded, at one number.
        direction: "forward" takes no share of backward.

    Returns:
        The event; any choice is valid, since the pilot is not counted.
    """
    values = np.unique(np.concatenate([p, q]))
    above_p = p.size - np.searchsorted(np.sort(p), values, "right")
    above_q = q.size - np.searchsorted(np.sort(q), values, "right")
    rate_p, rate_q = (
        betaincinv(held + 0.5, size - held + 0.5, _QUANTILES[:, None])
        for held, size in (
            (np.concatenate([above_p, p.size - above_p]), p.size),
            (np.concatenate([above_q, q.size - above_q]), q.size),
        )
    )
    share = (_MIXTURES if direction == "either" else _MIXTURES[-1:])[:, None, None, None]
    slope_p, slope_q, score = expected_bound(rate_p[:, None], rate_q, share, n, m, target)
    merit = score.mean(axis=(1, 2))
    if direction == "either":
        # One direction alone must beat the even mixture by more than the pilot could well mistake.
        gain = score - score[_EVEN]
        merit = merit[_EVEN] + gain.mean(axis=(1, 2)) - 1.5 * gain.std(axis=(1, 2))
    # Events that hold none of the pilot, or all of it, are chosen only where there are no others.
    held = above_p + above_q
    idle = np.tile((held == 0) | (held == p.size + q.size), 2)
    merit[:, idle] -= 1e6
    mixture, best = np.unravel_index(np.argmax(merit), merit.shape)
    errors = slope_p[mixture, ..., best].mean(), slope_q[mixture, ..., best].mean()
    weight = errors[0] / np.hypot(*errors)
    return Event(
        float(values[best % values.size]),
        bool(best < values.size),
        float(share[mixture, 0, 0, 0]),
        float(_P_WEIGHTS[np.argmin(np.abs(_P_WEIGHTS - weight))]),
    )


def expected_bound(
    p: Float[np.ndarray, "..."],
    q: Float[np.ndarray, "..."],
    share: float | Float[np.ndarray, "..."],
    n: int,
    m: int,
    target: Target,
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """The bound to be expected of an event with rates p and q, two standard errors down.

    Args:
        p: P's rates, inside (0, 1).
        q: Q's rates, inside (0, 1), broadcast with ``p``.
        share: share of forward in the mixture, broadcast with both.
        n: points of P.
        m: points of Q.
        target: what is to be bounded, at one number.

    Returns:
        The standard errors that p and q bring in, and the bound.
    """
    gain, loss = share * p + (1.0 - share) * (1.0 - q), share * q + (1.0 - share) * (1.0 - p)
    if isinstance(target, DeltaAt):
        factor = np.exp(target.epsilon)
        of_p, of_q = share + (1.0 - share) * factor, share * factor + 1.0 - share
        value = gain - factor * loss
    else:
        excess = np.maximum(gain - target.delta, 1e-6)
        of_p, of_q = share / excess + (1.0 - share) / loss, (1.0 - share) / excess + share / loss
        value = np.log(excess / loss)
    error_p = of_p * np.sqrt(p * (1.0 - p) / n)
    error_q = of_q * np.sqrt(q * (1.0 - q) / m)
    return error_p, error_q, value - 2.0 * np.hypot(error_p, error_q)


def bound_event(
    x: int,
    n: int,
    y: int,
    m: int,
    event: Event,
    target: Target,
    alpha: float,
) -> float:
    """Bound from one event fixed beforehand, by the capped Stouffer region.

    Args:
        x: P's points in the event.
        n: points of P.
        y: Q's points in the event.
        m: points of Q.
        event: the event, for its mixture and weight.
        target: what to bound, at one number.
        alpha: level.

    Returns:
        A bound of at least 0, rounded down.
    """
    even = event.forward == 0.5 or bool(target.symmetric[0])
    if even and n + m <= GREATEST_TOTAL:
        apart = difference_lower(x, n, y, m, alpha)
        p, q = np.array([(1.0 + apart) / 2.0]), np.array([(1.0 - apart) / 2.0])
        return _solved(p, q, 0.5, target)
    border = region_border(alpha, event.weight, _KAPPA, _CELLS)
    p, q = lower_quantile(x, n, border.z_p), upper_quantile(y, m, border.z_q)
    return _solved(p, q, event.forward, target)


def _solved(
    p: Float[np.ndarray, " k"],
    q: Float[np.ndarray, " k"],
    share: float,
    target: Target,
) -> float:
    """The least bound over pairs of rates; an even share sees their difference alone."""
    gain, loss = share * p + (1.0 - share) * (1.0 - q), share * q + (1.0 - share) * (1.0 - p)
    if isinstance(target, DeltaAt):
        return max(float(np.min(gain - np.exp(target.epsilon) * loss)) - 1e-12, 0.0)
    ratio = float(np.min((gain - target.delta) / loss))
    return max(float(np.log(ratio)) - 1e-12, 0.0) if ratio > 1.0 else 0.0
