"""The hockey-stick divergence between two samples, estimated over half-lines, with its interval."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num

from estimators._results import INDEPENDENT, ConfidenceInterval, Undetermined
from estimators._table import long_table
from estimators.checks import check_confidence, check_epsilon, check_pair
from estimators.curves._divergence import DirectedDivergence
from estimators.exact._plug_in import plug_in
from estimators.lower._bounds import delta_lower_bound
from estimators.lower._rank_grid import RankGrid
from estimators.lower._target import DeltaAt
from estimators.upper._upper import delta_upper_bound

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class HockeyStick(DirectedDivergence, Undetermined):
    """The hockey-stick divergence over half-lines, both directions, at each epsilon.

    All arrays have the observables' shape, led by an axis of epsilons when those are an array.

    Attributes:
        epsilon: the epsilons, a scalar or 1-D.
        confidence_level: of each interval at each epsilon and observable, not of all at once.
        undetermined: no data of these sizes could move either end off 0 or 1.
    """

    def _title(self) -> str:
        return (
            f"hockey-stick divergence over {self.events}, {self.n_p} models of P against "
            f"{self.n_q} of Q, {100 * self.confidence_level:g} % interval at each epsilon"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each epsilon and observable: estimate, interval, and both directions."""
        scalar = self.epsilon.ndim == 0
        return long_table(
            {name: values[None] if scalar else values for name, values in self._columns().items()},
            grid=("epsilon", np.atleast_1d(self.epsilon)),
            undetermined=self.undetermined[None] if scalar else self.undetermined,
        )


def hockey_stick(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    epsilon: Any,
    confidence: float = 0.95,
) -> HockeyStick:
    r"""Hockey-stick divergence over half-lines, both directions, with an interval at each epsilon.

    With R over all half-lines of an observable, the two directions are

    $$\sup_R P(R) - e^\epsilon Q(R) \quad\text{and}\quad \sup_R Q(R) - e^\epsilon P(R),$$

    estimated by the shares of the models. The estimate is a maximum, hence biased upward: two
    samples of one population are never at 0. The interval is not: each of its ends is a bound of
    its own at half the error, `delta_lower_bound` and `delta_upper_bound`, and both hold whatever
    the populations, at every n and m, ties included.

    For a monotone likelihood ratio the half-lines are the best of all events, and this is the
    divergence itself; else it is less, and the lower end alone still bounds the divergence.

    Args:
        p: models of the first population: a number for each model and observable.
        q: models of the second population, with the same observables.
        epsilon: one epsilon or a 1-D array of them, each in [0, 50].
        confidence: of each interval, at each epsilon and observable (not of all at once; for a band
            over all epsilons see `privacy_profile`).

    Returns:
        A `HockeyStick`; its arrays have the observables' shape, led by an axis of epsilons when
        those are an array, and lie in [0, 1].

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples do not fit together, hold no observable or are not finite, or
            epsilon or confidence lie outside their range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> p, q = rng.normal(1.0, 1.0, 2000), rng.normal(0.0, 1.0, 2000)
        >>> result = estimators.hockey_stick(p, q, epsilon=1.0)
        >>> interval = result.confidence_interval
        >>> bool(interval.low < 0.1269 < interval.high), bool(interval.high - interval.low < 0.15)
        (True, True)

    References:
        Barthe and Olmedo (2013), "Beyond differential privacy: composition theorems and relational
        logic for f-divergences between probabilistic programs", for the divergence.
    """
    first, second = check_pair(p, q)
    epsilons, confidence = check_epsilon(epsilon), check_confidence(confidence)
    half = 1.0 - (1.0 - confidence) / 2.0
    # Over half-lines, as the estimate and the upper end are.
    method = RankGrid(two_sided=False)
    lower = delta_lower_bound(first, second, epsilon=epsilons, confidence=half, method=method)
    upper = delta_upper_bound(first, second, epsilon=epsilons, confidence=half)
    n, m, shape = first.shape[0], second.shape[0], epsilons.shape + first.shape[1:]
    flat_p, flat_q, grid = first.reshape(n, -1), second.reshape(m, -1), np.atleast_1d(epsilons)
    forward, backward = (side.reshape(shape) for side in plug_in(flat_p, flat_q, grid))
    # The interval of each direction alone has the whole error; at epsilon 0 both are one number.
    low_forward, low_backward = (
        method.forward(ours, theirs, DeltaAt(grid), 1.0 - half).reshape(shape)
        for ours, theirs in ((flat_p, flat_q), (flat_q, flat_p))
    )
    zero = epsilons.reshape(epsilons.shape + (1,) * (len(shape) - epsilons.ndim)) == 0.0
    low_forward, low_backward = (
        np.where(zero, lower.bound, low) for low in (low_forward, low_backward)
    )
    estimate = np.asarray(np.maximum(forward, backward))
    return HockeyStick(
        epsilon=epsilons,
        estimate=estimate,
        forward=forward,
        backward=backward,
        forward_interval=_widened(forward, low_forward, upper.forward),
        backward_interval=_widened(backward, low_backward, upper.backward),
        confidence_interval=_widened(estimate, lower.bound, upper.bound),
        confidence_level=confidence,
        n_p=n,
        n_q=m,
        events=upper.events,
        method=f"low: {lower.method}; high: {upper.method}",
        assumptions=(INDEPENDENT,),
        warnings=lower.warnings + upper.warnings,
        undetermined=np.asarray(lower.undetermined & upper.undetermined),
    )


def _widened(
    estimate: Float[np.ndarray, "..."],
    low: Float[np.ndarray, "..."],
    high: Float[np.ndarray, "..."],
) -> ConfidenceInterval:
    """The interval, widened to the estimate, which unlike the low end sets no models aside."""
    low, high = np.minimum(low, estimate), np.maximum(high, estimate)
    return ConfidenceInterval(np.asarray(low), np.asarray(high))
