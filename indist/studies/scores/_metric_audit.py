"""Which published score ranks algorithms as the true divergence does, where that is known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit
from scipy.stats import rankdata

import oracles
from estimators.checks import check_counts, check_within
from indist.studies._cells import Row, finished_cell
from indist.studies._shown import shown_range
from indist.studies._study import Study
from indist.studies.scores._score_forms import FORMS, Case, Form, Models, attacked

SCENARIO, LEARNER = "logistic-3v8", "descent-to-delete"
QUESTIONS = ("untraining", "unlearning")
BAR = 0.8
_ALPHA = 0.05
_APART = 0.1
_WHOLE = 1_000_000  # A batch of everything there is, so that nothing is drawn at random.

METHODS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "identity": ("identity", {}),
    "finetune, weak": ("finetune", {"learning_rate": 0.3, "batch": _WHOLE}),
    "finetune, strong": ("finetune", {"learning_rate": 1.0, "batch": _WHOLE}),
    "neggrad, weak": ("neggrad", {"learning_rate": 0.3, "alpha": 0.8, "batch": _WHOLE}),
    "neggrad, strong": ("neggrad", {"learning_rate": 1.0, "batch": _WHOLE}),
    "gradient-ascent, weak": ("gradient-ascent", {"learning_rate": 0.1}),
    "gradient-ascent, medium": ("gradient-ascent", {"learning_rate": 0.2}),
    "gradient-ascent, strong": ("gradient-ascent", {"learning_rate": 0.3}),
    "descent-to-delete, 1 step": ("descent-to-delete", {"iterations": 1}),
    "descent-to-delete, 3 steps": ("descent-to-delete", {"iterations": 3}),
}
"""Unlearners without randomness of their own, at several strengths."""

EXACT: Mapping[str, tuple[float, float, float]] = {
    "retrain on D∖S": (0.0, 1.0, 0.0),
    "retrain on D∖B": (0.0, 0.0, 1.0),
    "half-way from A(D) to A(D∖B)": (0.5, 0.0, 0.5),
    "half-way from A(D∖S) to A(D∖B)": (0.0, 0.5, 0.5),
    "half as far again beyond A(D∖B)": (-0.5, 0.0, 1.5),
}
"""Planted algorithms: shares of the secrets of A(D), A(D∖S) and A(D∖B)."""


@dataclass(frozen=True)
class MetricAudit(Study):
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
    retrain on D∖S.

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
    names: ClassVar = ("score", "reference", "question")

    models: int = 128
    replicates: int = 40
    attacked: int = 8
    shift: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_counts(attacked=self.attacked)
        check_within("(0, inf)", shift=self.shift)
        for name, least in (("models", max(8, self.attacked)), ("replicates", 2)):
            if getattr(self, name) < least:
                found = getattr(self, name)
                raise ValueError(f"{name}: expected at least {least}, found {found}")

    @property
    def confidence(self) -> float:
        """Of each interval, so that all of the table hold at once."""
        return 1.0 - _ALPHA / sum(len(_references(form)) * len(QUESTIONS) for form in FORMS)

    def run(self, folder: Path) -> Iterator[Row]:
        """A row a score, reference and question; see `Study.run`."""
        world = _World(self, folder)
        replicates = [
            finished_cell(
                folder / "cells" / f"{i}.json",
                asdict(self) | {"replicate": i, "scores": [form.name for form in FORMS]},
                lambda i=i: self._replicate(world, i),
            )
            for i in range(self.replicates)
        ]
        for form in FORMS:
            for reference in _references(form):
                values = [one["values"][form.name][reference] for one in replicates]
                for question in QUESTIONS:
                    truth = np.array(replicates[0]["truths"][question])
                    yield {
                        "score": form.name,
                        "reference": reference,
                        "question": question,
                        "family": form.family,
                        "reading": form.read,
                        "models": self.models,
                        "replicates": self.replicates,
                        "algorithms": len(truth),
                        "bar": BAR,
                        "confidence": 1.0 - _ALPHA,
                        "truths_tau": kendall(*map(np.array, replicates[0]["truths"].values())),
                    } | summary(form, np.array(values), truth, self.confidence)

    def _replicate(self, world: "_World", number: int) -> Row:
        """Each score of each algorithm, and the truths."""
        rng = np.random.default_rng([self.seed, number])
        references = {name: world.drawn(world.secrets[name], rng) for name in QUESTIONS}
        original = world.drawn(world.secrets["original"], rng)
        pairs = [
            (world.drawn(ours, rng), Models(world.margins(twin, rng), {}))
            for ours, twin in zip(world.algorithms, world.twins, strict=True)
        ]
        values = {
            form.name: {
                name: [
                    form.value(Case(world.groups, *both, references.get(name, original), original))
                    for both in pairs
                ]
                for name in _references(form)
            }
            for form in FORMS
        }
        truths = {
            name: [world.shift(ours, world.secrets[name]) for ours in world.algorithms]
            for name in QUESTIONS
        }
        return {"values": values, "truths": truths}

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """A table a question: τ and ρ of each score with the true distance."""
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            title = f"{row['question']}: rank correlation with the true distance"
            parts.setdefault(title, []).append(
                {
                    "score": row["score"],
                    "against": row["reference"],
                    "τ": shown_range(row, "tau"),
                    "ρ": f"{row['spearman']:.2f}",
                    "finding": row["finding"],
                }
            )
        return parts

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """Which scores rank like which truth, with which reference."""
        sentences: list[str] = []
        for question in QUESTIONS:
            for finding, words in (
                ("ranks like it", "rank algorithms as the true distance does"),
                ("undetermined", "are undetermined; more replicates would decide"),
            ):
                named = [
                    f"{row['score']} (against {row['reference']}, {shown_range(row, 'tau')})"
                    for row in rows
                    if (row["question"], row["finding"]) == (question, finding)
                ]
                if named or finding == "ranks like it":
                    who = ", ".join(named) or "no score"
                    sentences.append(f"{question.capitalize()}: {who}: {words}.")
        published = [row for row in rows if row["reference"] != "unlearning"]
        found = {
            name: follows([row for row in published if row["score"] == name])
            for name in dict.fromkeys(row["score"] for row in published)
        }
        for question in QUESTIONS:
            named = ", ".join(name for name, followed in found.items() if followed == question)
            sentences.append(
                f"Computed against models retrained on D∖S, or against none, as published, surely "
                f"nearer to the true ranking of {question} than to the other: {named or 'none'}."
            )
        if rows:
            sentences.append(
                f"The two true rankings have τ = {rows[0]['truths_tau']:.2f} with each other: a "
                "score cannot follow both."
            )
        return tuple(sentences)


def _references(form: Form) -> tuple[str, ...]:
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
    one, other = (rankdata(side) - (side.size + 1) / 2.0 for side in (first, second))
    scale = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / scale) if scale > 0.0 else 0.0


def summary(
    form: Form,
    values: Float[np.ndarray, "replicates algorithms"],
    truth: Float[np.ndarray, " algorithms"],
    confidence: float,
) -> Row:
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
    return {
        "tau": float(taus.mean()),
        "tau_low": low,
        "tau_high": high,
        "spearman": float(np.mean([_spearman(line, truth) for line in bad])),
        "finding": decide(low, high),
    }


def decide(low: float, high: float) -> str:
    """The finding of a row from its interval: see `MetricAudit`.

    Example:
        >>> decide(0.81, 0.9), decide(-0.3, 0.2), decide(0.7, 0.9)
        ('ranks like it', 'does not', 'undetermined')
    """
    if low > BAR:
        return "ranks like it"
    return "does not" if high < BAR else "undetermined"


def follows(rows: Sequence[Mapping[str, Any]]) -> str:
    """The question whose true ranking a score is surely nearer to; empty where neither is.

    Args:
        rows: of one score against one reference, a question each.

    Example:
        >>> row = {"question": "untraining", "tau_low": 0.4, "tau_high": 0.7}
        >>> follows([row, {"question": "unlearning", "tau_low": -0.3, "tau_high": 0.1}])
        'untraining'
    """
    if len(rows) != len(QUESTIONS):
        return ""
    less, more = sorted(rows, key=lambda row: row["tau_low"])
    return str(more["question"]) if more["tau_low"] > less["tau_high"] else ""


class _World:
    """The secrets of all populations, and models drawn around them."""

    def __init__(self, study: MetricAudit, folder: Path) -> None:
        self.study, self.folder = study, folder
        self.scenario = oracles.scenarios.load(
            SCENARIO, seed=study.seed, discovery=0.5
        ).with_learner(LEARNER)

    @property
    def groups(self) -> np.ndarray:
        """The group of each probe."""
        return self.scenario.probes.groups

    @cached_property
    def _twin(self) -> oracles.Scenario:
        """The same world where the other half of B is to be forgotten."""
        scenario = self.scenario
        return scenario.with_forget(np.setdiff1d(scenario.behaviour, scenario.forget))

    @cached_property
    def secrets(self) -> dict[str, Float[np.ndarray, " features"]]:
        """The minima on D, on D∖S, on D∖B, and on D without the rest of B."""
        made = oracles.references(
            self.scenario,
            models=1,
            seed=self.study.seed,
            directory=self.folder / "references",
            resume=True,
        )
        rest = oracles.train(
            self._twin,
            "forget",
            stream="untraining",
            models=1,
            seed=self.study.seed,
            directory=self.folder / "without the rest",
            resume=True,
        )
        return {
            "original": _secret(made.original),
            "untraining": _secret(made.untraining),
            "unlearning": _secret(made.unlearning),
            "without the rest": _secret(rest),
        }

    @cached_property
    def algorithms(self) -> list[Float[np.ndarray, " features"]]:
        """What each algorithm makes of the original when it forgets S."""
        return self._made(self.scenario, "untraining")

    @cached_property
    def twins(self) -> list[Float[np.ndarray, " features"]]:
        """The same when it forgets B∖S."""
        return self._made(self._twin, "without the rest")

    def _made(self, scenario: oracles.Scenario, without: str) -> list[np.ndarray]:
        index = (scenario.forget, scenario.excluding(scenario.forget))
        sets = [
            (jnp.asarray(part.inputs), jnp.asarray(part.labels))
            for part in map(scenario.train.take, index)
        ]
        start = jnp.asarray(self.secrets["original"], jnp.float32)
        made: list[np.ndarray] = []
        for method, settings in METHODS.values():
            kind: Any = oracles.unlearners.UNLEARNERS[method]
            whole = {"batch": min(_WHOLE, len(index[1]))} if "batch" in settings else {}
            after = kind(**dict(settings) | whole)(
                scenario.learner, {"weights": start, "secret": start}, *sets, jax.random.key(0)
            )
            # What descent-to-delete publishes has its noise already; the others leave no secret.
            found = after["secret" if method == LEARNER else "weights"]
            made.append(np.asarray(found, dtype=np.float64))
        ends = np.stack([self.secrets[name] for name in ("original", without, "unlearning")])
        return made + [np.array(shares) @ ends for shares in EXACT.values()]

    @cached_property
    def sigma(self) -> float:
        """Standard deviation of the noise at publication."""
        gap = self.secrets["original"] - self.secrets["unlearning"]
        return float(np.linalg.norm(gap)) / self.study.shift

    def shift(
        self, first: Float[np.ndarray, " features"], second: Float[np.ndarray, " features"]
    ) -> float:
        """μ between the populations around two secrets."""
        return float(np.linalg.norm(first - second)) / self.sigma

    @cached_property
    def _rows(self) -> Float[np.ndarray, "probes features"]:
        """The log-odds of a probe's label are this row's product with the weights."""
        probes = self.scenario.probes
        rows = probes.inputs.reshape(len(probes), -1).astype(np.float64)
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1.0)
        return np.where(probes.labels == 1, 1.0, -1.0)[:, None] * rows

    def margins(
        self, secret: Float[np.ndarray, " features"], rng: np.random.Generator
    ) -> Float[np.ndarray, "models probes"]:
        """Of fresh models of the population around a secret."""
        noise = rng.normal(size=(self.study.models, len(secret)))
        return (secret + self.sigma * noise) @ self._rows.T

    def drawn(self, secret: Float[np.ndarray, " features"], rng: np.random.Generator) -> Models:
        """Fresh models, the first of them attacked; the module begins at zero, as its teacher."""
        margins = self.margins(secret, rng)
        teacher = np.zeros((1, margins.shape[1]))
        few = margins[: self.study.attacked]
        return Models(margins, attacked(few, self.groups, teacher, seed=self.study.seed))


def _secret(population: oracles.Population) -> Float[np.ndarray, " features"]:
    return np.asarray(population.parameters()["secret"][0], dtype=np.float64)
