"""The literature's scores as recipes: what each takes of the observations, and what it answers."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.special import log_softmax

from audits.scores._inputs import ScoreInputs
from estimators import scores
from estimators.scores import KLOM_BINS, KLOM_FLOOR, Feature, ScoreFunction
from oracles import Observations

# With fewer models a side no score has an interval, and the quantiles of a null are its ends.
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


class Recipe(NamedTuple):
    """A named score.

    Attributes:
        name: as published, with its variant.
        question: what it can answer, against either reference.
        make: the score from what was seen; a ValueError says why it cannot be had.
    """

    name: str
    question: str
    make: Callable[[ScoreInputs], Measure]


def _epsilon(over: Callable[[np.ndarray], Any], inputs: ScoreInputs) -> Measure:
    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        if min(len(ours), len(theirs)) < FEWEST:
            raise ValueError(f"needs at least {FEWEST} models on each side")
        epsilons = inputs.epsilons(ours, theirs)
        usable = epsilons[np.isfinite(epsilons)]
        if not usable.size:
            raise ValueError("no example has a threshold rule that errs on both sides or neither")
        return float(over(usable))

    return Measure(inputs.margins("forget"), value, (0.0, 50.0))


def _quality(inputs: ScoreInputs) -> Measure:
    return Measure(inputs.margins("forget"), inputs.quality)


def _final(inputs: ScoreInputs) -> Measure:
    margins = inputs.margins("forget")
    retain, test = inputs.correct("retain"), inputs.correct("test")
    examples = next(iter(margins.values())).shape[1]
    ends = examples, examples + next(iter(retain.values())).shape[1]

    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        (our_margins, our_retain, our_test), (their_margins, their_retain, their_test) = (
            np.split(table, ends, axis=1) for table in (ours, theirs)
        )
        return scores.final_score(
            inputs.quality(our_margins, their_margins),
            retain=(our_retain.mean(axis=1), their_retain.mean(axis=1)),
            test=(our_test.mean(axis=1), their_test.mean(axis=1)),
        )

    tables = {name: np.hstack([margins[name], retain[name], test[name]]) for name in inputs.seen}
    return Measure(tables, value, (0.0, math.inf))


def _ulira(density: Any, fpr: float | None, inputs: ScoreInputs) -> Measure:
    models = min(len(inputs.seen[name].margins) // 2 for name in ("untraining", "unlearning"))
    models = min(models, inputs.seen["submission"].models)
    if fpr is not None and fpr * models < 1.0:
        least = math.ceil(1.0 / fpr)
        raise ValueError(
            f"a rate of {fpr:g} takes {least:,} models on each side, twice as many of each "
            f"reference for its null; found enough for {models:,}"
        )
    return Measure(inputs.margins("forget"), partial(scores.ulira_value, density=density, fpr=fpr))


def _shadows(
    tables: dict[str, np.ndarray], inputs: ScoreInputs
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Tables that keep half of the originals, and the other half as shadow models that saw S."""
    half = inputs.original().models // 2
    return tables | {"original": tables["original"][:half]}, tables["original"][half:]


def _lira(variance: Any, inputs: ScoreInputs) -> Measure:
    tables, inside = _shadows(inputs.margins("forget"), inputs)

    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        seen = np.concatenate([inside, theirs])
        included = np.broadcast_to(np.arange(len(seen))[:, None] < len(inside), seen.shape)
        return float((scores.lira_scores(ours, seen, included, variance=variance) > 0.0).mean())

    return Measure(tables, value)


def _rmia(inputs: ScoreInputs) -> Measure:
    log_probabilities = inputs.of_labels("forget", "test")
    forget = inputs.groups[inputs.chosen("forget", "test")] == "forget"
    least = np.finfo(np.float64).tiny
    probabilities = {
        name: np.maximum(np.exp(table), least) for name, table in log_probabilities.items()
    }
    tables, inside = _shadows(probabilities, inputs)

    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        each = min(len(inside), len(theirs))
        seen = np.concatenate([inside[:each], theirs[:each]])
        members = scores.rmia_scores(
            ours[:, forget], ours[:, ~forget], seen[:, forget], seen[:, ~forget]
        )
        return float(members.mean())

    return Measure(tables, value)


def _klom(group: str, variant: Any, inputs: ScoreInputs) -> Measure:
    excess, most = math.log1p(KLOM_BINS * KLOM_FLOOR), math.log(1.0 / KLOM_FLOOR)
    limits = (-excess, most) if variant == "plain" else (0.0, most + excess)
    return Measure(inputs.margins(group), partial(scores.klom_value, variant=variant), limits)


def _tow(groups: tuple[str, ...], inputs: ScoreInputs) -> Measure:
    labels = inputs.groups[inputs.chosen(*groups)]
    return Measure(
        inputs.correct(*groups), partial(scores.tow_value, groups=labels), strata=_numbered(labels)
    )


def _tow_mia(inputs: ScoreInputs) -> Measure:
    kept = inputs.chosen("retain", "test")
    attack, correct = inputs.svc("confidence"), inputs.correct("retain", "test")
    labels = np.concatenate([["forget"], inputs.groups[kept]])
    return Measure(
        {name: np.column_stack([attack[name], correct[name]]) for name in inputs.seen},
        partial(scores.tow_value, groups=labels),
        strata=_numbered(labels),
    )


def _numbered(labels: Shaped[np.ndarray, " e"]) -> Int[np.ndarray, " e"]:
    return np.unique(labels, return_inverse=True)[1]


def _svc(feature: Feature, inputs: ScoreInputs) -> Measure:
    return Measure(inputs.svc(feature))


def _logistic(inputs: ScoreInputs) -> Measure:
    return Measure(inputs.logistic())


def _indiscernibility(inputs: ScoreInputs) -> Measure:
    return Measure(
        {name: scores.indiscernibility(table) for name, table in inputs.logistic().items()}
    )


def _accuracy(group: str, inputs: ScoreInputs) -> Measure:
    return Measure(inputs.accuracy(group))


def _hidden(inputs: ScoreInputs) -> Measure:
    chosen = inputs.chosen("behaviour_test")
    labels = inputs.labels[chosen]

    def share(observed: Observations) -> np.ndarray:
        predicted = observed.logits[:, chosen].argmax(axis=2)
        return 1.0 - scores.corrective_accuracy(predicted, labels)

    return Measure({name: share(observed) for name, observed in inputs.seen.items()})


def _sape(group: str, inputs: ScoreInputs) -> Measure:
    def value(ours: np.ndarray, theirs: np.ndarray) -> float:
        return float(scores.sape(ours.mean(), theirs.mean()))

    return Measure(inputs.accuracy(group), value, (0.0, 100.0))


def _aus(inputs: ScoreInputs) -> Measure:
    inputs.original()
    test, forget = inputs.accuracy("test"), inputs.accuracy("forget")
    before = float(test["original"].mean())
    return Measure(
        {
            name: scores.adaptive_unlearning_score(test[name], forget[name], original=before)
            for name in inputs.seen
        },
        limits=(0.0, 2.0),
    )


def _activation(inputs: ScoreInputs) -> Measure:
    return Measure(
        inputs.probabilities("forget"), scores.activation_distance_value, (0.0, math.sqrt(2.0))
    )


def _zrf(inputs: ScoreInputs) -> Measure:
    chosen, logits = inputs.chosen("forget"), inputs.teachers
    if logits is None:
        raise ValueError("needs models with random parameters: references that hold a learner")
    teachers = np.exp(np.asarray(log_softmax(logits[:, chosen], axis=2)))
    return Measure(
        {
            name: scores.zrf_per_model(table, teachers)
            for name, table in inputs.probabilities("forget").items()
        }
    )


def _relearn(inputs: ScoreInputs) -> Measure:
    if set(inputs.relearn) != set(inputs.seen):
        raise ValueError("needs parameters of all populations, to train them further")
    return Measure(
        {name: steps.astype(np.float64) for name, steps in inputs.relearn.items()},
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
