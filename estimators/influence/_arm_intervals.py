"""Intervals for the difference of the means of two arms, one pair of arms a number.

All are two-sided, for independent outcomes given which models are in which arm. None is Wald's,
which has no width at all where every outcome of both arms is the same.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri, stdtrit

from estimators._results import ConfidenceInterval
from estimators.checks import check_within
from estimators.influence._inclusion import INDEPENDENT_ARMS, Arms, Kind


@runtime_checkable
class ArmsMethod(Protocol):
    """Settings of an interval method: a frozen dataclass, validated on construction.

    Attributes:
        kinds: the outcomes that it is for.
        least: models that each arm needs.
    """

    kinds: ClassVar[tuple[Kind, ...]]
    least: ClassVar[int]

    def limits(self, arms: Arms, confidence: float) -> ConfidenceInterval:
        """Both ends, of the shape of the arms' means, which all have `least` models."""
        ...

    def words(self) -> str:
        """The method in words, settings included."""
        ...

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What it rests on."""
        ...


@dataclass(frozen=True)
class Newcombe:
    """Hybrid score interval for 0/1 outcomes: Wilson's limits of both rates, squared and added.

    Within [-1, 1], and not symmetric about the estimate where a rate is near 0 or 1. Approximate:
    its coverage, averaged over rates, is at least the nominal one; at single pairs of rates near 0
    or 1 it can be a few hundredths less.

    References:
        Newcombe (1998), Interval estimation for the difference between independent proportions:
        comparison of eleven methods, method 10.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("0/1",)
    least: ClassVar[int] = 1

    def limits(self, arms: Arms, confidence: float) -> ConfidenceInterval:
        """Both ends; at the edges of [-1, 1] only when data are there."""
        z = float(-ndtri((1.0 - confidence) / 2.0))
        below_in, above_in = _squared_wilson(arms.mean_in, arms.n_in, z)
        below_out, above_out = _squared_wilson(arms.mean_out, arms.n_out, z)
        estimate = arms.mean_in - arms.mean_out
        below_in += above_out
        above_in += below_out
        low = estimate - np.sqrt(below_in, out=below_in)
        high = estimate + np.sqrt(above_in, out=above_in)
        return ConfidenceInterval(np.maximum(low, -1.0, out=low), np.minimum(high, 1.0, out=high))

    def words(self) -> str:
        """The method in words."""
        return "Newcombe's hybrid score interval"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence; scores that are about normal."""
        return (INDEPENDENT_ARMS, "Wilson's scores are about normal in both arms")


def _squared_wilson(
    rate: Float[np.ndarray, "..."], n: np.ndarray, z: float
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """Squared distances from the rate to Wilson's limits, downward and upward.

    In place where it can be: for all pairs this is most of the work beside the matrix product.
    """
    scale = z / (n + z * z)
    below = rate - 0.5
    pull = scale * z * below
    below *= below
    below *= -(scale * scale * n)
    below += scale * scale * (n + z * z) / 4.0
    np.sqrt(below, out=below)
    above = below - pull
    below += pull
    below *= below
    above *= above
    return below, above


@dataclass(frozen=True)
class AgrestiCaffo:
    """Wald's interval after one success and one failure are added to each arm; 0/1 outcomes.

    References:
        Agresti and Caffo (2000), Simple and effective confidence intervals for proportions and
        differences of proportions result from adding two successes and two failures.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("0/1",)
    least: ClassVar[int] = 1

    def limits(self, arms: Arms, confidence: float) -> ConfidenceInterval:
        """Both ends, cut to [-1, 1]."""
        z = float(-ndtri((1.0 - confidence) / 2.0))
        more_in, more_out = arms.n_in + 2.0, arms.n_out + 2.0
        rate_in = (arms.n_in * arms.mean_in + 1.0) / more_in
        rate_out = (arms.n_out * arms.mean_out + 1.0) / more_out
        error = np.sqrt(
            rate_in * (1.0 - rate_in) / more_in + rate_out * (1.0 - rate_out) / more_out
        )
        centre = rate_in - rate_out
        return ConfidenceInterval(
            np.maximum(centre - z * error, -1.0), np.minimum(centre + z * error, 1.0)
        )

    def words(self) -> str:
        """The method in words."""
        return "Agresti and Caffo's interval"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence; rates that are about normal."""
        return (INDEPENDENT_ARMS, "the shrunken rates are about normal in both arms")


@dataclass(frozen=True)
class PseudoCountWelch:
    """Unpooled t interval after a 0 and a 1 of small weight are added to each arm.

    For outcomes in [0, 1]. Without the additions, arms whose outcomes happen to lie close together
    have far too narrow intervals. The degrees of freedom are the smaller arm's models less one,
    which is never too narrow for normal outcomes (Mickey and Brown, 1966).

    Attributes:
        weight: total weight of the 0 and the 1 in each arm, above 0, at most 4. Agresti and Caffo's
            interval for 0/1 outcomes has 2.

    Raises:
        ValueError: when the weight lies outside its range.

    References:
        Welch (1938), The significance of the difference between two means when the population
        variances are unequal; Mickey and Brown (1966), Bounds on the distribution functions of the
        Behrens-Fisher statistic; the additions are those of Agresti and Caffo (2000).
    """

    weight: float = 0.5
    kinds: ClassVar[tuple[Kind, ...]] = ("0/1", "[0, 1]")
    least: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_within("(0, 4]", weight=self.weight)

    def limits(self, arms: Arms, confidence: float) -> ConfidenceInterval:
        """Both ends, cut to [-1, 1]."""
        found = unpooled(arms, confidence, self.weight)
        return ConfidenceInterval(np.maximum(found.low, -1.0), np.minimum(found.high, 1.0))

    def words(self) -> str:
        """The method in words, with its weight."""
        return f"unpooled t after a 0 and a 1 of weight {self.weight:g} in all are added to an arm"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence; means that are about normal."""
        return (INDEPENDENT_ARMS, "the shrunken means are about normal in both arms")


@dataclass(frozen=True)
class Welch:
    """Unpooled t interval for real outcomes without known limits, such as margins.

    It rests on means that are about normal: nothing else is possible for outcomes that are not
    bounded. The degrees of freedom are the smaller arm's models less one.

    References:
        Welch (1938), The significance of the difference between two means when the population
        variances are unequal; Mickey and Brown (1966), Bounds on the distribution functions of the
        Behrens-Fisher statistic.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("0/1", "[0, 1]", "unbounded")
    least: ClassVar[int] = 2

    def limits(self, arms: Arms, confidence: float) -> ConfidenceInterval:
        """Both ends."""
        return unpooled(arms, confidence, 0.0)

    def words(self) -> str:
        """The method in words."""
        return "unpooled t"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence; normal means, which no size of sample makes sure."""
        return (INDEPENDENT_ARMS, "means are about normal in both arms; nothing bounds the error")


def unpooled(arms: Arms, confidence: float, weight: float) -> ConfidenceInterval:
    """The t interval with each arm's own variance, after pseudo-outcomes of a total weight."""
    centre, error = unpooled_error(arms, weight)
    half = error * stdtrit(arms.fewest() - 1.0, (1.0 + confidence) / 2.0)
    return ConfidenceInterval(centre - half, centre + half)


def unpooled_error(
    arms: Arms, weight: float
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """Difference of the arms' means and its standard error, after pseudo-outcomes 0 and 1.

    Args:
        arms: at least two models each.
        weight: total weight of the two in each arm, half each; 0 for none.
    """
    means: list[np.ndarray] = []
    variance = np.zeros(())
    pairs = zip((arms.n_in, arms.n_out), (arms.mean_in, arms.mean_out), arms.squares(), strict=True)
    for n, mean, squares in pairs:
        more = n + weight
        moved = mean + weight * (0.5 - mean) / more
        # Squares about the new mean are those about the old one, plus those of the shift and of the
        # two outcomes added.
        added = n * (moved - mean) ** 2 + 0.5 * weight * (moved**2 + (1.0 - moved) ** 2)
        variance = variance + (squares + (added if weight else 0.0)) / (more * (more - 1.0))
        means.append(moved)
    return means[0] - means[1], np.sqrt(variance)


def default_method(kind: Kind) -> ArmsMethod:
    """The method for outcomes of a kind, when none is asked for."""
    methods: dict[Kind, ArmsMethod] = {
        "0/1": AgrestiCaffo(),
        "[0, 1]": PseudoCountWelch(),
        "unbounded": Welch(),
    }
    return methods[kind]
