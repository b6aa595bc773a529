"""What the hockey-stick divergence and the privacy profile share: both directions, at epsilons."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from estimators._results import ConfidenceInterval, Interval, TwoPopulations


@dataclass(frozen=True, eq=False, kw_only=True)
class DirectedDivergence(Interval, TwoPopulations):
    """Hockey-stick divergences of both directions over a class of events, with intervals.

    Attributes:
        epsilon: the epsilons.
        estimate: the greater of ``forward`` and ``backward``; biased upward.
        forward: plug-in of ``sup_R P(R) - e^epsilon Q(R)`` over the events R; biased upward.
        backward: plug-in of ``sup_R Q(R) - e^epsilon P(R)``; biased upward.
        forward_interval: interval of the forward divergence, alone.
        backward_interval: interval of the backward divergence, alone.
        confidence_interval: interval of the greater of both divergences.
        events: the class of events, in words.
    """

    epsilon: Float[np.ndarray, "..."]
    estimate: Float[np.ndarray, "..."]
    forward: Float[np.ndarray, "..."]
    backward: Float[np.ndarray, "..."]
    forward_interval: ConfidenceInterval
    backward_interval: ConfidenceInterval
    events: str

    def _columns(self) -> dict[str, Float[np.ndarray, "..."]]:
        """The numbers by the names that tables give them."""
        return {
            "delta": self.estimate,
            "low": self.confidence_interval.low,
            "high": self.confidence_interval.high,
            "forward": self.forward,
            "backward": self.backward,
        }
