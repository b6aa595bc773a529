"""What the literature's scores take: tables with a row for each model, of what was seen."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import log_softmax

from estimators import scores
from estimators.scores import Feature, ScoreFunction
from oracles import Observations


class ScoreInputs:
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
        """Log-probability of each class at each probe."""
        return {
            name: np.asarray(log_softmax(observed.logits.astype(np.float64), axis=2))
            for name, observed in self.seen.items()
        }

    @cached_property
    def epsilons(self) -> ScoreFunction:
        """`competition_epsilon`, whose results are kept."""
        return _kept(scores.competition_epsilon)

    @cached_property
    def quality(self) -> ScoreFunction:
        """`forgetting_quality`, whose results are kept."""
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
        return {name: observed.margins[:, chosen] for name, observed in self.seen.items()}

    def correct(self, *groups: str) -> dict[str, Float[np.ndarray, "n e"]]:
        """1 where a model gives a probe its label, else 0."""
        chosen = self.chosen(*groups)
        return {name: observed.correct[:, chosen] * 1.0 for name, observed in self.seen.items()}

    def accuracy(self, group: str) -> dict[str, Float[np.ndarray, " n"]]:
        """Share of a group's probes that each model gives their label."""
        return {name: table.mean(axis=1) for name, table in self.correct(group).items()}

    def probabilities(self, *groups: str) -> dict[str, Float[np.ndarray, "n e c"]]:
        """Probability of each class at each probe of these groups."""
        chosen = self.chosen(*groups)
        return {name: np.exp(table[:, chosen]) for name, table in self.log_probabilities.items()}

    def of_labels(self, *groups: str) -> dict[str, Float[np.ndarray, "n e"]]:
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
        groups, losses = self.groups[self.chosen(*used)], self.of_labels(*used)
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
    """A slow score that keeps its results: each row of the table asks for the same splits again."""
    results: dict[bytes, Any] = {}

    def kept(ours: np.ndarray, theirs: np.ndarray) -> Any:
        key = hashlib.sha256(ours.tobytes() + b"/" + theirs.tobytes()).digest()
        if key not in results:
            results[key] = score(ours, theirs)
        return results[key]

    return kept
