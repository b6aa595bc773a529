"""Scores of what a language model generates: extraction strength, and TOFU's model utility."""

from typing import Any

import numpy as np
from jaxtyping import Float, Num, Shaped
from scipy.stats import hmean

from estimators.checks import check_all_within, check_mask, check_samples


def extraction_strength(matched: Shaped[Any, "n ..."]) -> Float[np.ndarray, "n e"]:
    """How much of each text a model goes on with by itself: 1 − k / t, for `compared` by its mean.

    k is the least number of given tokens after which the model's own most likely tokens are the
    rest of the text. Some code reports 1 / t where not even the last token matches; it is 0 here,
    as then all of the text has to be given.

    Args:
        matched: whether the most likely token at each place, given the text up to there, is the
            text's, ``[models, texts, tokens]``.

    Returns:
        ``[models, texts]`` in [0, 1].

    Raises:
        ValueError: when it is no such array of at least one token.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> matched = np.array([[[0, 1, 0, 1], [1, 1, 1, 0], [1, 1, 1, 1]]], dtype=bool)
        >>> estimators.scores.extraction_strength(matched)
        array([[0.25, 0.  , 1.  ]])

    References:
        Carlini et al. (2021), Extracting training data from large language models, for greedy
        extraction; Wang et al. (2025), Towards effective evaluations and comparisons for LLM
        unlearning methods (arXiv 2406.09179), for the strength.
    """
    table = check_mask(matched, "matched", np.shape(matched))
    if table.ndim != 3 or not table.size:
        raise ValueError(
            f"matched: expected booleans [models, texts, tokens], found shape {table.shape}"
        )
    # The product stays 1 while the matches reach back from the end without a gap.
    return np.cumprod(table[:, :, ::-1], axis=2).mean(axis=2)


def model_utility(numbers: Num[Any, "n ..."]) -> Float[np.ndarray, " n"]:
    """TOFU's model utility: the harmonic mean of a model's scores, for `compared`.

    In TOFU nine: probability, ROUGE-L recall and truth ratio (as max(0, 1 − ratio)) on retained
    questions, real authors and world facts.

    Args:
        numbers: ``[models, scores]``, at least 0.

    Returns:
        ``[models]``; 0 where a score is.

    Raises:
        TypeError: when scores are not real numbers.
        ValueError: when they are below 0, not finite, or it is no such array.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> estimators.scores.model_utility(np.array([[0.5, 1.0], [0.0, 1.0]]))
        array([0.66666667, 0.        ])

    References:
        Maini et al. (2024), TOFU: a task of fictitious unlearning for LLMs,
        https://arxiv.org/abs/2401.06121.
    """
    table = check_samples(numbers, "numbers")
    if table.ndim != 2 or not table.size:
        raise ValueError(f"numbers: expected [models, scores], found shape {table.shape}")
    check_all_within("[0, inf)", numbers=table)
    return np.asarray(hmean(table, axis=1))
