"""What memorization and cross-influence share: the difference of two arms, with its interval."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import Float

from estimators._results import ConfidenceInterval, Interval, Undetermined
from estimators.checks import check_confidence
from estimators.influence._arm_intervals import ArmsMethod, default_method
from estimators.influence._exceeding import Dependence, Exceeding, exceeding
from estimators.influence._inclusion import Arms, Observed, each_tile
from estimators.influence._simultaneous import bonferroni

Estimand = Literal["subset", "loo"]
AnyInfluence = TypeVar("AnyInfluence", bound="Influence")


@dataclass(frozen=True, eq=False, kw_only=True)
class Influence(Interval, Undetermined):
    """Differences of two arms, with further questions: memorization and cross-influence.

    Attributes:
        estimate: mean outcome over the models with the example less that over the models without
            it; 0 where undetermined, which says nothing.
        confidence_interval: two-sided, each difference by itself; the widest where undetermined.
        confidence_level: of each interval (of all together after `simultaneous`).
        estimand: what is estimated: "subset(p)" is the effect of an example when others are
            included at rate p, "loo" that of leaving it out of all; "soft" where outcomes are in
            [0, 1] but not 0/1 (a label's probability is not the chance of being right), and
            "unbounded" where they are not.
        arms: sizes and means of both arms.
        models: how many models there are.
        undetermined: true where too few models include the example, or too few do not.
    """

    estimate: Float[np.ndarray, "..."]
    estimand: str
    arms: Arms
    models: int

    @abstractmethod
    def _axes(self) -> tuple[str, ...]:
        """Names of the axes of the estimate."""

    def simultaneous(self: AnyInfluence, confidence: float = 0.95) -> AnyInfluence:
        """The same estimates with intervals that all hold at once.

        By Bonferroni over all that are determined, whatever their dependence. For outcomes in
        [0, 1] from exact tails at every number of models, whatever the method was before:
        approximate intervals fail at such levels. For unbounded outcomes by the unpooled t.

        Args:
            confidence: that all intervals hold their values.

        Returns:
            A result of the same type.

        Raises:
            ValueError: when confidence is not in (0, 1).
        """
        known = ~self.undetermined
        check_confidence(confidence)
        low, high = trivial_limits(self.arms)
        if known.any():
            ends = bonferroni(self.arms.where(known), confidence, int(known.sum()))
            low[known], high[known] = ends.low, ends.high
        tail = "the unpooled t" if self.arms.kind == "unbounded" else "exact tails"
        return replace(
            self,
            confidence_interval=ConfidenceInterval(low, high),
            confidence_level=confidence,
            method=f"{tail}, all {int(known.sum())} at once by Bonferroni",
            assumptions=tuple(
                text
                for text in self.assumptions
                if text.startswith("models are") or self.arms.kind == "unbounded"
            ),
        )

    def exceeding(
        self, above: float, *, false_discovery_rate: float = 0.05, dependence: Dependence = "any"
    ) -> Exceeding:
        """Which differences are above a threshold, with few wrong ones among those listed.

        With thousands of models nearly every example is above 0: name a threshold that matters.

        Args:
            above: the threshold, in [-1, 1) unless outcomes are unbounded.
            false_discovery_rate: expected share of wrong ones among those listed, at most.
            dependence: "any" for Benjamini and Yekutieli's rule, which allows every dependence
                between examples (they share models); "positive" for Benjamini and Hochberg's, which
                lists more and rests on dependence that is positive.

        Returns:
            P-values, valid at every number of models unless outcomes are unbounded, and the list.

        Raises:
            ValueError: when an argument lies outside its range.

        References:
            Benjamini and Hochberg (1995), Controlling the false discovery rate; Benjamini and
            Yekutieli (2001), The control of the false discovery rate in multiple testing under
            dependency, for any dependence.
        """
        return exceeding(
            self.arms, self.undetermined, above, false_discovery_rate, dependence, self._axes()
        )


def trivial_limits(arms: Arms) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """The widest limits that outcomes of this kind allow."""
    widest = np.inf if arms.kind == "unbounded" else 1.0
    return np.full(arms.mean_in.shape, -widest), np.full(arms.mean_in.shape, widest)


def influence(
    result: type[AnyInfluence],
    observed: Observed,
    arms: Arms,
    *,
    confidence: float,
    method: ArmsMethod | None,
    estimand: Estimand,
) -> AnyInfluence:
    """A result of the type given, from both arms.

    Raises:
        ValueError: when confidence is not in (0, 1), the method is not for such outcomes, or the
            estimand is unknown.
    """
    check_confidence(confidence)
    if estimand not in ("subset", "loo"):
        raise ValueError(f"estimand: expected 'subset' or 'loo', found {estimand!r}")
    chosen = default_method(arms.kind) if method is None else method
    if arms.kind not in chosen.kinds:
        raise ValueError(
            f"method: expected one for outcomes that are {arms.kind}, found "
            f"{type(chosen).__name__}, which is for {' and '.join(chosen.kinds)}"
        )
    estimate = arms.mean_in - arms.mean_out
    undetermined = np.broadcast_to(arms.fewest() < chosen.least, estimate.shape)
    low, high = trivial_limits(arms)
    holes = bool(undetermined.any())

    def limits(tile: tuple[slice, ...]) -> None:
        piece = arms.tile(tile)
        if holes:
            known = ~undetermined[tile]
            ends = chosen.limits(piece.where(known), confidence)
            low[tile][known], high[tile][known] = ends.low, ends.high
        else:
            ends = chosen.limits(piece, confidence)
            low[tile], high[tile] = ends.low, ends.high

    each_tile(estimate.shape, limits)
    if holes:
        estimate[undetermined] = 0.0
    empty = int(undetermined.sum())
    remark = (
        f"{empty} of {undetermined.size} are undetermined: fewer than {chosen.least} models with "
        "the example, or without it"
    )
    named = {"0/1": "", "[0, 1]": "soft ", "unbounded": "unbounded "}[arms.kind]
    included = float(arms.n_in.mean()) / len(observed.included)
    rate = f"subset({included:.2g})" if estimand == "subset" else "loo"
    return result(
        estimate=estimate,
        confidence_interval=ConfidenceInterval(low, high),
        confidence_level=confidence,
        estimand=named + rate,
        arms=arms,
        models=observed.included.shape[0],
        method=chosen.words(),
        assumptions=chosen.assumptions,
        warnings=(remark,) if holes else (),
        undetermined=undetermined,
    )
