"""What is handed over: the part S of B that was found, and what detectors add to it.

A detector sees what the auditor of a real system holds: D, S and one trained original. Each reads a
number off every training example and takes those where it is as it is in `COVERED` of S. Where S is
a random part of B, members of B∖S are like members of S: about that share of them is found,
whatever B is. What else is found is not under control, and has to be measured.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.spatial.distance import cdist

import oracles
from oracles import MLP, Examples, Learner, Population, Scenario, cross_entropies
from oracles.randomness import choose
from oracles.scenarios import forget_size

COVERED = 0.9
"""Share of S that detectors cover; declared beforehand."""

Found = Int[np.ndarray, " _"]
Detector = Callable[[Examples, Found, Learner, Any], Found]
"""(D, S, learner, parameters of one original) → Ŝ, sorted indices into D with all of S."""


def nested(behaviour: Found, discovery: float, seed: int) -> Found:
    """A random part of B of γ|B| examples, at least 1; larger parts of one seed hold smaller ones.

    Args:
        behaviour: indices of B.
        discovery: γ, in (0, 1].
        seed: of the order in which they are found.

    Returns:
        Sorted indices.
    """
    order = np.random.default_rng(seed).permutation(behaviour)
    return np.sort(order[: forget_size(behaviour, discovery)])


def handed(plain: Scenario, forget: Found) -> Scenario:
    """The world in which these are handed over as S, some of which may lie outside B.

    Its ``behaviour`` takes those in, as S is a part of it by definition: unlearners never see it,
    and A(D∖B) is that of ``plain``. Probes stay those of ``plain``, so of their groups only those
    that do not depend on S mean what they say.
    """
    return replace(plain, forget=forget, behaviour=np.union1d(plain.behaviour, forget))


def ends(plain: Scenario, *, models: int, seed: int, folder: Path) -> tuple[Population, Population]:
    """The populations A(D) and A(D∖B), which do not depend on S: stored, and continued.

    Args:
        plain: the scenario.
        models: in each.
        seed: of both.
        folder: for the study's populations.

    Returns:
        Both.
    """
    parts: Mapping[str, Any] = {"original": "nothing", "unlearning": "behaviour"}
    original, unlearning = (
        oracles.train(
            plain,
            excluded,
            stream=stream,
            models=models,
            seed=seed,
            directory=folder / "references" / plain.name / stream,
            resume=True,
        )
        for stream, excluded in parts.items()
    )
    return original, unlearning


def near_in_inputs(train: Examples, forget: Found, learner: Learner, params: Any) -> Found:
    """Examples as near to S in input space as members of S are to each other; see `near`."""
    del learner, params
    return near(train.inputs.reshape(len(train), -1), train.labels, forget)


def near_in_features(train: Examples, forget: Found, learner: Learner, params: Any) -> Found:
    """The same between activations of the original's last hidden layer.

    Raises:
        ValueError: when the module is no MLP with a hidden layer.
    """
    module = learner.module
    if not isinstance(module, MLP) or len(module.features) < 2:
        raise ValueError(f"features: expected an MLP with a hidden layer, found {module!r}")
    hidden = len(module.features) - 1
    below = {
        f"{kind}_{k}": params[f"{kind}_{k}"] for kind in ("kernel", "bias") for k in range(hidden)
    }
    features = np.asarray(MLP(module.features[:-1]).apply({"params": below}, train.inputs))
    return near(np.maximum(features, 0.0), train.labels, forget)


def alike_in_loss(train: Examples, forget: Found, learner: Learner, params: Any) -> Found:
    """Examples with a label of S whose loss in the original is in the middle `COVERED` of S's."""
    losses = np.asarray(cross_entropies(learner.logits(params, train.inputs), train.labels))
    low, high = np.quantile(losses[forget], [(1 - COVERED) / 2, (1 + COVERED) / 2])
    inside = (losses >= low) & (losses <= high) & np.isin(train.labels, train.labels[forget])
    return np.union1d(forget, np.flatnonzero(inside))


DETECTORS: Mapping[str, Detector] = {
    "inputs": near_in_inputs,
    "features": near_in_features,
    "loss": alike_in_loss,
}
"""Detectors by name."""


def near(
    points: Float[np.ndarray, "train features"], labels: Int[np.ndarray, " train"], forget: Found
) -> Found:
    """S, and the examples whose nearest member of S of their own label is near enough.

    Near enough is the quantile `COVERED` of the distances of members of S to their nearest other
    member of the same label. Where no two members share a label there is none, and S is returned.

    Args:
        points: of all training examples; distances are Euclidean.
        labels: of all training examples.
        forget: indices of S.

    Returns:
        Sorted indices.
    """
    distances = cdist(points, points[forget])
    distances[labels[:, None] != labels[forget]] = np.inf
    distances[forget, np.arange(len(forget))] = np.inf
    nearest = distances.min(axis=1)
    own = nearest[forget]
    if not np.isfinite(own).any():
        return np.sort(forget)
    reach = np.quantile(own[np.isfinite(own)], COVERED)
    return np.union1d(forget, np.flatnonzero(nearest <= reach))


def planted(plain: Scenario, forget: Found, *, precision: float, recall: float, seed: int) -> Found:
    """An oracle's Ŝ: S, a part of B∖S, and so many clean examples as leave a precision.

    The clean ones are drawn from D∖B among the labels of B, as those that the detectors name are.

    Args:
        plain: the scenario.
        forget: indices of S.
        precision: share of what is added that lies in B, in (0, 1], met up to rounding.
        recall: share of B∖S that is added, in [0, 1].
        seed: of both draws; Ŝ of smaller precision holds that of a larger one.

    Returns:
        Sorted indices.

    Raises:
        ValueError: when a share is out of range, or D holds too few clean examples of the labels.
    """
    if not (0 < precision <= 1 and 0 <= recall <= 1):
        raise ValueError(
            f"precision, recall: expected shares in (0, 1] and [0, 1], found {precision}, {recall}"
        )
    rng = np.random.default_rng(seed)
    unseen = np.setdiff1d(plain.behaviour, forget)
    right = choose(rng, unseen, round(recall * len(unseen)))
    labels = plain.train.labels
    alike = np.isin(labels, labels[plain.behaviour])
    clean = np.setdiff1d(np.flatnonzero(alike), plain.behaviour)
    wrong = round(len(right) * (1 - precision) / precision)
    if wrong > len(clean):
        raise ValueError(
            f"precision: expected {wrong} clean examples of B's labels, found {len(clean)}"
        )
    return np.sort(np.concatenate([forget, right, rng.permutation(clean)[:wrong]]))


class Detection(NamedTuple):
    """How right a detector is.

    Attributes:
        added: how many examples beyond S.
        precision: the share of those that lies in B; None when there are none.
        recall: the share of B∖S among them; None when S = B.
    """

    added: int
    precision: float | None
    recall: float | None


def detection(plain: Scenario, forget: Found, found: Shaped[np.ndarray, " all"]) -> Detection:
    """How right a detector is.

    Args:
        plain: the scenario.
        forget: indices of S.
        found: indices of Ŝ, with all of S.
    """
    added = np.setdiff1d(found, forget)
    unseen = np.setdiff1d(plain.behaviour, forget)
    right = np.intersect1d(added, unseen).size
    return Detection(
        added.size,
        right / added.size if added.size else None,
        right / unseen.size if unseen.size else None,
    )
