"""What each published score says of a perfect unlearner, and whether bad ones read differently."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import binomtest

from audits.memorization import Estimate
from estimators.checks import check_counts
from indist.studies._cells import finished_cell
from indist.studies._rows import Record, StudyRow
from indist.studies._shown import shown_interval
from indist.studies._study import Shown, Study
from indist.studies.scores._pools import BAD, Pools
from indist.studies.scores._score_forms import FORMS, ScoreForm

BAR = 0.9
_ALPHA = 0.05


NullFinding = Literal["tells", "cannot tell", "undetermined"]


class Readings(NamedTuple):
    """Quantiles of a score over simulations: 2.5, 50 and 97.5 %.

    Attributes:
        low: 2.5 %.
        median: 50 %.
        high: 97.5 %.
        failed: share that the published decision fails; None where there is none.
    """

    low: float
    median: float
    high: float
    failed: float | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreTold(StudyRow):
    """What every row says of a score at a number of models, asked a question.

    Attributes:
        score: its name.
        models: on each side.
        question: ``untraining`` or ``unlearning``.
        family: what kind of score it is.
        reading: how papers read it.
        decision: the published rule that fails a submission, in words; empty for none.
        simulations: how many.
        pool: models in each pool.
        bar: of the AUC.
        confidence: of all of the table at once.
    """

    score: str
    models: int
    question: str
    family: str
    reading: str
    decision: str = ""
    simulations: int
    pool: int
    bar: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class NullRow(ScoreTold):
    """What a score says of a perfect unlearner and of bad ones.

    Attributes:
        perfect: its values for a perfect unlearner.
        identity: for one that does nothing.
        half: for one that does its work on half of the models.
        neggrad: for NegGrad+.
        retrain: for retraining on D∖S, where that is bad.
        identity_auc: the chance that a perfect one reads better than the bad one.
        half_auc: the same.
        neggrad_auc: the same.
        retrain_auc: the same.
        finding: by the rule of `ScoreNulls`.
    """

    perfect: Readings
    identity: Readings
    half: Readings
    neggrad: Readings
    retrain: Readings | None = None
    identity_auc: Estimate
    half_auc: Estimate
    neggrad_auc: Estimate
    retrain_auc: Estimate | None = None
    finding: NullFinding

    @property
    def aucs(self) -> dict[str, Estimate]:
        """By bad unlearner of the row's question."""
        return {bad: getattr(self, f"{bad}_auc") for bad in BAD[self.question]}


@dataclass(frozen=True, kw_only=True)
class CostlyRow(ScoreTold):
    """A score that was not computed at this number of models, and why."""

    not_applicable: str


@dataclass(frozen=True)
class ScoreNulls(Study[NullRow | CostlyRow]):
    """Published scores of a perfect unlearner, and of bad ones, at several numbers of models.

    The truth is known exactly: each population is the uniform law over the models of a pool, of
    scenario ``circles`` at γ = 1/2, and models are drawn from it with replacement. So a perfect
    unlearner is perfect, and simulations are independent of each other: none shares a draw with
    another, and all intervals are exact. What they do not hold is how a fresh pool would differ:
    scores near the bar could move by about the square root of N over the pool's size.

    In each simulation N models of the reference, of a perfect unlearner (fresh draws of the
    reference's own law) and of each bad one are scored. The AUC is the chance that the perfect one
    reads better than the bad one against the same reference, ties broken by a fair coin; its
    interval is Clopper and Pearson's. The rule, fixed before any run:

    - ``tells``: for every bad unlearner the interval lies above 0.9;
    - ``cannot tell``: for some bad unlearner it lies below 0.9;
    - ``undetermined``: otherwise.

    All intervals of the table hold at once with 95 % confidence (Bonferroni), and so do all
    findings. A score that a paper computes against retrained models is computed here against each
    question's reference: A(D∖S) for untraining, A(D∖B) for unlearning.

    Attributes:
        models: in each pool, at least 2.
        sizes: numbers of models N on each side of a score; at least 8.
        simulations: of each row; below about 110 no interval of a full table lies above 0.9.
        attacked: models of each pool that attacks on one model are run against, which cost most;
            results are drawn from theirs.
        seed: of data, pools and simulations; unlearners take the next one.
    """

    question: ClassVar = "Can published scores tell a perfect unlearner from a bad one?"
    quick: ClassVar = {"models": 512, "sizes": (64, 128), "simulations": 100, "attacked": 256}
    kinds: ClassVar = (NullRow, CostlyRow)
    names: ClassVar = ("score", "models", "question")

    models: int = 2048
    sizes: tuple[int, ...] = (64, 128, 256, 512)
    simulations: int = 120
    attacked: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(models=self.models, simulations=self.simulations)
        if not self.sizes or min(self.sizes) < 8:
            raise ValueError(f"sizes: expected numbers of at least 8, found {self.sizes}")
        if self.attacked < 1 or self.models % self.attacked:
            raise ValueError(
                f"attacked: expected a divisor of {self.models}, found {self.attacked}"
            )

    @property
    def confidence(self) -> float:
        """Of each interval, so that all of the table hold at once; rows tell that of the table."""
        cells = sum(not form.most or size <= form.most for form in FORMS for size in self.sizes)
        return 1.0 - _ALPHA / (cells * sum(map(len, BAD.values())))

    def run(self, folder: Path) -> Iterator[NullRow | CostlyRow]:
        """A row a number of models, question and score; see `Study.run`."""
        pools = Pools(folder, self.models, self.attacked, self.seed)
        for size in self.sizes:
            for question in BAD:
                values = finished_cell(
                    folder / "cells" / str(size) / f"{question}.json",
                    self._cell_settings(size) | {"question": question},
                    lambda size=size, question=question: self._values(pools, size, question),
                )
                for form in FORMS:
                    yield self._row(form, size, question, values)

    def _cell_settings(self, size: int) -> dict[str, Any]:
        numbers = {name: value for name, value in asdict(self).items() if name != "sizes"}
        return numbers | {"size": size, "bad": BAD, "scores": [form.name for form in FORMS]}

    def _values(self, pools: Pools, size: int, question: str) -> Record:
        """Each score's value in each simulation: of the perfect unlearner, then of each bad one."""
        values: Record = {form.name: [] for form in FORMS if not form.most or size <= form.most}
        for i in range(self.simulations):
            rng = np.random.default_rng([self.seed, size, list(BAD).index(question), i])
            cases = list(pools.cases(question, size, rng))
            for form in FORMS:
                if form.name in values:
                    values[form.name].append([form.value(case) for case in cases])
        return values

    def _row(
        self, form: ScoreForm, size: int, question: str, values: Mapping[str, Any]
    ) -> NullRow | CostlyRow:
        about: dict[str, Any] = {
            "score": form.name,
            "models": size,
            "question": question,
            "family": form.family,
            "reading": form.read,
            "decision": form.decision,
            "simulations": self.simulations,
            "pool": self.models,
            "bar": BAR,
            "confidence": 1.0 - _ALPHA,
        }
        if form.name not in values:
            why = f"costs too much beyond {form.most} models a side"
            return CostlyRow(**about, not_applicable=why)
        seed = [self.seed, size, list(BAD).index(question)]
        summary = summarised(
            form,
            np.array(values[form.name]),
            np.random.default_rng(seed).random(self.simulations) < 0.5,
            BAD[question],
            self.confidence,
        )
        about |= summary.readings | {f"{bad}_auc": auc for bad, auc in summary.aucs.items()}
        return NullRow(**about, finding=summary.finding)

    def _shown(self, rows: list[NullRow | CostlyRow]) -> Shown:
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            if isinstance(row, CostlyRow):
                continue
            low, median, high, _ = row.perfect
            title = f"{row.question}: median and range of a perfect unlearner; AUC from bad ones"
            parts.setdefault(title, []).append(
                {
                    "score": row.score,
                    "models": f"{row.models:g}",
                    "read": row.reading,
                    "perfect": f"{median:.3g} [{low:.3g}, {high:.3g}]",
                }
                | {f"AUC, {bad}": shown_interval(*auc) for bad, auc in row.aucs.items()}
                | {"finding": row.finding}
            )
        return parts

    def _answer(self, rows: list[NullRow | CostlyRow]) -> tuple[str, ...]:
        sentences: list[str] = []
        for question in BAD:
            asked = [row for row in rows if isinstance(row, NullRow) and row.question == question]
            findings: dict[str, dict[int, str]] = {}
            for row in asked:
                findings.setdefault(row.score, {})[row.models] = row.finding
            if not findings:
                continue
            greatest = max(row.models for row in asked)
            for finding, words in (
                ("tells", "tell a perfect unlearner from every bad one (from that many models on)"),
                ("cannot tell", f"cannot at the most models tried, up to {greatest}"),
                ("undetermined", "are undetermined there; more simulations would decide"),
            ):
                named = [
                    f"{name} ({first_telling(by_size)})" if finding == "tells" else name
                    for name, by_size in findings.items()
                    if by_size[max(by_size)] == finding
                ]
                sentences.append(f"{question.capitalize()}: {', '.join(named) or 'none'} {words}.")
            for bad in BAD[question]:
                worse = {row.score: None for row in asked if row.aucs[bad].high < 0.5}
                if worse:
                    sentences.append(
                        f"{question.capitalize()}: {', '.join(worse)} read {bad} as better than a "
                        "perfect unlearner more often than not, at some number of models."
                    )
        return tuple(sentences)


def first_telling(findings: Mapping[int, str]) -> int:
    """The number of models from which on a score tells, from its finding at each."""
    failed = [size for size, finding in findings.items() if finding != "tells"]
    return min(size for size in findings if size > max(failed, default=0))


class Summary(NamedTuple):
    """Simulations of a score.

    Attributes:
        readings: of the perfect unlearner and of each bad one.
        aucs: of each bad one.
        finding: by the rule of `ScoreNulls`.
    """

    readings: dict[str, Readings]
    aucs: dict[str, Estimate]
    finding: NullFinding


def summarised(
    form: ScoreForm,
    values: Float[np.ndarray, "simulations who"],
    coins: Bool[np.ndarray, " simulations"],
    bad: Sequence[str],
    confidence: float,
) -> Summary:
    """Quantiles of each, AUCs, rates of the published decision, and the finding.

    Args:
        form: the score.
        values: of the perfect unlearner, then of each bad one.
        coins: break ties.
        bad: names of the bad ones.
        confidence: of each AUC's interval.
    """
    readings: dict[str, Readings] = {}
    for name, column in zip(("perfect", *bad), values.T, strict=True):
        low, median, high = (float(end) for end in np.quantile(column, [0.025, 0.5, 0.975]))
        failed = None
        if form.fails is not None:
            failed = float(np.mean([form.fails(float(value)) for value in column]))
        readings[name] = Readings(low, median, high, failed)
    badness = np.array([[form.badness(float(value)) for value in line] for line in values])
    aucs: dict[str, Estimate] = {}
    for name, column in zip(bad, badness.T[1:], strict=True):
        wins = (badness[:, 0] < column) | ((badness[:, 0] == column) & coins)
        ends = binomtest(int(wins.sum()), len(wins)).proportion_ci(confidence, method="exact")
        aucs[name] = Estimate(float(wins.mean()), float(ends.low), float(ends.high))
    return Summary(readings, aucs, null_finding(list(aucs.values())))


def null_finding(aucs: Sequence[Estimate]) -> NullFinding:
    """The finding of a row from its AUCs: see `ScoreNulls`.

    Example:
        >>> null_finding([Estimate(1.0, 0.91, 1.0), Estimate(1.0, 0.95, 1.0)])
        'tells'
        >>> null_finding([Estimate(1.0, 0.91, 1.0), Estimate(0.5, 0.4, 0.6)])
        'cannot tell'
    """
    if all(auc.low > BAR for auc in aucs):
        return "tells"
    return "cannot tell" if any(auc.high < BAR for auc in aucs) else "undetermined"
