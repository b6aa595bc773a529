"""Discretised privacy losses and their composition, rounded so that deltas are never too small.

A pair (P, Q) is stood in for by a discrete one whose losses ln(P/Q) lie on a grid and whose
hockey-stick curve lies on or above the true one; composing the stand-ins then bounds composing the
pairs. The mass of P and of Q between two neighbouring losses is shared between the two grid points
so that both masses are kept: the curve is exact at every grid point and straight in e^epsilon
between them ("connect the dots", Doroshenko et al. 2022, https://arxiv.org/abs/2207.04380).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy import fft, special

from oracles.mechanisms._mechanism import Floats

# Mass of the composed loss outside the window of the Fourier transform, added to delta.
TAIL = 1e-15
# Stands for the rounding of the Fourier transform, whose k-th power has k times its relative error.
ROUNDING = 1e-15


@dataclass(frozen=True, eq=False)
class PrivacyLoss:
    """The law under P of the loss ln(P/Q), on the grid ``step * (first + i)``.

    Attributes:
        step: the spacing of the losses.
        first: index of the first loss on the grid.
        mass: P's mass at each loss.
        infinite: P's mass where the loss is infinite, or so large that it is counted as such.
    """

    step: float
    first: int
    mass: Float[np.ndarray, " losses"]
    infinite: float

    @property
    def losses(self) -> Float[np.ndarray, " losses"]:
        """The losses, in rising order."""
        return self.step * (self.first + np.arange(self.mass.size))

    def delta(self, epsilon: Floats) -> Floats:
        """The hockey-stick curve of the stand-in at epsilons of at least 0."""
        losses, above_p, above_q = self._tails
        start = np.searchsorted(losses, epsilon, side="right")
        with np.errstate(over="ignore"):
            factor = np.exp(np.minimum(epsilon, 700.0))
        return np.maximum(above_p[start] - factor * above_q[start], 0.0) + self.infinite

    @cached_property
    def _tails(self) -> tuple[Floats, Floats, Floats]:
        """The positive losses, and the mass of P and of Q from each of them on."""
        positive = self.losses > 0
        losses, mass = self.losses[positive], self.mass[positive]
        above_p = np.append(np.cumsum(mass[::-1])[::-1], 0.0)
        above_q = np.append(np.cumsum((mass * np.exp(-losses))[::-1])[::-1], 0.0)
        return losses, above_p, above_q


def discretise(
    step: float,
    first: int,
    p: Float[np.ndarray, " bins"],
    q: Float[np.ndarray, " bins"],
    below: float,
    above: float,
) -> PrivacyLoss:
    """The stand-in with the masses given between neighbouring losses.

    Args:
        step: the spacing of the grid.
        first: index of the grid point where the first bin begins.
        p: P's mass of losses in each bin.
        q: Q's mass of losses in each bin.
        below: P's mass of losses below the first grid point, which is moved up to it.
        above: P's mass of losses above the last grid point, counted as infinite.
    """
    start = step * (first + np.arange(p.size))
    up = np.clip((p - np.exp(start) * q) / -np.expm1(-step), 0.0, p)
    mass = np.append(p - up, 0.0)
    mass[1:] += up
    mass[0] += below
    return PrivacyLoss(step, first, mass, above)


def compose(loss: PrivacyLoss, times: int) -> PrivacyLoss:
    """The stand-in of ``times`` independent copies, by one fast Fourier transform.

    The window holds all but `TAIL` of the mass at each end (Chernoff). Mass that falls out below
    wraps round to larger losses; mass that falls out above is added to ``infinite``.
    """
    low, high = _window(loss, times)
    size = int(fft.next_fast_len(high - low + 1, real=True) or 0)
    places = (loss.first + np.arange(loss.mass.size)) % size
    folded = np.bincount(places, weights=loss.mass, minlength=size)
    powers = np.fft.irfft(np.fft.rfft(folded) ** times, size)
    mass = np.maximum(np.roll(powers, -(low % size)), 0.0)
    missing = -np.expm1(times * np.log1p(-loss.infinite))
    return PrivacyLoss(loss.step, low, mass, missing + TAIL + times * ROUNDING)


def _window(loss: PrivacyLoss, times: int) -> tuple[int, int]:
    """First and last grid index of a window that the sum of ``times`` losses leaves with TAIL."""
    with np.errstate(divide="ignore"):
        log_mass = np.log(loss.mass)
    least, most = times * loss.first, times * (loss.first + loss.mass.size - 1)
    low, high = float(least), float(most)
    losses, budget = loss.losses, -np.log(TAIL)
    for rate in np.geomspace(1e-3, 1e4, 36):
        up = (times * special.logsumexp(log_mass + rate * losses) + budget) / rate
        down = -(times * special.logsumexp(log_mass - rate * losses) + budget) / rate
        high, low = min(high, up / loss.step), max(low, down / loss.step)
    return int(np.floor(low)), int(np.ceil(high))
