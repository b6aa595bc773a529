"""Membership attacks that need no shadow models, and the indices made of their results.

An attack on forgotten examples answers whether they look like the members it was shown, not whether
they were unlearned: pass its results to `compared`, beside those under the reference.
"""

from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Int, Num, Shaped
from scipy.special import xlogy

from estimators.checks import (
    check_all_within,
    check_labels,
    check_numbers,
    check_seed,
    check_within,
)
from estimators.kinds import check_name
from estimators.scores._populations import check_groups, check_probabilities, check_table

Feature = Literal["confidence", "correctness", "entropy", "modified entropy", "softmax"]
"""What is looked at of a model's answer: see `svc_attack`."""


def modified_entropy(
    probabilities: Float[np.ndarray, "n e c"], labels: Int[np.ndarray, " e"]
) -> Float[np.ndarray, "n e"]:
    """``-(1 - p_y) ln p_y - sum over i != y of p_i ln(1 - p_i)``.

    Small where the model is sure and right, great where it is sure and wrong; entropy is small in
    both. The code that several papers share has ln p_i in place of ln(1 - p_i) and takes every
    column for every label, so that its value does not depend on the label at all. Logarithms are
    taken of at least the least normal number.

    Args:
        probabilities: of each class, ``[models, examples, classes]``.
        labels: of each example.

    Returns:
        ``[models, examples]``, at least 0.

    Raises:
        ValueError: when probabilities or labels are not what they should be.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> p = np.array([[[0.9, 0.1], [0.9, 0.1]]])
        >>> estimators.scores.modified_entropy(p, np.array([0, 1])).round(2)
        array([[0.02, 4.14]])

    References:
        Song and Mittal (2021), Systematic evaluation of privacy risks of machine learning models,
        https://arxiv.org/abs/2003.10595.
    """
    array, own = check_probabilities(probabilities, "probabilities"), _labels(labels, probabilities)
    tiny = np.finfo(np.float64).tiny
    right = np.take_along_axis(array, own[None, :, None], axis=2)[..., 0]
    others = xlogy(array, np.maximum(1.0 - array, tiny)).sum(axis=2)
    others -= xlogy(right, np.maximum(1.0 - right, tiny))
    return -xlogy(1.0 - right, np.maximum(right, tiny)) - others


def _labels(labels: Any, probabilities: Any) -> Int[np.ndarray, " e"]:
    examples, classes = np.shape(probabilities)[1:]
    return check_labels(labels, "labels", (examples,), classes=classes)


def _answer_features(
    array: Float[np.ndarray, "n e c"], own: Int[np.ndarray, " e"], feature: Feature
) -> Float[np.ndarray, "n e d"]:
    if feature == "softmax":
        return array
    if feature == "confidence":
        return np.take_along_axis(array, own[None, :, None], axis=2)
    if feature == "correctness":
        return (array.argmax(axis=2) == own)[..., None].astype(np.float64)
    if feature == "entropy":
        return -xlogy(array, array).sum(axis=2)[..., None]
    return modified_entropy(array, own)[..., None]


def svc_attack(
    probabilities: Float[np.ndarray, "n e c"],
    labels: Int[np.ndarray, " e"],
    groups: Shaped[np.ndarray, " e"],
    *,
    feature: Feature = "confidence",
    forget: str = "forget",
    retain: str = "retain",
    test: str = "test",
) -> Float[np.ndarray, " n"]:
    """Share of the forget set that a support vector machine takes for non-members, a model each.

    As published: rbf kernel, C = 3, gamma one over the features; retained examples are members,
    test examples non-members, as many of the retained (the first) as there are test examples.

    Args:
        probabilities: of each class, ``[models, examples, classes]``.
        labels: of each example.
        groups: of each example.
        feature: what the machine sees of an example.
        forget: name of the group attacked.
        retain: name of the members.
        test: name of the non-members.

    Returns:
        ``[models]``, in [0, 1], for `compared` or `tow_mia`.

    Raises:
        ValueError: when probabilities, labels or ``feature`` are not what they should be, or a
            group is empty.

    References:
        Jia et al. (2023), Model sparsity can simplify machine unlearning,
        https://arxiv.org/abs/2304.04934; Fan et al. (2024), SalUn,
        https://arxiv.org/abs/2310.12508.
    """
    from sklearn.svm import SVC

    check_name(feature, "feature", get_args(Feature))
    array, own = check_probabilities(probabilities, "probabilities"), _labels(labels, probabilities)
    gone, members, others = check_groups(groups, own.size, forget, retain, test)
    members = members[: others.size]
    seen = np.concatenate([members, others])
    inside = np.arange(seen.size) < members.size
    found: list[float] = []
    for features in _answer_features(array, own, feature):
        machine = SVC(C=3.0, gamma="auto", kernel="rbf").fit(features[seen], inside)
        found.append(float(1.0 - machine.predict(features[gone]).mean()))
    return np.array(found)


def logistic_attack(
    losses: Num[Any, "n ..."],
    groups: Shaped[Any, " _"],
    *,
    seed: int,
    forget: str = "forget",
    test: str = "test",
) -> Float[np.ndarray, " n"]:
    """Accuracy of logistic regression on the loss at telling forget from test examples.

    As in the competition's starting kit: mean accuracy over 10 stratified shuffles, a tenth held
    out, equally many examples of both kinds (here drawn from the larger).

    Args:
        losses: of each example, ``[models, examples]``.
        groups: of each example.
        seed: of the shuffles, the same for every model.
        forget: name of the group attacked.
        test: name of the group it is told from.

    Returns:
        ``[models]``, for `compared`.

    Raises:
        TypeError: when losses are not real numbers.
        ValueError: when shapes do not fit or a group has fewer than 10 examples.

    References:
        Triantafillou et al. (2024), Are we making progress in unlearning? Findings from the first
        NeurIPS unlearning competition, https://arxiv.org/abs/2406.09073.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedShuffleSplit

    seed = check_seed(seed)
    table = check_table(losses, "losses")
    places = check_groups(groups, table.shape[1], forget, test)
    fewest = min(place.size for place in places)
    if fewest < 10:
        raise ValueError(f"groups: expected at least 10 examples in each, found {fewest}")
    rng = np.random.default_rng(seed)
    kept = np.concatenate([rng.permutation(place)[:fewest] for place in places])
    member = np.arange(2 * fewest) < fewest
    shuffles = StratifiedShuffleSplit(n_splits=10, random_state=seed)
    splits = list(shuffles.split(kept[:, None], member))
    found: list[float] = []
    for row in table[:, kept, None]:
        right = [
            LogisticRegression().fit(row[fit], member[fit]).score(row[held], member[held])
            for fit, held in splits
        ]
        found.append(float(np.mean(right)))
    return np.array(found)


def indiscernibility(attack: Num[Any, "..."]) -> Float[np.ndarray, "..."]:
    """DeepUnlearn's ``1 - |a - 1/2| / (1/2)`` of an attack's accuracy a, elementwise.

    It is 1 for an attack that guesses, whatever it would do on models that never saw the examples.

    Raises:
        TypeError: when an accuracy is no real number.
        ValueError: when one is not in [0, 1].

    References:
        Cadet et al. (2024), Deep unlearn: benchmarking machine unlearning,
        https://arxiv.org/abs/2410.01276.
    """
    success = check_numbers(attack, "attack")
    check_all_within("[0, 1]", attack=success)
    return np.asarray(1.0 - np.abs(success - 0.5) / 0.5)


def sape(first: Num[Any, "..."], second: Num[Any, "..."]) -> Float[np.ndarray, "..."]:
    """Symmetric absolute percentage error ``100 |a - b| / (|a| + |b|)``, elementwise; 0 at 0, 0.

    Args:
        first: numbers.
        second: numbers to compare them with, as many or a single one.

    Returns:
        In [0, 100].

    Raises:
        TypeError: when they are not real numbers.
        ValueError: when they are not finite, over 1e300 in size, or shapes differ.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> print(estimators.scores.sape(np.array([0.25, 0.0]), np.array([0.75, 0.0])))
        [50.  0.]
    """
    a, b = check_numbers(first, "first"), check_numbers(second, "second")
    check_all_within("[-1e300, 1e300]", first=a, second=b)
    _check_shapes(first=a, second=b)
    scale = np.abs(a) + np.abs(b)
    gap = np.asarray(100.0 * np.abs(a - b))
    return np.divide(gap, scale, out=np.zeros_like(gap), where=scale > 0.0)


def _check_shapes(**arrays: np.ndarray) -> None:
    """Two arrays of one shape, where neither is a single number."""
    shapes = [array.shape for array in arrays.values()]
    if all(shapes) and shapes[0] != shapes[1]:
        found = " and ".join(map(str, shapes))
        raise ValueError(f"{' and '.join(arrays)}: expected the same shape, found {found}")


def adaptive_unlearning_score(
    test: Num[Any, "*n"], forget: Num[Any, "*n"], *, original: float
) -> Float[np.ndarray, "*n"]:
    """AUS, ``(1 - (original - test)) / (1 + |test - forget|)``, of accuracies, a model each.

    Args:
        test: accuracy on the test set after unlearning.
        forget: accuracy on the forget set after unlearning.
        original: accuracy on the test set before it.

    Returns:
        In [0, 2], for `compared`; published with 1 as the best.

    Raises:
        TypeError: when an accuracy is no real number.
        ValueError: when one is not in [0, 1], or shapes differ.

    References:
        Cotogni et al. (2023), DUCK: distance-based unlearning via centroid kinematics,
        https://arxiv.org/abs/2312.02052.
    """
    check_within("[0, 1]", original=original)
    ours, gone = check_numbers(test, "test"), check_numbers(forget, "forget")
    check_all_within("[0, 1]", test=ours, forget=gone)
    _check_shapes(test=ours, forget=gone)
    return (1.0 - (original - ours)) / (1.0 + np.abs(ours - gone))
