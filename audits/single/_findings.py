"""What one submitted model was found to be consistent with, and the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool

from audits.verdict._observables import Observables
from audits.verdict._results import Provenance, ReferenceName
from audits.verdict._terminal import filled
from audits.verdict._words import WITHOUT
from oracles import Observations

if TYPE_CHECKING:
    import pandas as pd

REFERENCES: tuple[ReferenceName, ReferenceName] = ("untraining", "unlearning")
_NOTHING_OF_THE_ALGORITHM = (
    "One model says nothing of the distribution that its algorithm makes: no epsilon, no delta and "
    "no likeness follow from it."
)

Rank = Literal["consistent", "inconsistent", "undecided"]


@dataclass(frozen=True)
class GroupRank:
    """The submitted model among the reference's, by its median margin on one probe group.

    Attributes:
        observable: such as ``median margin on forget``.
        value: of the submitted model.
        low: the reference's least.
        high: the reference's greatest.
        below: reference models at or below the value.
        above: reference models at or above it.
        pvalue: two-sided and exact, with Bonferroni's correction for all observables.
    """

    observable: str
    value: float
    low: float
    high: float
    below: int
    above: int
    pvalue: float


@dataclass(frozen=True, eq=False)
class RankTest:
    """The submitted model against the models of one reference.

    Attributes:
        reference: ``untraining`` or ``unlearning``.
        models: how many the reference holds, N.
        pvalue: exact test by the greatest deviation over the observables; at least 1 / (N + 1).
        level: alpha over 2, as there are two references.
        finding: ``inconsistent`` if the p-value is at most the level; ``undecided`` if
            1 / (N + 1) is above it; else ``consistent``, which is no proof of likeness.
        groups: the rank on each observable.
        outside: which probes, in the references' order, have a margin beyond all N models'.
        outside_pvalue: exact test of how many they are, beside the declared one.
    """

    reference: ReferenceName
    models: int
    pvalue: float
    level: float
    finding: Rank
    groups: tuple[GroupRank, ...]
    outside: Bool[np.ndarray, " probes"]
    outside_pvalue: float

    @property
    def outside_expected(self) -> float:
        """On about how many probes one of the reference's own models would be outside."""
        return 2.0 * len(self.outside) / (self.models + 1)


@dataclass(frozen=True)
class ErrorRate:
    """How often the likelihood ratio points away from the models of a reference.

    Attributes:
        errors: of the held-out models.
        models: held-out models.
        low: lower end of the exact interval of the rate.
        high: upper end.
    """

    errors: int
    models: int
    low: float
    high: float


@dataclass(frozen=True)
class LikelihoodRatio:
    """ln of the untraining reference's density over the unlearning one's, and its error rates.

    Attributes:
        value: at the submitted model's median margins, in nats; above 0 towards untraining.
        towards: where it points, None at 0.
        untraining: of held-out models without the forget set, how many it sends to unlearning.
        unlearning: of held-out models without the behaviour, how many it sends to untraining.
        pvalue_untraining: share of held-out untraining models that look at least as much like
            unlearning, the submitted one counted: exact and one-sided.
        pvalue_unlearning: the same with the references exchanged.
        confidence: of the intervals.
    """

    value: float
    towards: ReferenceName | None
    untraining: ErrorRate
    unlearning: ErrorRate
    pvalue_untraining: float
    pvalue_unlearning: float
    confidence: float


@dataclass(frozen=True, eq=False, repr=False)
class SingleAudit:
    """What can be said of one submitted model. `str` of it is the whole answer in plain text.

    Attributes:
        untraining: its rank among models trained without the forget set.
        unlearning: its rank among models trained without the behaviour.
        ratio: the likelihood ratio between the references; None with too few models of either.
        confidence: one minus alpha, over both references.
        provenance: where the numbers came from.
        observables: of the submission and of each reference, as declared.
        observations: what was seen, the submission's at the references' probes.
        warnings: what a reader should know.
    """

    untraining: RankTest
    unlearning: RankTest
    ratio: LikelihoodRatio | None
    confidence: float
    provenance: Provenance
    observables: Mapping[str, Observables]
    observations: Mapping[str, Observations]
    warnings: tuple[str, ...]

    @property
    def headline(self) -> str:
        """What the model is consistent with, in brief."""
        first, second = _claim(self.untraining), _claim(self.unlearning, "it")
        return f"{first}. {second}."

    @property
    def sentence(self) -> str:
        """What the model is consistent with, and what cannot be concluded."""
        parts = [_against(self.untraining), _against(self.unlearning)]
        if self.ratio is not None:
            parts.append(_ratio(self.ratio))
        findings = {self.untraining.finding, self.unlearning.finding}
        if findings == {"consistent"}:
            parts.append("Being consistent with both, it is not decided which it is like.")
        return " ".join([*parts, _NOTHING_OF_THE_ALGORITHM])

    def to_dataframe(self) -> "pd.DataFrame":
        """The evidence of each probe.

        Returns:
            Columns ``id``, ``group``, ``margin``, and for each reference its least and greatest
            margin, whether the submitted model's lies ``outside`` of them, and its two-sided exact
            ``pvalue`` among them, of this probe alone.
        """
        import pandas as pd

        seen = self.observations["submission"]
        columns = {"id": seen.ids, "group": seen.groups, "margin": seen.margins[0]}
        for test in (self.untraining, self.unlearning):
            margins = self.observations[test.reference].margins
            own = columns["margin"]
            fewer = np.minimum((margins <= own).sum(axis=0), (margins >= own).sum(axis=0))
            columns |= {
                f"{test.reference}_low": margins.min(axis=0),
                f"{test.reference}_high": margins.max(axis=0),
                f"outside_{test.reference}": test.outside,
                f"pvalue_{test.reference}": np.minimum(1.0, 2.0 * (1 + fewer) / (1 + len(margins))),
            }
        return pd.DataFrame(columns)

    def report(self, directory: Path | str) -> None:
        """Writes ``report.html``, ``report.md`` and, last, ``single.json`` with every number.

        Args:
            directory: the folder; made when missing, and older files of these names replaced.

        Raises:
            OSError: as the file system does; no file is ever half-written.
        """
        from audits.report import write_single

        write_single(self, Path(directory))

    def __str__(self) -> str:
        lines = [filled(self.sentence), ""]
        for test in (self.untraining, self.unlearning):
            lines.append(
                f"{test.reference}: outside the range of its {test.models} models on "
                f"{int(test.outside.sum())} of {len(test.outside)} probes, where one of them "
                f"would be on about {test.outside_expected:.3g} (p = {test.outside_pvalue:.2g})"
            )
            lines += [
                f"  {one.observable}: {one.value:.3f}, reference {one.low:.3f} to {one.high:.3f}, "
                f"p = {one.pvalue:.2g}"
                for one in test.groups
            ]
        lines += [f"\n{filled(f'Warning: {text}')}" for text in self.warnings]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"SingleAudit({self.provenance.submission!r}, untraining {self.untraining.finding}, "
            f"unlearning {self.unlearning.finding})"
        )


def _claim(test: RankTest, who: str = "the submitted model") -> str:
    without = WITHOUT[test.reference]
    if test.finding == "undecided":
        return f"It cannot be told whether {who} is consistent with {without}"
    return f"{who[0].upper()}{who[1:]} is {test.finding} with {without}"


def _against(test: RankTest) -> str:
    floor = 1.0 / (test.models + 1)
    tested = (
        f"exact rank test on {len(test.groups)} observables against {test.models} models, p = "
        f"{test.pvalue:.2g}, never below {floor:.2g}"
    )
    if test.finding == "undecided":
        needed = int(np.ceil(1.0 / test.level - 1e-9)) - 1
        return (
            f"{_claim(test)} ({tested}): the level {test.level:.3g} is out of reach with fewer "
            f"than {needed:,} models."
        )
    if test.finding == "inconsistent":
        far = min(test.groups, key=lambda one: one.pvalue)
        where = f"{far.value:.3g} where theirs are {far.low:.3g} to {far.high:.3g}"
        tested += f"; farthest in the {far.observable}, {where}"
    return f"{_claim(test)} ({tested})."


def _ratio(ratio: LikelihoodRatio) -> str:
    rates = [
        f"{rate.errors} of {rate.models} held-out {WITHOUT[name]} "
        f"({100 * rate.low:.2g} to {100 * rate.high:.2g} %)"
        for name, rate in zip(REFERENCES, (ratio.untraining, ratio.unlearning), strict=True)
    ]
    if ratio.towards is None:
        return "The likelihood ratio of the two references points to neither."
    return (
        f"The likelihood ratio of the two references points to {ratio.towards} (its ln is "
        f"{ratio.value:+.2g}); it errs on {rates[0]} and on {rates[1]}, and says nothing of models "
        "that are neither."
    )
