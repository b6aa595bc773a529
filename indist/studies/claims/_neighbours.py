"""Claim 11: methods like gradient ascent move mass to neighbours and leave the behaviour.

The world is ``digits-class``, where half of a digit's examples were found. The target is an
example's label, its neighbour the label that the originals hold second likeliest for it, on
average. Of the probability that a method takes from the target on S, the share that goes to the
neighbour is the ratio of mean gain to mean loss over models; an even spread would be 1/9.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax

import oracles
from audits.memorization import Estimate
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import (
    Evidence,
    Part,
    difference,
    every,
    exceeds,
    ratio,
    shown,
)
from indist.studies.claims._worlds import World, Worlds, right

METHODS = {"gradient-ascent": "Gradient ascent", "ascent-descent": "Ascent-descent", "npo": "NPO"}
_MOST = 0.5


def moved_not_removed(share: Estimate, excess: Estimate, threshold: float, models: int) -> Part:
    """Supported when over half of the lost mass goes to the neighbour and the behaviour stays.

    Refuted when at most half does, or the behaviour's excess is at most the threshold. Each has
    half of the error.

    Args:
        share: of the lost mass, to the neighbour.
        excess: share of fresh instances given the behaviour's label, less that under A(D∖B).
        threshold: excess from which on the behaviour is still there.
        models: models behind each.
    """
    return every([exceeds(share, _MOST, models), exceeds(excess, threshold, models)])


def moved(
    before: Float[np.ndarray, "models probes classes"],
    after: Float[np.ndarray, "models probes classes"],
    labels: Int[np.ndarray, " probes"],
) -> tuple[Float[np.ndarray, " models"], Float[np.ndarray, " models"]]:
    """Mean probability gained by neighbours, and lost by targets, of each model.

    Args:
        before: probabilities of the originals.
        after: of the same models after unlearning.
        labels: the targets.
    """
    place = np.arange(len(labels))
    mean = before.mean(axis=0)
    mean[place, labels] = -1.0
    neighbours = mean.argmax(axis=1)
    gained = (after - before)[:, place, neighbours].mean(axis=1)
    return gained, (before - after)[:, place, labels].mean(axis=1)


def _measured(worlds: Worlds, *, method: str) -> Evidence:
    references = worlds.references(_WORLD)
    probes, confidence = references.probes, worlds.each(2)
    made = worlds.unlearned(references, method)
    parts = references.original, made, references.unlearning
    original, seen, never = (part.observe(probes) for part in parts)
    of_s = seen.groups == "forget"
    before, after = (_probabilities(one, of_s) for one in (original, seen))
    gained, lost = moved(before, after, seen.labels[of_s])
    share = ratio(gained, lost, confidence)
    excess = difference(right(seen, "behaviour_test"), right(never, "behaviour_test"), confidence)
    part = moved_not_removed(share, excess, worlds.threshold, worlds.models)
    note = (
        f"mass lost on S {lost.mean():.2f}; fresh instances of the behaviour right "
        f"{shown(excess)} above A(D∖B)"
    )
    return Evidence(share, part, worlds.models, note)


def _probabilities(seen: oracles.Observations, places: np.ndarray) -> np.ndarray:
    return softmax(seen.logits[:, places].astype(np.float64), axis=2)


_WORLD = World("digits-class")

CLAIMS = tuple(
    Claim(
        number=f"11{letter}",
        section="§8",
        statement=f"{words} moves mass to the target's neighbour; the behaviour stays.",
        quantity="share of the mass lost by the target on S that its neighbour gains",
        worlds=(_WORLD,),
        measure=_measured,
        settings={"method": method},
    )
    for letter, (method, words) in zip("abc", METHODS.items(), strict=True)
)
