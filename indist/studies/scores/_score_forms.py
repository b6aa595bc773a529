"""Each published score as one function of what was seen of models, and how its value is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.special import expit

from estimators import scores
from estimators.exact import plug_in_delta

Reading = Literal["higher is better", "lower is better", "nearest"]

FORGET, REST, FRESH = "forget", "behaviour", "behaviour_test"


@dataclass(frozen=True, eq=False)
class SeenModels:
    """What was seen of some models of two classes.

    Attributes:
        margins: log-odds of each probe's label, ``[models, probes]``.
        attacks: results of attacks that look at a model alone; see `attacked`. They may be of some
            models only: no score asks which result is of which model.
    """

    margins: Float[np.ndarray, "n probes"]
    attacks: Mapping[str, Float[np.ndarray, " results"]]

    def take(self, rows: Int[np.ndarray, " k"]) -> "SeenModels":
        """Some of them; attacks of all are drawn alike where their number divides the models'."""
        attacks = {name: values[rows % len(values)] for name, values in self.attacks.items()}
        return SeenModels(self.margins[rows], attacks)

    def join(self, others: "SeenModels") -> "SeenModels":
        """These, and others after them."""
        return SeenModels(
            np.concatenate([self.margins, others.margins]),
            {
                name: np.concatenate([values, others.attacks[name]])
                for name, values in self.attacks.items()
                if name in others.attacks
            },
        )


@dataclass(frozen=True, eq=False)
class Case:
    """A submission to be scored, and all that any score asks for.

    Attributes:
        groups: the group of each probe.
        ours: the submission, which forgot S.
        twins: the same unlearner's models that forgot B∖S in place of S.
        theirs: models of the reference.
        original: models that unlearned nothing.
    """

    groups: Shaped[np.ndarray, " probes"]
    ours: SeenModels
    twins: SeenModels
    theirs: SeenModels
    original: SeenModels

    def at(self, models: SeenModels, *groups: str) -> Float[np.ndarray, "n e"]:
        """Margins at the probes of some groups, one group after the other."""
        return np.concatenate([models.margins[:, self.groups == name] for name in groups], axis=1)

    @property
    def present(self) -> Shaped[np.ndarray, " g"]:
        """The groups that probes belong to."""
        return np.unique(self.groups)

    def medians(self, models: SeenModels) -> Float[np.ndarray, "n g"]:
        """Median margin of each model on each group, in the order of `present`."""
        values = [np.median(self.at(models, name), axis=1) for name in self.present]
        return np.stack(values, axis=1)

    def accuracy(self, models: SeenModels, group: str) -> Float[np.ndarray, " n"]:
        """Share of a group's probes that each model gives their label."""
        return (self.at(models, group) > 0.0).mean(axis=1)


@dataclass(frozen=True)
class ScoreForm:
    """A score in its published form.

    Attributes:
        name: of the score.
        family: what kind of score it is.
        value: the score.
        reading: how papers read it; "nearest" is to ``target``.
        target: of that reading.
        decision: the published rule that fails a submission by its value, in words; empty: none.
        fails: that rule.
        compares: whether it takes a reference.
        most: models a side beyond which it is not computed, as it costs too much; 0: no limit.
    """

    name: str
    family: str
    value: Callable[[Case], float]
    reading: Reading
    target: float = 0.0
    decision: str = ""
    fails: Callable[[float], bool] | None = None
    compares: bool = True
    most: int = 0

    def badness(self, value: float) -> float:
        """The value turned so that greater reads as worse."""
        if self.reading == "nearest":
            return abs(value - self.target)
        return -value if self.reading == "higher is better" else value

    @property
    def read(self) -> str:
        """The reading in words."""
        return f"{self.target:g} is perfect" if self.reading == "nearest" else self.reading


def attacked(
    margins: Float[np.ndarray, "n probes"],
    groups: Shaped[np.ndarray, " probes"],
    teachers: Float[np.ndarray, "t probes"],
    *,
    seed: int,
) -> dict[str, Float[np.ndarray, " n"]]:
    """Results of what looks at each model alone.

    Args:
        margins: as of `SeenModels`.
        groups: the group of each probe.
        teachers: margins of models with random parameters.
        seed: of the attacks' own splits.

    Returns:
        ``svc``: `scores.svc_attack`; ``logistic``: `scores.logistic_attack`; ``zrf``:
        `scores.zrf_per_model` on S.
    """
    seen = np.isin(groups, (FORGET, "retain", "test"))
    own = _probabilities(margins[:, seen])
    labels = np.zeros(int(seen.sum()), dtype=np.int64)
    gone = groups == FORGET
    return {
        "svc": scores.svc_attack(own, labels, groups[seen]),
        "logistic": scores.logistic_attack(
            np.logaddexp(0.0, -margins[:, seen]), groups[seen], seed=seed
        ),
        "zrf": scores.zrf_per_model(
            _probabilities(margins[:, gone]), _probabilities(teachers[:, gone])
        ),
    }


def _probabilities(margins: Float[np.ndarray, "n e"]) -> Float[np.ndarray, "n e 2"]:
    """Of a probe's label, and of the other class."""
    return np.stack([expit(margins), expit(-margins)], axis=2)


def _on_forget(score: Callable[..., np.ndarray], case: Case) -> float:
    return float(score(case.at(case.ours, FORGET), case.at(case.theirs, FORGET)))


def _mean_epsilon(case: Case) -> float:
    found = scores.competition_epsilon(case.at(case.ours, FORGET), case.at(case.theirs, FORGET))
    return float(found[np.isfinite(found)].mean())


def _lira(case: Case) -> float:
    """Share of (model, example of S) called a member by shadows of the original and reference."""
    trained, never = case.at(case.original, FORGET), case.at(case.theirs, FORGET)
    shadows = np.concatenate([trained, never])
    included = np.repeat([True, False], [len(trained), len(never)])
    member = np.broadcast_to(included[:, None], shadows.shape)
    return float((scores.lira_scores(case.at(case.ours, FORGET), shadows, member) > 0.0).mean())


def _rmia(case: Case) -> float:
    """Mean AUC of S against fresh instances of the behaviour."""
    shadows = case.original.join(case.theirs)
    found = scores.rmia_scores(
        expit(case.at(case.ours, FORGET, FRESH)),
        expit(case.at(case.ours, "test")),
        expit(case.at(shadows, FORGET, FRESH)),
        expit(case.at(shadows, "test")),
    )
    return float(scores.auc_per_model(found, _member(case)).mean())


def _member(case: Case) -> Shaped[np.ndarray, " e"]:
    sizes = [int((case.groups == name).sum()) for name in (FORGET, FRESH)]
    return np.repeat([True, False], sizes)


def _privleak(case: Case) -> float:
    ours, theirs = (case.at(side, FORGET, FRESH) for side in (case.ours, case.theirs))
    return float(scores.privleak_value(ours, theirs, member=_member(case)))


def _tow(groups: tuple[str, ...], case: Case) -> float:
    labels = np.repeat(groups, [int((case.groups == name).sum()) for name in groups])
    ours, theirs = ((case.at(side, *groups) > 0.0).astype(float) for side in _sides(case))
    return float(scores.tow_value(ours, theirs, groups=labels))


def _sides(case: Case) -> tuple[SeenModels, SeenModels]:
    return case.ours, case.theirs


def _svc_gap(case: Case) -> float:
    ours, theirs = (side.attacks["svc"].mean() for side in _sides(case))
    return float(abs(ours - theirs))


def _tow_mia(case: Case) -> float:
    return (1.0 - _svc_gap(case)) * _tow(("retain", "test"), case)


def _attack(name: str, case: Case) -> float:
    return float(case.ours.attacks[name].mean())


def _indiscernibility(case: Case) -> float:
    return float(scores.indiscernibility(case.ours.attacks["logistic"]).mean())


def _sape(case: Case) -> float:
    ours, theirs = (case.accuracy(side, FORGET).mean() for side in _sides(case))
    return float(scores.sape(ours, theirs))


def _aus(case: Case) -> float:
    start = float(case.accuracy(case.original, "test").mean())
    ours = (case.accuracy(case.ours, group) for group in ("test", FORGET))
    return float(scores.adaptive_unlearning_score(*ours, original=start).mean())


def _corrective(case: Case) -> float:
    """The taught label is 1 here, the clean one 0."""
    taught = (case.at(case.ours, FRESH) > 0.0).astype(np.int64)
    clean = np.zeros(taught.shape[1], dtype=np.int64)
    return float(scores.corrective_accuracy(taught, clean).mean())


def _activation(case: Case) -> float:
    """Published for one model of each side: the mean over pairs, one beside one."""
    ours, theirs = (_probabilities(case.at(side, FORGET)) for side in _sides(case))
    pairs = zip(ours[:, None], theirs[:, None], strict=True)
    return float(np.mean([scores.activation_distance_value(*pair) for pair in pairs]))


def _forget_quality(case: Case) -> float:
    """Of one model a side, as published; of two classes the truth ratio is exp(-margin)."""
    ours, theirs = (np.exp(-case.at(side, FORGET)[:1]) for side in _sides(case))
    return float(scores.forget_quality(ours, theirs).ks[0, 0])


def _subset_guessing(case: Case) -> float:
    """Half of the models fit the likelihoods, the other half are guessed about."""
    half = len(case.ours.margins) // 2
    seen = [case.at(side, FORGET, REST)[:half] for side in (case.ours, case.twins)]
    forgot = [np.tile(row, (half, 1)) for row in ([True, False], [False, True])]
    points, truth = (np.stack(both, axis=1).reshape(2 * half, -1) for both in (seen, forgot))
    known = np.arange(2 * half) < half // 2 * 2
    overlaps = scores.guess_overlaps(points[~known], truth[~known], points[known], truth[known])
    return float(scores.subset_guessing_epsilon(overlaps, batches=2).published)


def _audit(case: Case) -> float:
    """The divergence that `indist audit` estimates: over half-lines of each group's median."""
    ours, theirs = map(case.medians, _sides(case))
    return float(plug_in_delta(ours, theirs, np.ones(1)).max())


FORMS: tuple[ScoreForm, ...] = (
    ScoreForm(
        "competition-quality",
        "competition",
        partial(_on_forget, scores.forgetting_quality),
        "higher is better",
    ),
    ScoreForm("competition-epsilon", "competition", _mean_epsilon, "lower is better"),
    ScoreForm("ulira", "U-LiRA", partial(_on_forget, scores.ulira_value), "nearest", 0.5),
    ScoreForm(
        "ulira-tpr",
        "U-LiRA",
        partial(_on_forget, partial(scores.ulira_value, fpr=0.01)),
        "lower is better",
    ),
    ScoreForm(
        "ulira-kde",
        "U-LiRA",
        partial(_on_forget, partial(scores.ulira_value, density="kde")),
        "nearest",
        0.5,
        most=128,
    ),
    ScoreForm("lira", "shadow attacks", _lira, "lower is better"),
    ScoreForm("rmia", "shadow attacks", _rmia, "nearest", 0.5),
    ScoreForm("klom", "KLoM", partial(_on_forget, scores.klom_value), "lower is better"),
    ScoreForm("tow", "tug of war", partial(_tow, (FORGET, "retain", "test")), "higher is better"),
    ScoreForm(
        "tow-behaviour",
        "tug of war",
        partial(_tow, (FORGET, REST, "retain", "test")),
        "higher is better",
    ),
    ScoreForm("tow-mia", "tug of war", _tow_mia, "higher is better"),
    ScoreForm(
        "svc", "attacks on one model", partial(_attack, "svc"), "higher is better", compares=False
    ),
    ScoreForm("svc-gap", "attacks on one model", _svc_gap, "lower is better"),
    ScoreForm(
        "logistic",
        "attacks on one model",
        partial(_attack, "logistic"),
        "nearest",
        0.5,
        compares=False,
    ),
    ScoreForm(
        "indiscernibility",
        "attacks on one model",
        _indiscernibility,
        "higher is better",
        compares=False,
    ),
    ScoreForm("sape", "accuracies", _sape, "lower is better"),
    ScoreForm("aus", "accuracies", _aus, "higher is better", compares=False),
    ScoreForm("corrective", "accuracies", _corrective, "higher is better", compares=False),
    ScoreForm("activation-distance", "outputs", _activation, "lower is better"),
    ScoreForm("zrf", "outputs", partial(_attack, "zrf"), "higher is better", compares=False),
    ScoreForm(
        "tofu-forget-quality",
        "language models",
        _forget_quality,
        "higher is better",
        decision="a p-value below 0.05 fails",
        fails=lambda value: value < 0.05,
    ),
    ScoreForm(
        "privleak",
        "language models",
        _privleak,
        "nearest",
        decision="outside -5 to 5 fails",
        fails=lambda value: abs(value) > 5.0,
    ),
    ScoreForm(
        "subset-guessing",
        "subset guessing",
        _subset_guessing,
        "lower is better",
        compares=False,
        decision="above 0 fails",
        fails=lambda value: value > 0.0,
    ),
    ScoreForm("audit", "indist", _audit, "lower is better"),
)
"""All scores, and last what `audits.audit` estimates, as a yardstick.

S takes the place of what each paper forgets, and the question's reference that of retrained models;
fresh instances of the behaviour are the held-out examples where a score asks for such of the same
kind. Where a paper has a table of numbers for retrained models, theirs is found anew.
"""
