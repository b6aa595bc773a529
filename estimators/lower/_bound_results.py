"""One-sided confidence bounds on delta at epsilon, and on epsilon at delta."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from estimators._results import Interval, TwoPopulations, Undetermined

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class OneSidedBound(Interval, TwoPopulations, Undetermined):
    """What bounds on delta and on epsilon share.

    Attributes:
        bound: the bound on the greater of the two directions; it holds with the confidence stated,
            separately at each number asked for and for each observable.
        forward: the same for P against Q alone.
        backward: the same for Q against P alone.
        estimate: plug-in value over half-lines, moved to the bound where it lies on its wrong side.
        confidence_interval: ``bound`` and the trivial other end.
        confidence_level: probability with which the bound holds.
        side: "lower" or "upper".
        method: the method in words.
        events: the class of events in words.
        undetermined: True where even the most extreme samples of these sizes could not move the
            bound off its trivial value, which is kept there (0 for lower, 1 for upper).
    """

    bound: Float[np.ndarray, "..."]
    forward: Float[np.ndarray, "..."]
    backward: Float[np.ndarray, "..."]
    estimate: Float[np.ndarray, "..."]
    side: Literal["lower", "upper"]
    events: str

    def _table(self, given: str, values: Float[np.ndarray, "..."]) -> "pd.DataFrame":
        import pandas as pd

        bound = np.asarray(self.bound)
        lead = values.ndim
        observables = bound.shape[lead:]
        columns: dict[str, np.ndarray] = {}
        grown = values.reshape(values.shape + (1,) * len(observables))
        columns[given] = np.broadcast_to(grown, bound.shape).ravel()
        for axis, size in enumerate(observables):
            shape = [1] * bound.ndim
            shape[lead + axis] = size
            name = "observable" if len(observables) == 1 else f"observable_{axis}"
            columns[name] = np.broadcast_to(np.arange(size).reshape(shape), bound.shape).ravel()
        hidden = np.asarray(self.undetermined)
        columns["estimate"] = np.asarray(self.estimate).ravel()
        for name in ("bound", "forward", "backward"):
            columns[name] = np.where(hidden, np.nan, getattr(self, name)).ravel()
        return pd.DataFrame(columns)

    def _headline(self, of: str) -> str:
        return (
            f"{self.side} bound on {of} at confidence {self.confidence_level:g}, "
            f"{self.n_p} against {self.n_q} models; {self.method}; events: {self.events}"
        )


@dataclass(frozen=True, eq=False)
class DeltaBound(OneSidedBound):
    """A one-sided bound on the hockey-stick divergence at each epsilon.

    Attributes:
        bound: the bound on the greater of the two directions, ``[epsilon?, *observables]``. It
            holds with the confidence stated, separately at each epsilon and for each observable.
        forward: bound on ``sup_R P(R) - exp(epsilon) Q(R)``.
        backward: bound on ``sup_R Q(R) - exp(epsilon) P(R)``. Lower bounds of the two directions
            hold together at the confidence stated (each spends half of the level; at epsilon 0 the
            directions coincide and both are ``bound``); upper bounds each spend the whole level.
        epsilon: the epsilons, a scalar array or [E].
    """

    epsilon: Float[np.ndarray, "..."]

    def _title(self) -> str:
        return self._headline("delta")

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each epsilon and observable; undetermined bounds are missing."""
        return self._table("epsilon", self.epsilon)


@dataclass(frozen=True, eq=False)
class EpsilonBound(OneSidedBound):
    """A lower bound on the epsilon at which the hockey-stick divergence falls to each delta.

    Attributes:
        bound: lower bound on the epsilon of both directions together, ``[delta?, *observables]``,
            for ``inf {epsilon: H(epsilon) <= delta}``.
        forward: the same for ``sup_R P(R) - exp(epsilon) Q(R)`` alone.
        backward: the same for ``sup_R Q(R) - exp(epsilon) P(R)`` alone; the two directions hold
            together at the confidence stated.
        estimate: plug-in value over half-lines, an event without Q's points counted as with one.
        delta: the deltas, a scalar array or [D].
    """

    delta: Float[np.ndarray, "..."]

    def _title(self) -> str:
        return self._headline("epsilon")

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each delta and observable; undetermined bounds are missing."""
        return self._table("delta", self.delta)
