"""What every score needs of its two populations, a submission and a reference: mostly checks."""

from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from estimators.checks import check_all_within, check_array, check_samples
from estimators.kinds import check_kind

# Fitted deviations are at least this share of the range of what was seen: nothing divides by zero.
_LEAST_DEVIATION = 1e-3


def least_deviation(*samples: Float[np.ndarray, "_ e"]) -> Float[np.ndarray, " e"]:
    """The least deviation that a density fitted to an example may have.

    Args:
        samples: what was seen of each example, ``[models, examples]``.

    Returns:
        A thousandth of the range of each example over all samples, or a thousandth where all agree.
    """
    low = np.min([sample.min(axis=0) for sample in samples], axis=0)
    span = np.max([sample.max(axis=0) for sample in samples], axis=0) - low
    return _LEAST_DEVIATION * np.where(span > 0.0, span, 1.0)


def check_populations(
    submission: Any, reference: Any, *, least: int = 1
) -> tuple[Float[np.ndarray, "n e"], Float[np.ndarray, "m e"]]:
    """Two populations observed at the same examples, ``[models, examples]`` each.

    Raises:
        TypeError: when the values are not real numbers.
        ValueError: when models are too few, numbers are not finite, or examples differ.
    """
    first = check_table(submission, "submission", least=least)
    second = check_table(reference, "reference", least=least)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"submission and reference: expected the same examples, found {first.shape[1]} and "
            f"{second.shape[1]}"
        )
    return first, second


def check_table(values: Any, name: str, *, least: int = 1) -> Float[np.ndarray, "n e"]:
    """One population ``[models, examples]`` with at least one example.

    Raises:
        TypeError: when the values are not real numbers.
        ValueError: when models are too few, numbers are not finite, or it is no such table.
    """
    table = check_samples(values, name, least=least)
    if table.ndim != 2 or not table.shape[1]:
        raise ValueError(f"{name}: expected [models, examples], found shape {table.shape}")
    return table


def check_probabilities(values: Any, name: str) -> Float[np.ndarray, "n e c"]:
    """Class probabilities ``[models, examples, classes]``, each row summing to 1 within 1e-3.

    Raises:
        TypeError: when the values are not real numbers.
        ValueError: when they are no such probabilities.
    """
    array = check_samples(values, name)
    if array.ndim != 3 or not array.shape[1] or array.shape[2] < 2:
        raise ValueError(f"{name}: expected [models, examples, classes], found shape {array.shape}")
    check_all_within("[0, 1]", **{name: array})
    total = array.sum(axis=2)
    if np.abs(total - 1.0).max() > 1e-3:
        worst = total.ravel()[np.abs(total - 1.0).argmax()]
        raise ValueError(f"{name}: expected probabilities that sum to 1, found a sum of {worst:g}")
    return array


def check_sides(pair: Any, name: str) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """Two lists of rates in [0, 1], a number for each model of the submission and of the reference.

    Raises:
        TypeError: when it is no pair, or the values are not real numbers.
        ValueError: when a list is empty or no list, or a number lies outside.
    """
    expected = "a pair, of the submission and of the reference"
    check_kind(pair, name, (tuple, list, np.ndarray), expected)
    if len(pair) != 2:
        raise ValueError(f"{name}: expected {expected}, found {len(pair)} parts")
    first, second = (check_samples(side, name) for side in pair)
    for side in (first, second):
        if side.ndim != 1:
            raise ValueError(f"{name}: expected a number for each model, found shape {side.shape}")
        check_all_within("[0, 1]", **{name: side})
    return first, second


def check_magnitude(**samples: Float[np.ndarray, "..."]) -> None:
    """Numbers whose squares, and sums of them, float64 holds.

    Raises:
        ValueError: otherwise.
    """
    check_all_within("[-1e150, 1e150]", **samples)


def check_groups(groups: Any, examples: int, *wanted: str) -> list[np.ndarray]:
    """Places of the examples of each group wanted, none of which is empty.

    Raises:
        ValueError: when there is not one name an example, or a group is empty.
    """
    labels = check_names(groups, examples)
    places = [np.flatnonzero(labels == name) for name in wanted]
    for name, place in zip(wanted, places, strict=True):
        if not place.size:
            raise ValueError(f"groups: expected an example in {name!r}, found none")
    return places


def check_names(groups: Any, examples: int) -> Shaped[np.ndarray, " e"]:
    """The name of each example's group.

    Raises:
        ValueError: when there is not one name an example.
    """
    labels = check_array(groups, "groups")
    if labels.shape != (examples,):
        raise ValueError(f"groups: expected {examples} names, found shape {labels.shape}")
    return labels
