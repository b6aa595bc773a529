"""What each published score says of a perfect unlearner, and whether bad ones read differently."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import binomtest

import oracles
from estimators.checks import check_counts
from indist.studies._cells import Row, finished_cell
from indist.studies._shown import shown_range
from indist.studies._study import Study
from indist.studies.scores._score_forms import FORMS, Case, Form, Models, attacked

SCENARIO = "circles"
PARTIAL = "neggrad"
BAD: Mapping[str, tuple[str, ...]] = {
    "untraining": ("identity", "half", PARTIAL),
    "unlearning": ("identity", "half", PARTIAL, "retrain"),
}
"""Bad unlearners of each question: nothing done; to half of the models; NegGrad+; for unlearning,
exact retraining on D∖S, a perfect answer to the other question."""

BAR = 0.9
_ALPHA = 0.05
_TEACHERS = 16


@dataclass(frozen=True)
class ScoreNulls(Study):
    """Published scores of a perfect unlearner, and of bad ones, at several numbers of models.

    The world is known exactly: each population is the uniform law over the models of a pool, of
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
    names: ClassVar = ("score", "models", "question")

    models: int = 2048
    sizes: tuple[int, ...] = (64, 128, 256, 512)
    simulations: int = 120
    attacked: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
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

    def run(self, folder: Path) -> Iterator[Row]:
        """A row a number of models, question and score; see `Study.run`."""
        world = _World(self, folder)
        for size in self.sizes:
            for question in BAD:
                values = finished_cell(
                    folder / "cells" / str(size) / f"{question}.json",
                    self._simulated(size) | {"question": question},
                    lambda size=size, question=question: self._values(world, size, question),
                )
                for form in FORMS:
                    yield self._row(form, size, question, values)

    def _simulated(self, size: int) -> dict[str, Any]:
        own = {k: v for k, v in asdict(self).items() if k != "sizes"}
        return own | {"size": size, "bad": BAD, "scores": [form.name for form in FORMS]}

    def _values(self, world: "_World", size: int, question: str) -> Row:
        """Each score's value in each simulation: of the perfect unlearner, then of each bad one."""
        values: Row = {form.name: [] for form in FORMS if not form.most or size <= form.most}
        for i in range(self.simulations):
            rng = np.random.default_rng([self.seed, size, list(BAD).index(question), i])
            cases = list(world.cases(question, size, rng))
            for form in FORMS:
                if form.name in values:
                    values[form.name].append([form.value(case) for case in cases])
        return values

    def _row(self, form: Form, size: int, question: str, values: Row) -> Row:
        row: Row = {
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
            return row | {"not_applicable": f"costs too much beyond {form.most} models a side"}
        seed = [self.seed, size, list(BAD).index(question)]
        return row | _summary(
            form,
            np.array(values[form.name]),
            np.random.default_rng(seed).random(self.simulations) < 0.5,
            ("perfect", *BAD[question]),
            self.confidence,
        )

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """A table a question: range of the null, and the AUC from each bad unlearner."""
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            if "finding" not in row:
                continue
            line = {"score": row["score"], "models": f"{row['models']:g}", "read": row["reading"]}
            line["perfect"] = (
                f"{row['perfect_median']:.3g} [{row['perfect_low']:.3g}, {row['perfect_high']:.3g}]"
            )
            for bad in BAD[row["question"]]:
                line[f"AUC, {bad}"] = shown_range(row, f"{bad}_auc")
            title = f"{row['question']}: median and range of a perfect unlearner; AUC from bad ones"
            parts.setdefault(title, []).append(line | {"finding": row["finding"]})
        return parts

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """Which scores tell, at how many models; which never do; and which prefer a bad one."""
        sentences: list[str] = []
        for question in BAD:
            mine = [row for row in rows if row["question"] == question and "finding" in row]
            found: dict[str, dict[int, str]] = {}
            for row in mine:
                found.setdefault(row["score"], {})[int(row["models"])] = row["finding"]
            if not found:
                continue
            greatest = max(int(row["models"]) for row in mine)
            for finding, words in (
                ("tells", "tell a perfect unlearner from every bad one (from that many models on)"),
                ("cannot tell", f"cannot at the most models tried, up to {greatest}"),
                ("undetermined", "are undetermined there; more simulations would decide"),
            ):
                named = [
                    f"{name} ({first_telling(by_size)})" if finding == "tells" else name
                    for name, by_size in found.items()
                    if by_size[max(by_size)] == finding
                ]
                sentences.append(f"{question.capitalize()}: {', '.join(named) or 'none'} {words}.")
            for bad in BAD[question]:
                worse = {row["score"]: None for row in mine if row[f"{bad}_auc_high"] < 0.5}
                if worse:
                    sentences.append(
                        f"{question.capitalize()}: {', '.join(worse)} read {bad} as better than a "
                        "perfect unlearner more often than not, at some number of models."
                    )
        return tuple(sentences)


def first_telling(found: Mapping[int, str]) -> int:
    """The number of models from which on a score tells, from its finding at each."""
    failed = [size for size, finding in found.items() if finding != "tells"]
    return min(size for size in found if size > max(failed, default=0))


def _summary(
    form: Form,
    values: Float[np.ndarray, "simulations who"],
    coins: Bool[np.ndarray, " simulations"],
    who: tuple[str, ...],
    confidence: float,
) -> Row:
    """Quantiles of each, AUCs, rates of the published decision, and the finding."""
    row: Row = {}
    for name, column in zip(who, values.T, strict=True):
        low, median, high = np.quantile(column, [0.025, 0.5, 0.975])
        row |= {f"{name}_low": low, f"{name}_median": median, f"{name}_high": high}
        if form.fails is not None:
            row[f"{name}_failed"] = float(np.mean([form.fails(float(v)) for v in column]))
    bad = np.array([[form.badness(float(v)) for v in line] for line in values])
    ends: list[tuple[float, float]] = []
    for name, column in zip(who[1:], bad.T[1:], strict=True):
        wins = (bad[:, 0] < column) | ((bad[:, 0] == column) & coins)
        found = binomtest(int(wins.sum()), len(wins)).proportion_ci(confidence, method="exact")
        ends.append((float(found.low), float(found.high)))
        row |= {f"{name}_auc": float(wins.mean())}
        row |= {f"{name}_auc_low": ends[-1][0], f"{name}_auc_high": ends[-1][1]}
    return {k: float(v) for k, v in row.items()} | {"finding": decide(ends)}


def decide(intervals: list[tuple[float, float]]) -> str:
    """The finding of a row from its intervals: see `ScoreNulls`.

    Example:
        >>> decide([(0.91, 1.0), (0.95, 1.0)]), decide([(0.91, 1.0), (0.4, 0.6)])
        ('tells', 'cannot tell')
    """
    if all(low > BAR for low, _ in intervals):
        return "tells"
    return "cannot tell" if any(high < BAR for _, high in intervals) else "undetermined"


class _World:
    """The pools, made when first asked for."""

    def __init__(self, study: ScoreNulls, folder: Path) -> None:
        self.study, self.folder = study, folder

    @cached_property
    def scenario(self) -> oracles.Scenario:
        """With S half of B, so that its twin forgets the other half."""
        return oracles.scenarios.load(SCENARIO, seed=self.study.seed, discovery=0.5)

    @cached_property
    def pools(self) -> dict[str, tuple[Models, Models]]:
        """Each population, and beside it the twin that forgot B∖S; see `Case`."""
        study, scenario = self.study, self.scenario
        rest = np.setdiff1d(scenario.behaviour, scenario.forget)
        twin = scenario.with_forget(rest)
        where = self.folder / "pools"
        made = oracles.references(
            scenario,
            models=study.models,
            seed=study.seed,
            directory=where / "references",
            resume=True,
        )
        forgotten = [
            oracles.unlearn(
                world,
                made.original,
                method=PARTIAL,
                seed=study.seed + 1,
                directory=where / f"{PARTIAL} {name}",
                resume=True,
            )
            for name, world in (("S", scenario), ("the rest", twin))
        ]
        other = oracles.train(
            twin,
            "forget",
            stream="untraining",
            models=study.models,
            seed=study.seed,
            directory=where / "without the rest",
            resume=True,
        )
        original, never = self._seen(made.original), self._seen(made.unlearning)
        return {
            "identity": (original, original),
            "unlearning": (never, never),
            "untraining": (self._seen(made.untraining), self._twin(other)),
            PARTIAL: (self._seen(forgotten[0]), self._twin(forgotten[1])),
        }

    @cached_property
    def teachers(self) -> Float[np.ndarray, "t probes"]:
        """Margins of models as they are initialised."""
        learner, probes = self.scenario.learner, self.scenario.probes
        keys = jax.random.split(jax.random.key(self.study.seed), _TEACHERS)
        logits = jax.vmap(
            lambda key: learner.logits(learner.init(key, probes.inputs), probes.inputs)
        )
        seen = oracles.Observations(
            np.asarray(logits(keys)), probes.labels, probes.groups, probes.ids
        )
        return seen.margins

    def _seen(self, population: oracles.Population) -> Models:
        probes, study = self.scenario.probes, self.study
        margins = population.observe(probes).margins
        attacks = finished_cell(
            self.folder / "pools" / "attacks" / f"{population.digest}.json",
            {"population": population.digest, "attacked": study.attacked, "seed": study.seed},
            lambda: {
                name: values.tolist()
                for name, values in attacked(
                    margins[: study.attacked], probes.groups, self.teachers, seed=study.seed
                ).items()
            },
        )
        return Models(margins, {name: np.array(values) for name, values in attacks.items()})

    def _twin(self, population: oracles.Population) -> Models:
        """Twins are asked for their margins alone."""
        return Models(population.observe(self.scenario.probes).margins, {})

    def cases(self, question: str, size: int, rng: np.random.Generator) -> Iterator[Case]:
        """The perfect unlearner, then each bad one, all against the same draw of the reference."""
        groups = self.scenario.probes.groups

        def drawn(pool: Models) -> Models:
            return pool.take(rng.integers(len(pool.margins), size=size))

        original, perfect = self.pools["identity"], self.pools[question]
        half = tuple(one.join(other) for one, other in zip(original, perfect, strict=True))
        bad = self.pools | {"half": half, "retrain": self.pools["untraining"]}
        theirs, start = drawn(perfect[0]), drawn(original[0])
        for name in (question, *BAD[question]):
            ours, twins = bad[name]
            yield Case(groups, drawn(ours), drawn(twins), theirs, start)
