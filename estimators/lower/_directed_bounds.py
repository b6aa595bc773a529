"""Bounds of one call: on each direction, and on the greater of the two."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class BothWays(NamedTuple):
    """Lower bounds of shape [E, J], or [E] where the method pools.

    Attributes:
        forward: on P against Q.
        backward: on Q against P; the two hold together at the confidence asked for.
        bound: on the greater of the two; holds at that confidence by itself.
    """

    forward: Float[np.ndarray, "e ..."]
    backward: Float[np.ndarray, "e ..."]
    bound: Float[np.ndarray, "e ..."]


class EachDirection(ABC):
    """Methods that bound one direction at a time: half of the level goes to each."""

    @abstractmethod
    def direction(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"] | None,
        delta: Float[np.ndarray, " e"] | None,
        alpha: float,
    ) -> Float[np.ndarray, "e j"]:
        """Bound on delta at each epsilon, or on epsilon at each delta, of P against Q alone."""

    def lower(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"],
        confidence: float,
    ) -> Float[np.ndarray, "e j"]:
        """Bound on ``sup_R P(R) - e^epsilon Q(R)`` for each observable."""
        return self.direction(p, q, epsilon, None, 1.0 - confidence)

    def delta_bounds(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"],
        confidence: float,
    ) -> BothWays:
        """Bounds on delta at each epsilon."""
        half = (1.0 - confidence) / 2.0
        forward = self.direction(p, q, epsilon, None, half)
        backward = self.direction(q, p, epsilon, None, half)
        zero = epsilon == 0.0
        # There the directions coincide, and one of them has the whole level.
        forward[zero] = backward[zero] = self.lower(p, q, epsilon[zero], confidence)
        return BothWays(forward, backward, np.maximum(forward, backward))

    def epsilon_bounds(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        delta: Float[np.ndarray, " d"],
        confidence: float,
    ) -> BothWays:
        """Bounds on epsilon at each delta."""
        half = (1.0 - confidence) / 2.0
        forward = self.direction(p, q, None, delta, half)
        backward = self.direction(q, p, None, delta, half)
        return BothWays(forward, backward, np.maximum(forward, backward))
