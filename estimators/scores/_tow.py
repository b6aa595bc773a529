"""Tug of war: how near a submission's accuracies are to the reference's, on all groups at once."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num, Shaped

from estimators.checks import check_all_within, check_seed
from estimators.scores._populations import check_names, check_populations, check_sides
from estimators.scores._score import Score, scored

if TYPE_CHECKING:
    import pandas as pd


def tow_factors(
    submission: Num[Any, "n ..."], reference: Num[Any, "m ..."], *, groups: Shaped[Any, " e"]
) -> dict[str, float]:
    """``1 - |accuracy of submission - accuracy of reference|`` of each group of examples.

    Args:
        submission: what each model made of each example, in [0, 1], ``[models, examples]``; whether
            it was right, as published.
        reference: the same of the reference.
        groups: the group of each example. Published are forget, retain and test; `indist` adds the
            rest of the behaviour. Every group is a factor.

    Returns:
        Factor of each group, in [0, 1].

    Raises:
        TypeError: when numbers are not real.
        ValueError: when they are not in [0, 1], or shapes do not fit.
    """
    first, second = check_populations(submission, reference)
    check_all_within("[0, 1]", submission=first, reference=second)
    labels = check_names(groups, first.shape[1])
    gap = first.mean(axis=0) - second.mean(axis=0)
    return {
        str(name): float(1.0 - np.abs(gap[labels == name].mean())) for name in np.unique(labels)
    }


def tow_value(
    submission: Num[Any, "n ..."], reference: Num[Any, "m ..."], *, groups: Shaped[Any, " e"]
) -> Float[np.ndarray, ""]:
    """The product of `tow_factors`, as a plain number; see `tow`."""
    factors = tow_factors(submission, reference, groups=groups)
    return np.asarray(np.prod(list(factors.values())))


@dataclass(frozen=True, eq=False)
class TugOfWar(Score):
    """The product, and its factors.

    Attributes:
        factors: of each group, in [0, 1].
    """

    factors: dict[str, float]

    def to_dataframe(self) -> "pd.DataFrame":
        """One row: the score's, and a column for each factor."""
        table = super().to_dataframe()
        return table.assign(**{f"factor {name}": value for name, value in self.factors.items()})


def tow(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    groups: Shaped[Any, " e"],
    seed: int,
    confidence: float = 0.95,
    paired: bool = False,
) -> TugOfWar:
    """Tug of war: the product over groups of one less the gap in accuracy, with an interval.

    Published with the model retrained without the forget set as the reference (untraining); with
    models trained without the whole behaviour it scores unlearning. Accuracies are means over all
    models, where papers average the score over runs: that mean is lower, since each run's gaps are
    partly noise. Equal populations score below 1 for the same reason; see `calibrate`.

    Args:
        submission: whether each model was right on each example, or any number in [0, 1],
            ``[models, examples]``.
        reference: the same of the reference.
        groups: the group of each example, every group a factor.
        seed: of the interval's resamples, of models and of examples within each group.
        confidence: of the interval.
        paired: whether row i of both comes from the same seed.

    Returns:
        The score in [0, 1] with its factors.

    Raises:
        TypeError: when numbers are not real.
        ValueError: when they are not in [0, 1], or shapes do not fit.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> groups = np.array(["forget", "forget", "retain", "retain"])
        >>> ours, theirs = np.tile([1.0, 1, 1, 1], (9, 1)), np.tile([1.0, 0, 1, 1], (9, 1))
        >>> print(estimators.scores.tow(ours, theirs, groups=groups, seed=0).estimate)
        0.5

    References:
        Zhao et al. (2024), What makes unlearning hard and what to do about it,
        https://arxiv.org/abs/2406.01257.
    """
    seed = check_seed(seed)
    first, second = check_populations(submission, reference)
    labels = check_names(groups, first.shape[1])
    return _product("tug of war", (first, second), labels, seed, confidence, paired)


def _product(
    name: str,
    sides: tuple[np.ndarray, np.ndarray],
    labels: np.ndarray,
    seed: int,
    confidence: float,
    paired: bool,
) -> TugOfWar:
    fields = scored(
        partial(tow_value, groups=labels),
        *sides,
        name=name,
        ideal=1.0,
        limits=(0.0, 1.0),
        seed=seed,
        confidence=confidence,
        paired=paired,
        strata=np.unique(labels, return_inverse=True)[1],
    )
    return TugOfWar(**fields, factors=tow_factors(*sides, groups=labels))


def tow_mia(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    attack: tuple[Num[Any, " _"], Num[Any, " _"]],
    groups: Shaped[Any, " e"],
    forget: str = "forget",
    seed: int,
    confidence: float = 0.95,
    paired: bool = False,
) -> TugOfWar:
    """Tug of war whose factor of the forget set compares an attack's results, not accuracies.

    Args:
        submission: as for `tow`.
        reference: as for `tow`.
        attack: result of a membership attack on the forget set in [0, 1] for each model of the
            submission and of the reference (`svc_attack`, as published).
        groups: as for `tow`.
        forget: the group whose examples the attack's result replaces.
        seed: as for `tow`.
        confidence: of the interval.
        paired: whether row i of both comes from the same seed.

    Returns:
        The score in [0, 1] with its factors.

    Raises:
        TypeError: when numbers are not real.
        ValueError: when they are not in [0, 1], shapes do not fit, or no example is in the group.

    References:
        As for `tow`.
    """
    seed = check_seed(seed)
    first, second = check_populations(submission, reference)
    labels = check_names(groups, first.shape[1])
    attacks = check_sides(attack, "attack")
    kept = labels != forget
    if kept.all():
        raise ValueError(f"groups: expected an example in {forget!r}, found none")

    def replaced(side: np.ndarray, column: np.ndarray) -> np.ndarray:
        if column.shape != (len(side),):
            raise ValueError(f"attack: expected {len(side)} results, found shape {column.shape}")
        return np.concatenate([column[:, None], side[:, kept]], axis=1)

    return _product(
        "tug of war with attack",
        (replaced(first, attacks[0]), replaced(second, attacks[1])),
        np.concatenate([[forget], labels[kept]]),
        seed,
        confidence,
        paired,
    )
