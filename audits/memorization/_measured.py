"""Memorization and influence in a scenario: the estimates behind tables and figures.

Influence on a group of targets is that on the number of them that a model gets right. A sum over
tens of targets takes many values, so its interval is the plain one, by models, of unbounded
outcomes: pseudo-counts, as for outcomes in [0, 1], would stand for a model that gets a whole group
right and one that gets it wrong, and drown effects that are real. They are kept where nearly all
models get the same number right and a plain interval would have no width.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

import estimators
import oracles
from audits.memorization._estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

_SOURCES = ("forget", "behaviour", "retain")
TARGETS = (*_SOURCES, "behaviour_test", "near", "test")
"""Probe groups on which influence is estimated, in the order of tables."""
_LEAST_VARIED = 20
_MISSING = Estimate(np.nan, np.nan, np.nan)


@dataclass(frozen=True, eq=False)
class MemorizationStudy:
    """Memorization and influence in a scenario, from runs on random subsets.

    Attributes:
        runs: the models.
        confidence: of each interval.
    """

    runs: oracles.Runs
    confidence: float

    @property
    def groups(self) -> np.ndarray:
        """The group of each training example."""
        return self.runs.groups[: self.runs.examples]

    @property
    def sources(self) -> list[str]:
        """Groups of training examples that there are: ``forget``, ``behaviour``, ``retain``."""
        there = set(self.groups)
        return [name for name in _SOURCES if name in there]

    @cached_property
    def _right(self) -> Bool[np.ndarray, "models examples"]:
        return self.runs.correct[:, : self.runs.examples]

    @cached_property
    def memorization(self) -> estimators.Memorization:
        """Of each training example, from being right or wrong."""
        return estimators.memorization(self.runs.included, self._right, confidence=self.confidence)

    @cached_property
    def soft(self) -> estimators.Memorization:
        """Of each training example, from the probability of its label."""
        seen = self.runs.probability[:, : self.runs.examples]
        return estimators.memorization(self.runs.included, seen, confidence=self.confidence)

    @cached_property
    def pairs(self) -> estimators.CrossInfluence:
        """Of each training example on every target."""
        return estimators.cross_influence(
            self.runs.included, self.runs.correct, confidence=self.confidence
        )

    def mean_memorization(self, group: str, confidence: float | None = None) -> Estimate:
        """Mean memorization of a group of training examples; missing where undetermined."""
        members = np.flatnonzero(self.groups == group)
        return self._mean(self.runs.included, self._right, members, confidence)

    def mean_influence(self, source: str, target: str, confidence: float | None = None) -> Estimate:
        """Mean influence of one example of a group on *another* target of a group.

        Its interval is by models: each model is one draw, whatever the size of the groups.
        """
        outcome, scale = self._outcome(source, target)
        if not scale:
            return _MISSING
        members = np.flatnonzero(self.groups == source)
        included = self.runs.included[:, members]
        mean = self._mean(included, outcome, np.arange(members.size), confidence)
        return mean.scaled(scale)

    def memorization_table(self) -> "pd.DataFrame":
        """A row for each training example; numbers are missing where undetermined."""
        import pandas as pd

        hard, soft = self.memorization, self.soft
        examples = {
            "example": np.arange(self.runs.examples),
            "label": self.runs.labels[: self.runs.examples],
            "group": self.groups,
            "n_in": hard.arms.n_in,
            "n_out": hard.arms.n_out,
        }
        without = np.where(hard.arms.n_out > 0, hard.arms.mean_out, np.nan)
        return pd.DataFrame(
            examples
            | _columns("memorization", "", hard)
            | _columns("soft", "soft_", soft)
            | {"out_of_sample_accuracy": without}
        )

    def self_cross_table(self) -> "pd.DataFrame":
        """A row for each training example: on itself, on others of its group, on fresh ones."""
        import pandas as pd

        table = pd.DataFrame(
            {"example": np.arange(self.runs.examples), "group": self.groups}
            | _columns("memorization", "", self.memorization)
        )
        for name, target in (("others", ""), ("fresh", "behaviour_test")):
            estimates = np.full((3, self.runs.examples), np.nan)
            counts = np.zeros(self.runs.examples, dtype=int)
            for source in self.sources:
                members = self.groups == source
                estimates[:, members] = self._each(source, target or source)
                counts[members] = self._others(source, target or source)
            table[f"{name}_count"] = counts
            columns = (name, f"{name}_low", f"{name}_high")
            table = table.assign(**dict(zip(columns, estimates, strict=True)))
        return table

    def group_table(self) -> "pd.DataFrame":
        """A row for each group of sources and group of targets."""
        import pandas as pd

        rows = [
            (
                source,
                target,
                int((self.groups == source).sum()),
                int((self.runs.groups == target).sum()),
                *self.mean_influence(source, target),
            )
            for source, target in self._cells()
        ]
        columns = ["source", "target", "sources", "targets", "influence", "low", "high"]
        return pd.DataFrame(rows, columns=columns)

    def pairs_table(self, candidates: int = 1000) -> "pd.DataFrame":
        """The strongest influences on another target, those shown not to be 0 among all pairs.

        Args:
            candidates: pairs that are looked at, those of the largest estimates.

        Returns:
            A row for each pair shown; intervals of *all* pairs hold at once, by Bonferroni.
        """
        import pandas as pd

        magnitudes = np.where(self.pairs.undetermined, 0.0, np.abs(self.pairs.estimate))
        np.fill_diagonal(magnitudes, 0.0)
        order = np.argsort(-magnitudes, axis=None, kind="stable")[:candidates]
        sources, targets = np.unravel_index(order, magnitudes.shape)
        # Pairs as columns: exact tails are slow for millions, and few of them are wanted.
        chosen = estimators.memorization(
            self.runs.included[:, sources], self.runs.correct[:, targets]
        )
        statements = max(int((~chosen.undetermined).sum()), 1)
        level = (1 - self.confidence) * statements / magnitudes.size
        ends = chosen.simultaneous(1 - level).confidence_interval
        table = pd.DataFrame(
            {
                "source": sources,
                "target": targets,
                "source_group": self.groups[sources],
                "target_group": self.runs.groups[targets],
                "source_label": self.runs.labels[sources],
                "target_label": self.runs.labels[targets],
                "influence": chosen.estimate,
                "low": ends.low,
                "high": ends.high,
            }
        )
        certain = (magnitudes.ravel()[order] > 0) & ((ends.low > 0) | (ends.high < 0))
        return table.loc[certain].reset_index(drop=True)

    def _cells(self) -> Iterator[tuple[str, str]]:
        targets = set(self.runs.groups)
        for source in self.sources:
            yield from ((source, target) for target in TARGETS if target in targets)

    def _outcome(self, source: str, target: str) -> tuple[Float[np.ndarray, "models s"], float]:
        """How many targets of a group each model gets right, the source itself left out.

        Returns:
            The number right, or the share of them where that hardly varies, for each source; and
            what turns it into a share, 0 where there are no targets.
        """
        targets = self.runs.groups == target
        right = self.runs.correct[:, targets].sum(axis=1)
        members = np.flatnonzero(self.groups == source)
        own = self._right[:, members] if source == target else np.zeros((1, members.size))
        count = right[:, None] - own.astype(np.float64)
        others = self._others(source, target)
        if others < 1:
            return count, 0.0
        varied = len(right) - int(np.bincount(right).max())
        return (count, 1 / others) if varied >= _LEAST_VARIED else (count / others, 1.0)

    def _others(self, source: str, target: str) -> int:
        return int((self.runs.groups == target).sum()) - (source == target)

    def _each(self, source: str, target: str) -> Float[np.ndarray, "3 s"]:
        outcome, scale = self._outcome(source, target)
        if not scale:
            return np.full((3, outcome.shape[1]), np.nan)
        included = self.runs.included[:, self.groups == source]
        # Column by column, as for memorization, since each source has others of its own.
        influence = estimators.memorization(included, outcome, confidence=self.confidence)
        ends = influence.confidence_interval
        numbers = np.stack([influence.estimate, ends.low, ends.high])
        return np.where(influence.undetermined, np.nan, scale * numbers)

    def _mean(
        self,
        included: Bool[np.ndarray, "models s"],
        outcome: np.ndarray,
        members: Int[np.ndarray, " members"],
        confidence: float | None,
    ) -> Estimate:
        # The count above a threshold is not asked for, and meets 0 · ∞ where outcomes are constant.
        with np.errstate(invalid="ignore"):
            mean = estimators.set_memorization(
                included, outcome, members, confidence=confidence or self.confidence
            )
        if mean.undetermined:
            return _MISSING
        return Estimate.of(float(mean.estimate), mean.confidence_interval)


def _columns(
    name: str, prefix: str, memorization: estimators.Memorization
) -> dict[str, np.ndarray]:
    ends = memorization.confidence_interval
    numbers = {name: memorization.estimate, f"{prefix}low": ends.low, f"{prefix}high": ends.high}
    return {
        column: np.where(memorization.undetermined, np.nan, values)
        for column, values in numbers.items()
    }
