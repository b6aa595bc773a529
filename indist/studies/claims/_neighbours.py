"""Claim 11: methods like gradient ascent move mass to neighbours and leave the behaviour.

The scenario is ``digits-class``, where half of a digit's examples were found. The target is an
example's label, its neighbour the label that the originals hold second likeliest for it, on
average. Of the probability that a method takes from the target on S, the share that goes to the
neighbour is the ratio of mean gain to mean loss over models; an even spread would be 1/9.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax

import oracles
from audits.memorization import Estimate
from indist.studies._estimates import mean_difference, mean_ratio
from indist.studies._observed import share_right
from indist.studies._shown import shown_interval
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import Evidence, Judgement, every, exceeds
from indist.studies.claims._populations import LedgerSettings, NamedScenario

METHODS = {"gradient-ascent": "Gradient ascent", "ascent-descent": "Ascent-descent", "npo": "NPO"}
_MOST = 0.5


def moved_not_removed(
    share: Estimate, excess: Estimate, threshold: float, models: int
) -> Judgement:
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
    probes = np.arange(len(labels))
    mean = before.mean(axis=0)
    mean[probes, labels] = -1.0
    neighbours = mean.argmax(axis=1)
    gained = (after - before)[:, probes, neighbours].mean(axis=1)
    return gained, (before - after)[:, probes, labels].mean(axis=1)


def _measured(ledger: LedgerSettings, *, method: str) -> Evidence:
    references = ledger.references(_SCENARIO)
    probes, confidence = references.probes, ledger.each(2)
    unlearned = ledger.unlearned(references, method)
    populations = references.original, unlearned, references.unlearning
    original, seen, never = (population.observe(probes) for population in populations)
    forget = seen.groups == "forget"
    before, after = (_probabilities(observations, forget) for observations in (original, seen))
    gained, lost = moved(before, after, seen.labels[forget])
    share = mean_ratio(gained, lost, confidence)
    excess = mean_difference(
        share_right(seen, "behaviour_test"), share_right(never, "behaviour_test"), confidence
    )
    judgement = moved_not_removed(share, excess, ledger.threshold, ledger.models)
    note = (
        f"mass lost on S {lost.mean():.2f}; fresh instances of the behaviour right "
        f"{shown_interval(*excess)} above A(D∖B)"
    )
    return Evidence(share, judgement, ledger.models, note)


def _probabilities(seen: oracles.Observations, chosen: np.ndarray) -> np.ndarray:
    return softmax(seen.logits[:, chosen].astype(np.float64), axis=2)


_SCENARIO = NamedScenario("digits-class")

CLAIMS = tuple(
    Claim(
        number=f"11{letter}",
        section="§8",
        statement=f"{words} moves mass to the target's neighbour; the behaviour stays.",
        quantity="share of the mass lost by the target on S that its neighbour gains",
        scenarios=(_SCENARIO,),
        measure=_measured,
        settings={"method": method},
    )
    for letter, (method, words) in zip("abc", METHODS.items(), strict=True)
)
