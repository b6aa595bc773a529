"""Corrective unlearning: how often models are right again where they were taught wrong."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from estimators.checks import check_array
from estimators.scores._populations import check_table


def corrective_accuracy(
    predicted: Int[Any, "n ..."], clean: Int[Any, " _"]
) -> Float[np.ndarray, " n"]:
    """Share of examples that each model gives their clean label, for `compared`.

    For poisoned data the examples are test examples with the trigger put on, for swapped labels
    test examples of the swapped classes; on the others the same is the retained accuracy.

    Args:
        predicted: class predicted by each model, ``[models, examples]``.
        clean: right class of each example.

    Returns:
        ``[models]``, in [0, 1].

    Raises:
        TypeError: when classes are not real numbers.
        ValueError: when shapes do not fit.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> predicted = np.array([[0, 0, 3], [1, 2, 3]])
        >>> estimators.scores.corrective_accuracy(predicted, np.array([1, 2, 3]))
        array([0.33333333, 1.        ])

    References:
        Goel et al. (2024), Corrective machine unlearning, https://arxiv.org/abs/2402.14015.
    """
    table, truth = check_table(predicted, "predicted"), check_array(clean, "clean")
    if truth.shape != table.shape[1:]:
        raise ValueError(f"clean: expected {table.shape[1]} classes, found shape {truth.shape}")
    return (table == truth).mean(axis=1)
