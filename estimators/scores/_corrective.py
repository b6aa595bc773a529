"""Corrective unlearning: how often models are right again where they were taught wrong."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from estimators.checks import check_labels
from estimators.scores._populations import check_table


def corrective_accuracy(
    predicted: Int[Any, "n ..."], clean: Int[Any, " _"]
) -> Float[np.ndarray, " n"]:
    """Share of examples that each model gives their clean label, for `compared`.

    For poisoned data the examples are test examples with the trigger put on, for swapped labels
    test examples of the swapped classes; on the others the same is the retained accuracy.

    Args:
        predicted: class predicted by each model, whole numbers from 0, ``[models, examples]``.
        clean: right class of each example; examples without one are to be left out.

    Returns:
        ``[models]``, in [0, 1].

    Raises:
        TypeError: when classes are not whole numbers.
        ValueError: when shapes do not fit, or a class is below 0, such as -100.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> predicted = np.array([[0, 0, 3], [1, 2, 3]])
        >>> estimators.scores.corrective_accuracy(predicted, np.array([1, 2, 3]))
        array([0.33333333, 1.        ])

    References:
        Goel et al. (2024), Corrective machine unlearning, https://arxiv.org/abs/2402.14015.
    """
    table = check_table(predicted, "predicted")
    classes = check_labels(predicted, "predicted", table.shape)
    return (classes == check_labels(clean, "clean", table.shape[1:])).mean(axis=1)
