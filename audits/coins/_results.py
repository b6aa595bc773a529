"""What an audit by coins finds: a question's bound, and what the models are still good for."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int
from scipy.stats import binomtest

from audits.coins._settings import DELTAS
from audits.report._words import ReferenceName
from estimators import CoinEpsilon

CoinFinding = Literal["convicted", "nothing found", "undetermined", "assumption refuted"]


@dataclass(frozen=True, eq=False)
class CoinQuestion:
    """One question, and the bound that answers it.

    Attributes:
        question: ``untraining``: against procedures that are run without the forget set S;
            ``unlearning``: without any candidate, found or not.
        result: the bound, with all it rests on.
        parts: which candidates were tested, in words, one after the other.
        refuted: whether the assumption that takes the place of coins was found not to hold.
    """

    question: ReferenceName
    result: CoinEpsilon
    parts: tuple[str, ...]
    refuted: bool = False

    @property
    def bound(self) -> float:
        """Epsilon is at least this, at the delta of ``result``; 0 says nothing."""
        return 0.0 if self.refuted else float(self.result.bound)

    @property
    def finding(self) -> CoinFinding:
        """What follows."""
        if self.refuted:
            return "assumption refuted"
        if self.bound > 0.0:
            return "convicted"
        return "undetermined" if bool(self.result.undetermined) else "nothing found"

    @property
    def at(self) -> tuple[tuple[float, float], ...]:
        """Pairs of a delta and the bound there, all of which hold together."""
        if self.refuted:
            return ()
        found = [(delta, self.result.at(delta)) for delta in DELTAS]
        return tuple((delta, bound) for delta, bound in found if bound > 0.0)

    @property
    def log10_pvalue(self) -> float:
        """The p-value's logarithm to base 10; of several models that of the first rank declared."""
        ordered = np.sort(self.result.log_pvalues)
        return float(ordered[self.result.ranks[0] - 1]) / float(np.log(10.0))


@dataclass(frozen=True)
class Utility:
    """How often models are right, so that a destroyed model is seen to be one.

    Attributes:
        group: of examples, ``retain`` or ``test``.
        examples: how many.
        right: how many of them each model has right.
        accuracy: mean over models.
        low: lower end of an interval for the accuracy of every model at once.
        high: upper end.
    """

    group: str
    examples: int
    right: tuple[int, ...]
    accuracy: float
    low: float
    high: float


def utility_of(
    group: str, right: Int[np.ndarray, " models"], examples: int, confidence: float
) -> Utility:
    """Accuracy with the exact interval of Clopper and Pearson, over examples like these.

    Args:
        group: of examples.
        right: how many each model has right.
        examples: how many there are.
        confidence: of the interval, for all models at once.
    """
    each = 1.0 - (1.0 - confidence) / len(right)
    counts = tuple(int(count) for count in right)
    ends = [binomtest(count, examples).proportion_ci(each, "exact") for count in counts]
    return Utility(
        group,
        examples,
        counts,
        float(right.mean() / examples),
        float(min(end.low for end in ends)),
        float(max(end.high for end in ends)),
    )
