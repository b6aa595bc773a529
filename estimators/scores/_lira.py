"""LiRA and RMIA: membership scores of examples from shadow models."""

from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Num, Shaped

from estimators.checks import check_all_within, check_mask, check_within
from estimators.kinds import check_name
from estimators.scores._populations import check_magnitude, check_table, least_deviation

Variance = Literal["each", "shared"]


def lira_scores(
    target: Num[Any, "n ..."],
    shadows: Num[Any, "m ..."],
    included: Shaped[Any, "_ ..."],
    *,
    variance: Variance = "each",
) -> Float[np.ndarray, "n e"]:
    """Online LiRA: log-likelihood ratio, included to not, of each example in each audited model.

    Gaussian fits of the logit-scaled confidence over the shadow models that include an example and
    over those that do not. Deviations are at least a thousandth of the example's range.

    Args:
        target: logit-scaled confidences of the audited models, ``[models, examples]``.
        shadows: the same of the shadow models, none of which is audited.
        included: whether each shadow model trained on each example.
        variance: "each" for a deviation of each example; "shared" for one of all examples in each
            arm, which the paper advises below about 64 shadow models.

    Returns:
        Ratios; higher for members.

    Raises:
        TypeError: when confidences are not real numbers.
        ValueError: when a confidence is over 1e150 in size, shapes differ, or an example has
            fewer than 2 shadow models in an arm.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> included = rng.random((64, 5)) < 0.5
        >>> shadows = rng.normal(size=(64, 5)) + 3.0 * included
        >>> target = np.array([[3.0, 3.0, 0.0, 0.0, 0.0]])
        >>> estimators.scores.lira_scores(target, shadows, included) > 0
        array([[ True,  True, False, False, False]])

    References:
        Carlini et al. (2022), Membership inference attacks from first principles,
        https://arxiv.org/abs/2112.03570.
    """
    check_name(variance, "variance", get_args(Variance))
    audited, seen = check_table(target, "target"), check_table(shadows, "shadows")
    check_magnitude(target=audited, shadows=seen)
    inside = check_mask(included, "included", seen.shape)
    if audited.shape[1] != seen.shape[1]:
        raise ValueError(
            f"target and shadows: expected the same examples, found {audited.shape} and "
            f"{seen.shape}"
        )
    fewest = int(min(inside.sum(axis=0).min(), (~inside).sum(axis=0).min()))
    if fewest < 2:
        raise ValueError(
            f"included: expected at least 2 models in both arms of each example, found {fewest}"
        )
    floor = least_deviation(seen)
    logs: list[np.ndarray] = []
    for arm in (inside, ~inside):
        count = arm.sum(axis=0)
        mean = np.where(arm, seen, 0.0).sum(axis=0) / count
        squares = np.where(arm, (seen - mean) ** 2, 0.0).sum(axis=0)
        deviation = np.sqrt(squares / (count - 1))
        if variance == "shared":
            deviation = np.full_like(mean, np.sqrt(squares.sum() / (count - 1).sum()))
        deviation = np.maximum(deviation, floor)
        logs.append(-0.5 * ((audited - mean) / deviation) ** 2 - np.log(deviation))
    return logs[0] - logs[1]


def rmia_scores(
    target: Num[Any, "n ..."],
    target_population: Num[Any, "_ ..."],
    shadows: Num[Any, "m ..."],
    shadow_population: Num[Any, "_ ..."],
    *,
    offline: float | None = None,
    gamma: float = 1.0,
) -> Float[np.ndarray, "n e"]:
    """RMIA: share of population examples that an example beats in how much the model favours it.

    ``P_z( [p(x | model) / p(x)] / [p(z | model) / p(z)] >= gamma )``, where ``p`` without a model
    is the mean over shadow models.

    Args:
        target: probability of the label of each audited example, ``[models, examples]``, above 0.
        target_population: the same of population examples z, ``[models, population]``.
        shadows: the same as ``target`` of the shadow models.
        shadow_population: the same as ``target_population`` of the shadow models.
        offline: None when the shadow models are half with, half without each example; else, for
            shadows that never include it, the paper's a in [0, 1]: p(x) and p(z) are then corrected
            to ``((1 + a) p + 1 - a) / 2``, since no shadow model includes a population example.
        gamma: of the comparison, at least 1 in the paper.

    Returns:
        Scores in [0, 1]; higher for members.

    Raises:
        TypeError: when probabilities are not real numbers.
        ValueError: when they are not in (0, 1], shapes differ, or a number is out of range.

    References:
        Zarifzadeh, Liu and Shokri (2024), Low-cost high-power membership inference attacks,
        https://arxiv.org/abs/2312.03262.
    """
    names = ("target", "target_population", "shadows", "shadow_population")
    given = (target, target_population, shadows, shadow_population)
    x, z, shadow_x, shadow_z = (
        check_table(values, name) for values, name in zip(given, names, strict=True)
    )
    check_all_within("(0, 1]", **dict(zip(names, (x, z, shadow_x, shadow_z), strict=True)))
    for first, second, axis, what in (
        (x, z, 0, "models"),
        (shadow_x, shadow_z, 0, "models"),
        (x, shadow_x, 1, "examples"),
        (z, shadow_z, 1, "examples"),
    ):
        if first.shape[axis] != second.shape[axis]:
            shapes = f"{first.shape} and {second.shape}"
            raise ValueError(f"{', '.join(names)}: expected the same {what}, found {shapes}")
    if offline is not None:
        check_within("[0, 1]", offline=offline)
    check_within("(0, inf]", gamma=gamma)
    base_x, base_z = shadow_x.mean(axis=0), shadow_z.mean(axis=0)
    if offline is not None:
        base_x, base_z = (
            ((1.0 + offline) * base + 1.0 - offline) / 2.0 for base in (base_x, base_z)
        )
    ours, theirs = x / base_x, np.sort(z / base_z, axis=1)
    beaten = [
        np.searchsorted(bars, row / gamma, side="right")
        for bars, row in zip(theirs, ours, strict=True)
    ]
    return np.stack(beaten) / theirs.shape[1]
