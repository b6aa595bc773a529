"""Which published score ranks algorithms as the true divergence does, where that is known."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit
from scipy.stats import rankdata

from audits.memorization import Estimate
from estimators.checks import check_counts, check_within
from indist.studies._cells import finished_cell
from indist.studies._rows import Record, StudyRow
from indist.studies._shown import shown_interval
from indist.studies._study import Shown, Study
from indist.studies.scores._gaussian_populations import GaussianPopulations
from indist.studies.scores._grade_forms import GRADES
from indist.studies.scores._score_forms import FORMS, Case, ScoreForm, SeenModels

SCORES = (*FORMS, *GRADES)
"""Published ones, and last an audit's estimate and its grades."""
QUESTIONS = ("untraining", "unlearning")
BAR = 0.8
_ALPHA = 0.05
_APART = 0.1
RankFinding = Literal["ranks like it", "does not", "undetermined"]


class Ranking(NamedTuple):
    """How a score ranks algorithms.

    Attributes:
        tau: Kendall's τ-a with the true distance.
        spearman: Spearman's ρ with it.
        finding: by the rule of `MetricAudit`.
    """

    tau: Estimate
    spearman: float
    finding: RankFinding


@dataclass(frozen=True, kw_only=True)
class ScoreRankingRow(StudyRow):
    """A score against a reference, for a question.

    Attributes:
        score: its name.
        reference: that it is computed against, or "none".
        question: whose true distance it is held against.
        family: what kind of score it is.
        reading: how papers read it.
        models: in each population.
        replicates: fresh sets of populations.
        algorithms: how many are ranked.
        bar: of τ.
        confidence: of all of the table at once.
        truths_tau: τ of the two true rankings with each other.
        tau: as in `Ranking`.
        spearman: as in `Ranking`.
        finding: as in `Ranking`.
    """

    score: str
    reference: str
    question: str
    family: str
    reading: str
    models: int
    replicates: int
    algorithms: int
    bar: float
    confidence: float
    truths_tau: float
    tau: Estimate
    spearman: float
    finding: RankFinding


@dataclass(frozen=True)
class MetricAudit(Study[ScoreRankingRow]):
    r"""Rank correlation of each published score with the exact divergence, for both questions.

    Scenario ``logistic-3v8`` at γ = 1/2, with the learner of descent-to-delete: a model is the
    minimum of a strongly convex loss plus noise $N(0, \sigma^2 I)$. `METHODS` run on the minimum
    without any randomness and their result is published with the same noise, as are `EXACT`; so
    every population is a Gaussian, and the true distance of two is their shift
    $\mu = \|w - w'\|/\sigma$, in which δ at every ε rises (`oracles.mechanisms.Gaussian`). The
    noise is such that the original lies ``shift`` from A(D∖B).

    In each replicate fresh models of all populations are drawn; each score, turned so that greater
    reads as worse, is held against μ to A(D∖S) and μ to A(D∖B) of all algorithms. τ is the share of
    pairs of algorithms in the right order less the share in the wrong one (Kendall's τ-a); ties of
    the score count in neither, and pairs whose true shifts differ by less than 0.1 are left out.
    ρ is Spearman's, over all. A score that takes a reference is computed against either one: papers
    retrain on D∖S. Beside the published ones stand what `audits.audit` estimates and its grades.

    Intervals are of the mean τ over fresh models, by Student's t over independent replicates, all
    of the table at once with 95 % confidence (Bonferroni). The rule, fixed before any run:

    - ``ranks like it``: the interval lies above 0.8, one pair in ten in the wrong order;
    - ``does not``: it lies below 0.8;
    - ``undetermined``: otherwise.

    Strengths were chosen by their true distances alone, before any score was computed.

    Attributes:
        models: in each population, at least 8.
        replicates: fresh sets of populations, at least 2.
        attacked: models of each population that attacks on one model are run against.
        shift: μ of the original from A(D∖B), over 0.
        seed: of data and models.
    """

    question: ClassVar = "Which published scores rank algorithms as the true divergence does?"
    quick: ClassVar = {"models": 64, "replicates": 12}
    kinds: ClassVar = (ScoreRankingRow,)
    names: ClassVar = ("score", "reference", "question")

    models: int = 128
    replicates: int = 40
    attacked: int = 8
    shift: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(attacked=self.attacked)
        check_within("(0, inf)", shift=self.shift)
        check_counts(least=max(8, self.attacked), models=self.models)
        check_counts(least=2, replicates=self.replicates)

    @property
    def confidence(self) -> float:
        """Of each interval, so that all of the table hold at once."""
        return 1.0 - _ALPHA / sum(len(_references(form)) * len(QUESTIONS) for form in SCORES)

    def run(self, folder: Path) -> Iterator[ScoreRankingRow]:
        """A row a score, reference and question; see `Study.run`."""
        populations = GaussianPopulations(folder, self.models, self.attacked, self.shift, self.seed)
        replicates = [
            finished_cell(
                folder / "cells" / f"{i}.json",
                asdict(self) | {"replicate": i, "scores": [form.name for form in SCORES]},
                lambda i=i: self._replicate(populations, i),
            )
            for i in range(self.replicates)
        ]
        for form in SCORES:
            for reference in _references(form):
                values = [cell["values"][form.name][reference] for cell in replicates]
                for question in QUESTIONS:
                    truth = np.array(replicates[0]["truths"][question])
                    ranking = ranking_of(form, np.array(values), truth, self.confidence)
                    yield ScoreRankingRow(
                        score=form.name,
                        reference=reference,
                        question=question,
                        family=form.family,
                        reading=form.read,
                        models=self.models,
                        replicates=self.replicates,
                        algorithms=len(truth),
                        bar=BAR,
                        confidence=1.0 - _ALPHA,
                        truths_tau=kendall(*map(np.array, replicates[0]["truths"].values())),
                        **ranking._asdict(),
                    )

    def _replicate(self, populations: GaussianPopulations, number: int) -> Record:
        """Each score of each algorithm, and the truths."""
        rng = np.random.default_rng([self.seed, number])
        references = {name: populations.drawn(populations.secrets[name], rng) for name in QUESTIONS}
        original = populations.drawn(populations.secrets["original"], rng)
        pairs = [
            (populations.drawn(ours, rng), SeenModels(populations.margins(twin, rng), {}))
            for ours, twin in zip(populations.algorithms, populations.twins, strict=True)
        ]
        groups = populations.groups
        values = {
            form.name: {
                name: [
                    form.value(Case(groups, *pair, references.get(name, original), original))
                    for pair in pairs
                ]
                for name in _references(form)
            }
            for form in SCORES
        }
        truths = {
            name: [
                populations.apart(secret, populations.secrets[name])
                for secret in populations.algorithms
            ]
            for name in QUESTIONS
        }
        return {"values": values, "truths": truths}

    def _shown(self, rows: list[ScoreRankingRow]) -> Shown:
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            title = f"{row.question}: rank correlation with the true distance"
            parts.setdefault(title, []).append(
                {
                    "score": row.score,
                    "against": row.reference,
                    "τ": shown_interval(*row.tau),
                    "ρ": f"{row.spearman:.2f}",
                    "finding": row.finding,
                }
            )
        return parts

    def _answer(self, rows: list[ScoreRankingRow]) -> tuple[str, ...]:
        sentences: list[str] = []
        for question in QUESTIONS:
            for finding, words in (
                ("ranks like it", "rank algorithms as the true distance does"),
                ("undetermined", "are undetermined; more replicates would decide"),
            ):
                named = [
                    f"{row.score} (against {row.reference}, {shown_interval(*row.tau)})"
                    for row in rows
                    if (row.question, row.finding) == (question, finding)
                ]
                if named or finding == "ranks like it":
                    listed = ", ".join(named) or "no score"
                    sentences.append(f"{question.capitalize()}: {listed}: {words}.")
        published = [row for row in rows if row.reference != "unlearning"]
        followed = {
            name: follows([row for row in published if row.score == name])
            for name in dict.fromkeys(row.score for row in published)
        }
        for question in QUESTIONS:
            listed = ", ".join(name for name, truth in followed.items() if truth == question)
            sentences.append(
                f"Computed against models retrained on D∖S, or against none, as published, surely "
                f"nearer to the true ranking of {question} than to the other: {listed or 'none'}."
            )
        if rows:
            sentences.append(
                f"The two true rankings have τ = {rows[0].truths_tau:.2f} with each other: a "
                "score cannot follow both."
            )
        return tuple(sentences)


def _references(form: ScoreForm) -> tuple[str, ...]:
    return QUESTIONS if form.compares else ("none",)


def kendall(score: Float[np.ndarray, " n"], truth: Float[np.ndarray, " n"]) -> float:
    """Kendall's τ-a over the pairs that truly differ: right orders less wrong ones, by pairs.

    Args:
        score: of each algorithm.
        truth: of each algorithm.

    Example:
        >>> kendall(np.array([1.0, 3.0, 3.0]), np.array([1.0, 2.0, 3.0])).__round__(3)
        0.667
    """
    above = np.triu_indices(len(truth), 1)
    gaps = [(side[:, None] - side[None, :])[above] for side in (score, truth)]
    apart = np.abs(gaps[1]) >= _APART
    return float((np.sign(gaps[0]) * np.sign(gaps[1]))[apart].mean())


def _spearman(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """Of a score that gives all the same value, 0."""
    x, y = (rankdata(side) - (side.size + 1) / 2.0 for side in (first, second))
    scale = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / scale) if scale > 0.0 else 0.0


def ranking_of(
    form: ScoreForm,
    values: Float[np.ndarray, "replicates algorithms"],
    truth: Float[np.ndarray, " algorithms"],
    confidence: float,
) -> Ranking:
    """Mean τ with its interval, mean ρ, and the finding.

    Args:
        form: the score.
        values: of each algorithm in each replicate.
        truth: the distance of each algorithm.
        confidence: of the interval.
    """
    bad = np.array([[form.badness(float(value)) for value in line] for line in values])
    taus = np.array([kendall(line, truth) for line in bad])
    error = taus.std(ddof=1) / np.sqrt(taus.size)
    half = float(stdtrit(taus.size - 1.0, (1.0 + confidence) / 2.0)) * error
    low, high = float(max(taus.mean() - half, -1.0)), float(min(taus.mean() + half, 1.0))
    return Ranking(
        Estimate(float(taus.mean()), low, high),
        float(np.mean([_spearman(line, truth) for line in bad])),
        rank_finding(low, high),
    )


def rank_finding(low: float, high: float) -> RankFinding:
    """The finding of a row from its interval: see `MetricAudit`.

    Example:
        >>> rank_finding(0.81, 0.9), rank_finding(-0.3, 0.2), rank_finding(0.7, 0.9)
        ('ranks like it', 'does not', 'undetermined')
    """
    if low > BAR:
        return "ranks like it"
    return "does not" if high < BAR else "undetermined"


def follows(rows: Sequence[ScoreRankingRow]) -> str:
    """The question whose true ranking a score is surely nearer to; empty where neither is.

    Args:
        rows: of one score against one reference, a question each.
    """
    if len(rows) != len(QUESTIONS):
        return ""
    less, more = sorted(rows, key=lambda row: row.tau.low)
    return more.question if more.tau.low > less.tau.high else ""
