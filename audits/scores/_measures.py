"""The literature's scores as recipes: what each takes of the observations, and what it answers."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import log_softmax

from estimators import scores
from estimators.scores import KLOM_BINS, KLOM_FLOOR, Feature, ScoreFunction
from oracles import Observations

# Below 4 models a side no score has an interval, and a quantile of a null is one of its ends.
FEWEST = 4


@dataclass(frozen=True, eq=False)
class Measure:
    """One score, ready to be computed.

    Attributes:
        tables: for each population ``[models, ...]``, what the score takes of each model.
        value: submission's and reference's tables to a number; None where a table holds one number
            a model, whose mean is the score and is to be compared with the reference's.
        limits: the least and the greatest value possible.
        strata: groups of the columns, where the interval resamples examples too.
    """

    tables: Mapping[str, Float[np.ndarray, "..."]]
    value: ScoreFunction | None = None
    limits: tuple[float, float] = (0.0, 1.0)
    strata: Int[np.ndarray, " e"] | None = None


class World:
    """What was seen of all populations, as the tables that scores take.

    Every method refuses, with a sentence, what the observations do not hold.

    Args:
        seen: observations of ``submission``, ``untraining``, ``unlearning``, perhaps ``original``.
        seed: of an attack's shuffles.
        teachers: logits of models with random parameters at the same probes, if there are any.
        relearn: steps that each model of each population takes to relearn S, if they are at hand.
    """

    def __init__(
        self,
        seen: Mapping[str, Observations],
        seed: int,
        teachers: Float[np.ndarray, "t e c"] | None = None,
        relearn: Mapping[str, Int[np.ndarray, " n"]] | None = None,
    ) -> None:
        self.seen = seen
        self.seed = seed
        self.teachers = teachers
        self.relearn = relearn or {}
        self.labels = seen["submission"].labels
        self.groups = seen["submission"].groups
        self._attacks: dict[str, dict[str, np.ndarray]] = {}

    @cached_property
    def log_probabilities(self) -> dict[str, Float[np.ndarray, "n e c"]]:
        """Of each class at each probe."""
        return {
            name: np.asarray(log_softmax(one.logits.astype(np.float64), axis=2))
            for name, one in self.seen.items()
        }

    @cached_property
    def epsilons(self) -> ScoreFunction:
        """`competition_epsilon`, kept."""
        return _kept(scores.competition_epsilon)

    @cached_property
    def quality(self) -> ScoreFunction:
        """`forgetting_quality`, kept."""
        return _kept(scores.forgetting_quality)

    def chosen(self, *groups: str) -> Bool[np.ndarray, " e"]:
        """Which probes are of these groups, each of which must be there."""
        for group in groups:
            if not (self.groups == group).any():
                raise ValueError(f"needs probes of the group {group}, found none")
        return np.isin(self.groups, groups)

    def original(self) -> Observations:
        """What was seen of the original models."""
        if "original" not in self.seen:
            raise ValueError("needs the original models, which the references do not hold")
        return self.seen["original"]

    def margins(self, *groups: str) -> dict[str, Float[np.ndarray, "n e"]]:
        """Logit-scaled confidences of each population."""
        chosen = self.chosen(*groups)
        return {name: one.margins[:, chosen] for name, one in self.seen.items()}

    def correct(self, *groups: str) -> dict[str, Float[np.ndarray, "n e"]]:
        """1 where a model gives a probe its label, else 0."""
        chosen = self.chosen(*groups)
        return {name: one.correct[:, chosen] * 1.0 for name, one in self.seen.items()}

    def accuracy(self, group: str) -> dict[str, Float[np.ndarray, " n"]]:
        """Of each model."""
        return {name: table.mean(axis=1) for name, table in self.correct(group).items()}

    def probabilities(self, *groups: str) -> dict[str, Float[np.ndarray, "n e c"]]:
        """Of each class."""
        chosen = self.chosen(*groups)
        return {name: np.exp(table[:, chosen]) for name, table in self.log_probabilities.items()}

    def own(self, *groups: str) -> dict[str, Float[np.ndarray, "n e"]]:
        """Log-probability of each probe's label."""
        chosen = self.chosen(*groups)
        place = self.labels[None, chosen, None]
        return {
            name: np.take_along_axis(table[:, chosen], place, axis=2)[..., 0]
            for name, table in self.log_probabilities.items()
        }

    def svc(self, feature: Feature) -> dict[str, Float[np.ndarray, " n"]]:
        """Result of the support vector machine's attack on each model."""
        used = "forget", "retain", "test"
        chosen = self.chosen(*used)
        labels, groups = self.labels[chosen], self.groups[chosen]

        def attack(name: str) -> np.ndarray:
            table = self.probabilities(*used)[name]
            return scores.svc_attack(table, labels, groups, feature=feature)

        return self._attacked(f"svc {feature}", attack)

    def logistic(self) -> dict[str, Float[np.ndarray, " n"]]:
        """Accuracy of the logistic attack on each model."""
        used = "forget", "test"
        groups, losses = self.groups[self.chosen(*used)], self.own(*used)
        return self._attacked(
            "logistic",
            lambda name: scores.logistic_attack(-losses[name], groups, seed=self.seed),
        )

    def _attacked(
        self, kind: str, attack: Callable[[str], np.ndarray]
    ) -> dict[str, Float[np.ndarray, " n"]]:
        if kind not in self._attacks:
            self._attacks[kind] = {name: attack(name) for name in self.seen}
        return self._attacks[kind]


def _kept(score: ScoreFunction) -> ScoreFunction:
    """A slow score that keeps what it found: every row made of it meets the same splits again."""
    known: dict[bytes, Any] = {}

    def found(ours: np.ndarray, theirs: np.ndarray) -> Any:
        key = hashlib.sha256(ours.tobytes() + b"/" + theirs.tobytes()).digest()
        if key not in known:
            known[key] = score(ours, theirs)
        return known[key]

    return found


class Recipe(NamedTuple):
    """A named score.

    Attributes:
        name: as published, with its variant.
        question: what it can answer, against either reference.
        make: the score from what was seen; a ValueError says why it cannot be had.
    """

    name: str
    question: str
    make: Callable[[World], Measure]


def _epsilon(over: Callable[[np.ndarray], Any], world: World) -> Measure:
    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        if min(len(ours), len(theirs)) < FEWEST:
            raise ValueError(f"needs at least {FEWEST} models on each side")
        found = world.epsilons(ours, theirs)
        usable = found[np.isfinite(found)]
        if not usable.size:
            raise ValueError("no example has a threshold rule that errs on both sides or neither")
        return float(over(usable))

    return Measure(world.margins("forget"), value, (0.0, 50.0))


def _quality(world: World) -> Measure:
    return Measure(world.margins("forget"), world.quality)


def _final(world: World) -> Measure:
    margins = world.margins("forget")
    retain, test = world.correct("retain"), world.correct("test")
    examples = next(iter(margins.values())).shape[1]
    ends = examples, examples + next(iter(retain.values())).shape[1]

    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        (first, kept, fresh), (second, bar_kept, bar_fresh) = (
            np.split(side, ends, axis=1) for side in (ours, theirs)
        )
        return scores.final_score(
            world.quality(first, second),
            retain=(kept.mean(axis=1), bar_kept.mean(axis=1)),
            test=(fresh.mean(axis=1), bar_fresh.mean(axis=1)),
        )

    tables = {name: np.hstack([margins[name], retain[name], test[name]]) for name in world.seen}
    return Measure(tables, value, (0.0, math.inf))


def _ulira(density: Any, fpr: float | None, world: World) -> Measure:
    models = min(len(world.seen[name].margins) // 2 for name in ("untraining", "unlearning"))
    models = min(models, world.seen["submission"].models)
    if fpr is not None and fpr * models < 1.0:
        least = math.ceil(1.0 / fpr)
        raise ValueError(
            f"a rate of {fpr:g} takes {least:,} models on each side, twice as many of each "
            f"reference for its null; found enough for {models:,}"
        )
    return Measure(world.margins("forget"), partial(scores.ulira_value, density=density, fpr=fpr))


def _shadows(
    tables: dict[str, np.ndarray], world: World
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Tables with the first half of the originals, and the second as shadows that saw S."""
    half = world.original().models // 2
    return tables | {"original": tables["original"][:half]}, tables["original"][half:]


def _lira(variance: Any, world: World) -> Measure:
    tables, inside = _shadows(world.margins("forget"), world)

    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        seen = np.concatenate([inside, theirs])
        included = np.broadcast_to(np.arange(len(seen))[:, None] < len(inside), seen.shape)
        return float((scores.lira_scores(ours, seen, included, variance=variance) > 0.0).mean())

    return Measure(tables, value)


def _rmia(world: World) -> Measure:
    own = world.own("forget", "test")
    gone = world.groups[world.chosen("forget", "test")] == "forget"
    least = np.finfo(np.float64).tiny
    raw = {name: np.maximum(np.exp(table), least) for name, table in own.items()}
    tables, inside = _shadows(raw, world)

    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        each = min(len(inside), len(theirs))
        seen = np.concatenate([inside[:each], theirs[:each]])
        found = scores.rmia_scores(ours[:, gone], ours[:, ~gone], seen[:, gone], seen[:, ~gone])
        return float(found.mean())

    return Measure(tables, value)


def _klom(group: str, variant: Any, world: World) -> Measure:
    excess, most = math.log1p(KLOM_BINS * KLOM_FLOOR), math.log(1.0 / KLOM_FLOOR)
    limits = (-excess, most) if variant == "plain" else (0.0, most + excess)
    return Measure(world.margins(group), partial(scores.klom_value, variant=variant), limits)


def _tow(groups: tuple[str, ...], world: World) -> Measure:
    labels = world.groups[world.chosen(*groups)]
    return Measure(
        world.correct(*groups), partial(scores.tow_value, groups=labels), strata=_numbered(labels)
    )


def _tow_mia(world: World) -> Measure:
    kept = world.chosen("retain", "test")
    attack, correct = world.svc("confidence"), world.correct("retain", "test")
    labels = np.concatenate([["forget"], world.groups[kept]])
    return Measure(
        {name: np.column_stack([attack[name], correct[name]]) for name in world.seen},
        partial(scores.tow_value, groups=labels),
        strata=_numbered(labels),
    )


def _numbered(labels: Shaped[np.ndarray, " e"]) -> Int[np.ndarray, " e"]:
    return np.unique(labels, return_inverse=True)[1]


def _svc(feature: Feature, world: World) -> Measure:
    return Measure(world.svc(feature))


def _logistic(world: World) -> Measure:
    return Measure(world.logistic())


def _indiscernibility(world: World) -> Measure:
    found = world.logistic()
    return Measure({name: scores.indiscernibility(one) for name, one in found.items()})


def _accuracy(group: str, world: World) -> Measure:
    return Measure(world.accuracy(group))


def _hidden(world: World) -> Measure:
    chosen = world.chosen("behaviour_test")
    labels = world.labels[chosen]

    def share(one: Observations) -> np.ndarray:
        predicted = one.logits[:, chosen].argmax(axis=2)
        return 1.0 - scores.corrective_accuracy(predicted, labels)

    return Measure({name: share(one) for name, one in world.seen.items()})


def _sape(group: str, world: World) -> Measure:
    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        return float(scores.sape(ours.mean(), theirs.mean()))

    return Measure(world.accuracy(group), value, (0.0, 100.0))


def _aus(world: World) -> Measure:
    world.original()
    test, forget = world.accuracy("test"), world.accuracy("forget")
    before = float(test["original"].mean())
    return Measure(
        {
            name: scores.adaptive_unlearning_score(test[name], forget[name], original=before)
            for name in world.seen
        },
        limits=(0.0, 2.0),
    )


def _activation(world: World) -> Measure:
    return Measure(
        world.probabilities("forget"), scores.activation_distance_value, (0.0, math.sqrt(2.0))
    )


def _zrf(world: World) -> Measure:
    chosen, logits = world.chosen("forget"), world.teachers
    if logits is None:
        raise ValueError("needs models with random parameters: references that hold a learner")
    teachers = np.exp(np.asarray(log_softmax(logits[:, chosen], axis=2)))
    return Measure(
        {
            name: scores.zrf_per_model(table, teachers)
            for name, table in world.probabilities("forget").items()
        }
    )


def _relearn(world: World) -> Measure:
    if set(world.relearn) != set(world.seen):
        raise ValueError("needs parameters of all populations, to train them further")
    return Measure(
        {name: steps.astype(np.float64) for name, steps in world.relearn.items()},
        limits=(0.0, math.inf),
    )


_APART = "Can the submitted models be told from the reference's by single forgotten examples?"
_LAW = "Do margins have the reference's law, example by example?"
_MEMBER = "Do forgotten examples look like members, as much as they do under the reference?"
_EQUAL = "Is the submission right as often as the reference?"
_CORRECT = "Is the behaviour gone where it was not seen in training?"
_BACK = "Does S come back as slowly as under the reference?"
_OUTPUT = "Are the predicted probabilities on forgotten examples those of the reference?"

_FEATURES: tuple[Feature, ...] = (
    "confidence",
    "correctness",
    "entropy",
    "modified entropy",
    "softmax",
)

RECIPES = (
    Recipe("competition epsilon, median over examples", _APART, partial(_epsilon, np.median)),
    Recipe("competition epsilon, mean over examples", _APART, partial(_epsilon, np.mean)),
    Recipe("competition forgetting quality F", _APART, _quality),
    Recipe("competition final score", _APART, _final),
    *(
        Recipe(
            f"U-LiRA {'accuracy' if fpr is None else f'TPR at FPR {fpr:g}'} ({density}, negatives "
            "retrained)",
            _APART,
            partial(_ulira, density, fpr),
        )
        for fpr in (None, 0.01, 0.001)
        for density in ("gaussian", "kde")
    ),
    Recipe("KLoM P95 on forget (plain)", _LAW, partial(_klom, "forget", "plain")),
    Recipe("KLoM P95 on forget (renormalised)", _LAW, partial(_klom, "forget", "renormalised")),
    Recipe("KLoM P95 on retain (plain)", _LAW, partial(_klom, "retain", "plain")),
    Recipe("KLoM P95 on test (plain)", _LAW, partial(_klom, "test", "plain")),
    Recipe("activation distance", _OUTPUT, _activation),
    Recipe("ZRF", _OUTPUT, _zrf),
    *(
        Recipe(f"SVC MIA efficacy ({feature})", _MEMBER, partial(_svc, feature))
        for feature in _FEATURES
    ),
    Recipe("logistic MIA accuracy (loss)", _MEMBER, _logistic),
    Recipe("indiscernibility (logistic MIA)", _MEMBER, _indiscernibility),
    Recipe("LiRA, share of S called members (own variances)", _MEMBER, partial(_lira, "each")),
    Recipe("LiRA, share of S called members (shared variance)", _MEMBER, partial(_lira, "shared")),
    Recipe("RMIA, mean score of S (online)", _MEMBER, _rmia),
    Recipe("ToW-MIA (SVC confidence)", _MEMBER, _tow_mia),
    Recipe("ToW (S, retain, test)", _EQUAL, partial(_tow, ("forget", "retain", "test"))),
    Recipe(
        "ToW with B∖S as a factor", _EQUAL, partial(_tow, ("forget", "behaviour", "retain", "test"))
    ),
    Recipe("accuracy on forget", _EQUAL, partial(_accuracy, "forget")),
    Recipe("accuracy on retain", _EQUAL, partial(_accuracy, "retain")),
    Recipe("accuracy on test", _EQUAL, partial(_accuracy, "test")),
    Recipe("SAPE of accuracy on forget", _EQUAL, partial(_sape, "forget")),
    Recipe("SAPE of accuracy on test", _EQUAL, partial(_sape, "test")),
    Recipe("AUS", _EQUAL, _aus),
    Recipe("relearn time of S, steps", _BACK, _relearn),
    Recipe("corrective: behaviour not shown by fresh instances", _CORRECT, _hidden),
)

NEVER = {
    "U-LiRA (negatives unlearned elsewhere)": (
        "needs reference models that went through unlearning of other examples"
    ),
    "corrective accuracy (clean labels)": (
        "needs clean labels: probes of the behaviour hold the label that shows it"
    ),
    "subset guessing epsilon": "needs runs that unlearned random halves of the same batches",
    "TOFU truth ratio and forget quality": "need probabilities of perturbed answers",
    "Min-k % and MUSE PrivLeak": "need the probability of each token of each text",
    "MUSE VerbMem and KnowMem": "need generated text",
}
"""Scores that no observations at probes allow, and why."""
