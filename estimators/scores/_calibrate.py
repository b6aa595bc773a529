"""What a score's value means: beside it the reference against itself, and the original."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from estimators._results import Result
from estimators.checks import check_confidence, check_counts, check_samples, check_seed
from estimators.scores._score import ScoreFunction

if TYPE_CHECKING:
    import pandas as pd


class Spread(NamedTuple):
    """A score over random splits: median and central range, a number or an array each."""

    low: Float[np.ndarray, "..."]
    median: Float[np.ndarray, "..."]
    high: Float[np.ndarray, "..."]


@dataclass(frozen=True, eq=False, kw_only=True)
class SplitScores(Result):
    """Scores over random splits of a reference: a perfect unlearner's, and the original's.

    Attributes:
        null: scores of the reference against disjoint models of itself: a perfect unlearner's.
        original: scores of the original, unlearned by nothing.
        tells: whether the ranges of ``null`` and ``original`` are apart. Where they are not, the
            score cannot tell a perfect unlearner from the original at this number of models.
        confidence_level: share of the splits that each range holds.
        splits: random splits of each reference, at each number of models.
        seed: of the splits.
    """

    null: Spread
    original: Spread
    tells: Bool[np.ndarray, " _"]
    confidence_level: float
    splits: int
    seed: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Calibration(SplitScores):
    """One score of three populations against each reference, all at the same number of models.

    Attributes:
        references: their names, R of them.
        models: models on each side of each comparison.
        submission: the score of the submission against each reference, [R].
        beyond: whether the submission's median lies outside the range of the null, [R].
        method: how the ranges are found.
    """

    references: tuple[str, ...]
    models: int
    submission: Spread
    beyond: Bool[np.ndarray, " R"]
    method: str

    def _title(self) -> str:
        return (
            f"calibrated score, {self.models} models against {self.models}, central "
            f"{100 * self.confidence_level:g} % of {self.splits} splits, seed {self.seed}"
        )

    def _remarks(self) -> list[str]:
        return [*self.verdict(), *super()._remarks()]

    def verdict(self) -> tuple[str, ...]:
        """A plain sentence for each reference."""
        return tuple(
            f"against {name}: this score {'can' if tells else 'cannot'} tell a perfect unlearner "
            f"from the original at {self.models} models"
            for name, tells in zip(self.references, self.tells, strict=True)
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """Three rows for each reference: submission, null and original."""
        import pandas as pd

        rows = [
            {"reference": name, "population": who}
            | {part: float(values[i]) for part, values in spread._asdict().items()}
            for i, name in enumerate(self.references)
            for who, spread in (
                ("submission", self.submission),
                ("null", self.null),
                ("original", self.original),
            )
        ]
        return pd.DataFrame(rows)


def _split_scores(
    score: ScoreFunction,
    populations: tuple[np.ndarray, np.ndarray],
    reference: np.ndarray,
    models: int,
    splits: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "3 splits"]:
    """Scores of submission, null and original against the same random half of the reference."""
    found = np.empty((3, splits))
    for i in range(splits):
        order = rng.permutation(len(reference))
        half, rest = reference[order[:models]], reference[order[models : 2 * models]]
        ours, original = (side[rng.permutation(len(side))[:models]] for side in populations)
        found[:, i] = score(ours, half), score(rest, half), score(original, half)
    return found


def _checked_populations(
    submission: Any, references: Mapping[str, Any], original: Any
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    ours = check_samples(submission, "submission", least=2)
    start = check_samples(original, "original", least=2)
    if not references:
        raise ValueError("references: expected at least one, found none")
    bars = {name: check_samples(side, name, least=4) for name, side in references.items()}
    for name, array in (("original", start), *bars.items()):
        if array.shape[1:] != ours.shape[1:]:
            raise ValueError(
                f"{name}: expected trailing shape {ours.shape[1:]} as the submission, found "
                f"{array.shape[1:]}"
            )
    return ours, bars, start


def calibrate(
    score: ScoreFunction,
    submission: Num[Any, "n ..."],
    references: Mapping[str, Any],
    *,
    original: Num[Any, "o ..."],
    seed: int,
    models: int | None = None,
    splits: int = 100,
    confidence: float = 0.95,
) -> Calibration:
    """Any score under every reference, beside its null and the original's.

    Each split cuts a reference into two disjoint parts of N models. The second part, N models of
    the submission and N of the original are scored against the first. Most scores depend on N, so
    only values at one N are compared; and no value is compared with a constant such as 0.5.

    Args:
        score: takes ``[N, ...]`` of a submission and ``[N, ...]`` of a reference to a number.
        submission: leading axis models.
        references: name to population; at least 2 N models each. Name both: the untraining
            reference A(D minus S) and the unlearning reference A(D minus B).
        original: models that were not unlearned at all.
        seed: of the splits.
        models: N; None for the most that submission, original and half of each reference allow.
        splits: of each reference; 100 puts two or three beyond each end of a 95 % range.
        confidence: share of the splits within each range, in (0, 1).

    Returns:
        The ranges, and whether the score tells a perfect unlearner from the original.

    Raises:
        TypeError: when populations are not real numbers.
        ValueError: when shapes differ, models are too few, or a number is out of range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> retrained, original = rng.normal(size=(64, 8)), rng.normal(3.0, 1.0, (32, 8))
        >>> klom = estimators.scores.klom_value
        >>> found = estimators.scores.calibrate(
        ...     klom, original, {"untraining": retrained}, original=original, seed=0
        ... )
        >>> found.verdict()
        ('against untraining: this score can tell a perfect unlearner from the original at 32
        models',)
    """
    seed = check_seed(seed)
    ours, bars, start = _checked_populations(submission, references, original)
    alpha = 1.0 - check_confidence(confidence)
    check_counts(least=2, splits=splits)
    most = min(len(ours), len(start), *(len(bar) // 2 for bar in bars.values()))
    size = most if models is None else models
    if not 1 <= size <= most:
        raise ValueError(f"models: expected a number from 1 to {most}, found {models}")
    rng = np.random.default_rng(seed)
    found = np.stack(
        [_split_scores(score, (ours, start), bar, size, splits, rng) for bar in bars.values()]
    )
    ends = np.quantile(found, [alpha / 2.0, 0.5, 1.0 - alpha / 2.0], axis=2)
    low, median, high = ends
    return Calibration(
        references=tuple(bars),
        models=size,
        submission=Spread(*ends[:, :, 0]),
        null=Spread(*ends[:, :, 1]),
        original=Spread(*ends[:, :, 2]),
        tells=(low[:, 2] > high[:, 1]) | (high[:, 2] < low[:, 1]),
        beyond=(median[:, 0] > high[:, 1]) | (median[:, 0] < low[:, 1]),
        confidence_level=1.0 - alpha,
        splits=splits,
        seed=seed,
        method="random splits of each reference into disjoint parts",
        assumptions=(
            "models are independent, within each population and between them",
            "splits of one reference overlap: ranges are of this reference's models, and where the "
            "submission has N models only, its range leaves out which they are",
        ),
        warnings=(),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelsNeeded(SplitScores):
    """From which number of models on a score tells a perfect unlearner from the original.

    Attributes:
        models: numbers tried, rising, [K].
        tells: whether it tells them apart at each, [K].
        null: the reference against itself at each, [K].
        original: the original at each, [K].
        needed: the least number tried from which on it always does; None where even the most
            models tried are too few.
        undetermined: whether even the most models tried are too few.
    """

    models: Int[np.ndarray, " K"]
    needed: int | None
    undetermined: bool

    def _title(self) -> str:
        answer = f"more than {self.models[-1]}" if self.needed is None else str(self.needed)
        return (
            f"models needed to tell a perfect unlearner from the original: {answer}; central "
            f"{100 * self.confidence_level:g} % of {self.splits} splits, seed {self.seed}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each number of models."""
        import pandas as pd

        columns: dict[str, Any] = {"models": self.models}
        for who, spread in (("null", self.null), ("original", self.original)):
            columns |= {f"{who} {part}": values for part, values in spread._asdict().items()}
        return pd.DataFrame(columns | {"tells": self.tells})


def score_models_needed(
    score: ScoreFunction,
    original: Num[Any, "o ..."],
    reference: Num[Any, "m ..."],
    *,
    models: tuple[int, ...],
    seed: int,
    splits: int = 100,
    confidence: float = 0.95,
) -> ModelsNeeded:
    """The number of models a score needs on each side to tell a perfect unlearner from none at all.

    `calibrate` at each of several numbers; the answer is the least from which on the ranges of null
    and original stay apart.

    Args:
        score: as for `calibrate`.
        original: models that were not unlearned.
        reference: at least twice as many models as the greatest number tried.
        models: numbers to try, rising.
        seed: of the splits, the same at each number.
        splits: at each number.
        confidence: share of the splits within each range.

    Returns:
        The number, or that the most tried is too few.

    Raises:
        TypeError: when populations are not real numbers.
        ValueError: when numbers of models do not rise or there are too few models for them.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> retrained, original = rng.normal(size=(64, 8)), rng.normal(3.0, 1.0, (32, 8))
        >>> estimators.scores.score_models_needed(
        ...     estimators.scores.klom_value, original, retrained, models=(4, 8, 16, 32), seed=0
        ... ).undetermined
        False
    """
    seed = check_seed(seed)
    if not models or any(b <= a for a, b in zip(models, models[1:], strict=False)):
        raise ValueError(f"models: expected rising numbers, found {models}")
    each = [
        calibrate(
            score,
            original,
            {"reference": reference},
            original=original,
            seed=seed,
            models=number,
            splits=splits,
            confidence=confidence,
        )
        for number in models
    ]
    tells = np.array([bool(calibration.tells[0]) for calibration in each])
    failed = np.flatnonzero(~tells)
    first = int(failed[-1]) + 1 if failed.size else 0
    return ModelsNeeded(
        models=np.array(models),
        tells=tells,
        null=_spread_over([calibration.null for calibration in each]),
        original=_spread_over([calibration.original for calibration in each]),
        needed=models[first] if first < len(models) else None,
        confidence_level=each[0].confidence_level,
        splits=splits,
        seed=seed,
        assumptions=each[0].assumptions,
        warnings=(),
        undetermined=first == len(models),
    )


def _spread_over(spreads: list[Spread]) -> Spread:
    """The spreads of single references as one, an entry each."""
    return Spread(*np.array([[end[0] for end in spread] for spread in spreads]).T)
