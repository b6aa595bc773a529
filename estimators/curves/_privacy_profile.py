"""The privacy profile between two samples: delta at every epsilon, with a band for all of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num

from estimators._results import INDEPENDENT, ConfidenceInterval
from estimators._table import long_table
from estimators.checks import check_confidence, check_delta, check_epsilon, check_pair
from estimators.curves._divergence import DirectedDivergence
from estimators.exact._bands import Band, equal_local_level_band
from estimators.exact._frontier import Counts, half_line_counts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class PrivacyProfile(DirectedDivergence):
    """Hockey-stick divergence against epsilon over half-lines, with a band for the whole curve.

    Attributes:
        epsilon: the epsilons, rising, [E]; all other arrays are ``[E, *observables]``.
        confidence_level: probability that all three bands of one observable hold at every epsilon.
    """

    def _title(self) -> str:
        return (
            f"privacy profile over {self.events}, {self.n_p} models of P against {self.n_q} of Q, "
            f"{100 * self.confidence_level:g} % band by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each epsilon and observable: estimate, band, and both directions."""
        return long_table(self._columns(), grid=("epsilon", self.epsilon))

    def epsilon_interval(self, delta: float) -> ConfidenceInterval:
        """Where the profile falls to delta: the interval that the band leaves for that epsilon.

        As the band holds at all epsilons at once, any number of deltas may be asked for.

        Args:
            delta: in [0, 1).

        Returns:
            Ends of shape ``[*observables]``, both on the grid of `epsilon`, widened to it; the high
            end is infinite where the upper band stays above delta on the whole grid.

        Raises:
            ValueError: when delta is not in [0, 1).
        """
        target = float(check_delta(delta))
        above = self.confidence_interval.low > target
        last = above.shape[0] - 1 - above[::-1].argmax(axis=0)
        low = np.where(above.any(axis=0), self.epsilon[last], 0.0)
        under = self.confidence_interval.high <= target
        high = np.where(under.any(axis=0), self.epsilon[under.argmax(axis=0)], np.inf)
        return ConfidenceInterval(low, high)


def _profile(
    gained: Float[np.ndarray, "R J"],
    lost: Float[np.ndarray, "R J"],
    factors: Float[np.ndarray, " E"],
) -> Float[np.ndarray, "E J"]:
    """``max_R gained - factor lost``, at least the empty event's 0."""
    return np.stack([np.maximum((gained - c * lost).max(axis=0), 0.0) for c in factors])


def _bands(
    counts: Counts, band_p: Band, band_q: Band, factors: Float[np.ndarray, " E"]
) -> tuple[ConfidenceInterval, ConfidenceInterval]:
    low_p, high_p = band_p.low[counts.x], band_p.high[counts.x]
    low_q, high_q = band_q.low[counts.y], band_q.high[counts.y]
    forward = ConfidenceInterval(
        _profile(low_p, high_q, np.nextafter(factors, np.inf)),
        np.minimum(_profile(high_p, low_q, np.nextafter(factors, 0.0)), 1.0),
    )
    backward = ConfidenceInterval(
        _profile(low_q, high_p, np.nextafter(factors, np.inf)),
        np.minimum(_profile(high_q, low_p, np.nextafter(factors, 0.0)), 1.0),
    )
    return forward, backward


def privacy_profile(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    epsilon: Any = None,
    confidence: float = 0.95,
) -> PrivacyProfile:
    """Privacy profile over half-lines, both directions, with one band for all epsilons at once.

    ``delta(eps) = max(sup_R P(R) - e^eps Q(R), sup_R Q(R) - e^eps P(R))`` over half-lines R of the
    observable. Unlike the pointwise intervals of `hockey_stick`, the band may be searched: for the
    epsilon that looks best, or for the one at which delta falls to a given number.

    Limits on the masses of all half-lines hold at once, each population with probability
    ``sqrt(confidence)``; the profile is bounded above and below by what they allow.

    Args:
        p: samples of P, ``[n, *observables]``.
        q: samples of Q, ``[m, *observables]``.
        epsilon: rising epsilons in [0, 50], 1-D; None for 0, 0.05, ..., 5.
        confidence: confidence of the band of each observable.

    Returns:
        Profiles of shape ``[E, *observables]`` in [0, 1], non-increasing in epsilon.

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples are not finite or their observables differ, or numbers lie outside
            their range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> profile = estimators.privacy_profile(
        ...     draw.normal(1.0, 1.0, 1000), draw.normal(0.0, 1.0, 1000)
        ... )
        >>> ends = profile.epsilon_interval(0.1)
        >>> bool(ends.low < 1.16 < ends.high)
        True

    References:
        Balle, Barthe and Gaboardi (2020), Privacy profiles and amplification by subsampling.
    """
    first, second = check_pair(p, q)
    level = float(1.0 - np.sqrt(check_confidence(confidence)))
    grid = np.arange(101) / 20.0 if epsilon is None else check_epsilon(epsilon)
    if grid.ndim != 1 or (np.diff(grid) <= 0).any():
        raise ValueError(f"epsilon: expected a rising 1-D array, found {epsilon}")
    n, m, shape = first.shape[0], second.shape[0], first.shape[1:]
    factors = np.exp(grid)
    counts = half_line_counts(first.reshape(n, -1), second.reshape(m, -1))
    band_p, band_q = equal_local_level_band(n, level), equal_local_level_band(m, level)
    ahead, behind = _bands(counts, band_p, band_q, factors)
    share_p, share_q = counts.x / n, counts.y / m
    form = (grid.size, *shape)
    forward = _profile(share_p, share_q, factors).reshape(form)
    backward = _profile(share_q, share_p, factors).reshape(form)

    def shaped(low: np.ndarray, high: np.ndarray) -> ConfidenceInterval:
        return ConfidenceInterval(low.reshape(form), high.reshape(form))

    return PrivacyProfile(
        epsilon=grid,
        estimate=np.maximum(forward, backward),
        forward=forward,
        backward=backward,
        forward_interval=shaped(ahead.low, ahead.high),
        backward_interval=shaped(behind.low, behind.high),
        confidence_interval=shaped(
            np.maximum(ahead.low, behind.low), np.maximum(ahead.high, behind.high)
        ),
        confidence_level=confidence,
        n_p=n,
        n_q=m,
        events="half-lines of each observable",
        method="equal-local-level bands of both distribution functions",
        assumptions=(INDEPENDENT,),
        warnings=("the plug-in profile is biased upward: read the band",),
    )
