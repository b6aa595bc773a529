"""Which of the note's cases a forget set is: what training on it did to itself and to others.

O, T and A(D∖B) are populations in which S and B were left out as blocks. Between O and T the block
S alone differs: the change of mean correctness on S is its self-influence, that on other examples
its cross-influence. Models are the unit: each contributes one mean over the probes of a group.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from audits.verdict._columns import Block, median_margins
from audits.verdict._compare import compare
from audits.verdict._results import Comparison, Separation
from audits.verdict._rule import separate
from estimators import ConfidenceInterval, CrossInfluence, PseudoCountWelch, Result, cross_influence
from oracles import PROBE_GROUPS, Observations, References

if TYPE_CHECKING:
    import pandas as pd

Case = Literal[
    "low self-influence, low cross-influence",
    "high self-influence, low cross-influence",
    "high self-influence, high cross-influence",
    "low self-influence, high cross-influence",
    "undetermined",
]
"""The three cases of section 5 of the note, the fourth that it holds to be impossible, or none."""

_OTHERS = ("behaviour", "behaviour_test")


@dataclass(frozen=True, eq=False)
class InfluenceCase(Result):
    """Self- and cross-influence of a forget set, with intervals that hold together.

    Attributes:
        case: the case, or ``undetermined``.
        groups: probe groups.
        estimate: influence of S on the mean correctness on each group: O less T.
        confidence_interval: two-sided, simultaneous over the groups.
        whole: influence of all of B on each group: O less A(D∖B).
        whole_interval: two-sided, simultaneous over the groups.
        threshold: influence from which on it is high.
        confidence_level: of each family of intervals.
        references: T against A(D∖B): whether they can be told apart with this many models.
        separation: that comparison's answer.
        models: models of O, T and A(D∖B).
        assumptions: what the intervals rest on.
        warnings: what a reader should know.
    """

    case: Case
    groups: tuple[str, ...]
    estimate: Float[np.ndarray, " groups"]
    confidence_interval: ConfidenceInterval
    whole: Float[np.ndarray, " groups"]
    whole_interval: ConfidenceInterval
    threshold: float
    confidence_level: float
    references: Comparison
    separation: Separation
    models: tuple[int, int, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def _title(self) -> str:
        sizes = ", ".join(f"{count:,}" for count in self.models)
        told = {
            "separated": "can be told apart",
            "coincide": "coincide",
            "unresolved": "cannot be told apart yet",
        }[self.separation]
        return (
            f"{self.case} (high from {self.threshold:g}), {100 * self.confidence_level:g} % "
            f"intervals from {sizes} models; the references {told}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row a probe group."""
        import pandas as pd

        return pd.DataFrame(
            {
                "group": self.groups,
                "influence of S": self.estimate,
                "low": self.confidence_interval.low,
                "high": self.confidence_interval.high,
                "influence of B": self.whole,
                "low of B": self.whole_interval.low,
                "high of B": self.whole_interval.high,
            }
        )


def influence_case(
    references: References,
    *,
    threshold: float = 0.25,
    epsilon: float = 1.0,
    tolerance: float = 0.2,
    confidence: float = 0.95,
) -> InfluenceCase:
    """Self- and cross-influence of the forget set, and which of the note's cases that is.

    Self-influence is the change on S itself; cross-influence the greater of the changes on B∖S and
    on fresh instances of the behaviour, where there are such probes.

    Args:
        references: the populations O, T and A(D∖B).
        threshold: influence from which on it is high, in (0, 1); a quarter is Feldman and Zhang's.
        epsilon: at which the references are compared with each other.
        tolerance: of that comparison.
        confidence: of each family of intervals, and of that comparison.

    Returns:
        The case: determined when the intervals of self- and of cross-influence both lie on one
        side of the threshold.

    Raises:
        ValueError: when a number is out of range.

    Example:
        >>> from indist import audits, oracles
        >>> world = oracles.scenarios.load("circles", seed=0)
        >>> refs = oracles.references(world, models=40, seed=0)
        >>> audits.influence_case(refs).groups[0]
        'forget'

    References:
        "Is your algorithm unlearning or untraining?" (2026), section 5 and definitions 3.1 and 3.2;
        Kulynych et al. (2025) for cross-influence.
    """
    if not 0.0 < threshold < 1.0:
        raise ValueError(f"threshold: expected a number in (0, 1), found {threshold}")
    present = set(references.probes.groups)
    groups = tuple(group for group in PROBE_GROUPS if group in present)
    parts = (references.original, references.untraining, references.unlearning)
    seen = [part.observe(references.probes) for part in parts]
    right = [_accuracy(population, groups) for population in seen]
    each = 1.0 - (1.0 - confidence) / len(groups)
    alone, whole = (_difference(right[0], other, each) for other in right[1:])
    ends = alone.confidence_interval
    low, high = ends.low[0], ends.high[0]
    others = [groups.index(group) for group in _OTHERS if group in present]
    observed = [median_margins(population) for population in seen[1:]]
    between = compare(
        [Block.of(*observed)],
        names=("untraining", "unlearning"),
        epsilon=epsilon,
        tolerance=tolerance,
        confidence=confidence,
        seed=0,
    )
    return InfluenceCase(
        case=_case(
            _side(low[0], high[0], threshold),
            _side(low[others].max(initial=0.0), high[others].max(initial=0.0), threshold),
        ),
        groups=groups,
        estimate=alone.estimate[0],
        confidence_interval=ConfidenceInterval(low, high),
        whole=whole.estimate[0],
        whole_interval=ConfidenceInterval(
            whole.confidence_interval.low[0], whole.confidence_interval.high[0]
        ),
        threshold=threshold,
        confidence_level=confidence,
        references=between,
        separation=separate(between.decision),
        models=(parts[0].models, parts[1].models, parts[2].models),
        assumptions=alone.assumptions,
        warnings=()
        if others
        else ("no probes of the behaviour outside S: cross-influence was not seen",),
    )


def _accuracy(seen: Observations, groups: tuple[str, ...]) -> Float[np.ndarray, "models groups"]:
    return np.stack(
        [seen.correct[:, seen.groups == group].mean(axis=1) for group in groups], axis=1
    )


def _difference(
    first: Float[np.ndarray, "n groups"], second: Float[np.ndarray, "m groups"], confidence: float
) -> CrossInfluence:
    included = np.arange(len(first) + len(second))[:, None] < len(first)
    return cross_influence(
        included,
        np.concatenate([first, second]),
        confidence=confidence,
        method=PseudoCountWelch(),
        estimand="loo",
    )


def _side(low: float, high: float, threshold: float) -> Literal["low", "high"] | None:
    if low >= threshold:
        return "high"
    return "low" if high < threshold else None


def _case(own: str | None, cross: str | None) -> Case:
    if own is None or cross is None:
        return "undetermined"
    cases: dict[tuple[str, str], Case] = {
        ("low", "low"): "low self-influence, low cross-influence",
        ("high", "low"): "high self-influence, low cross-influence",
        ("high", "high"): "high self-influence, high cross-influence",
        ("low", "high"): "low self-influence, high cross-influence",
    }
    return cases[own, cross]
