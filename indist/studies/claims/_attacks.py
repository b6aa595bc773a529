"""Claim 10: a membership attack on S can find nothing while the behaviour is still there.

The exhibit is retraining on D∖S in ``digits-trigger``, a perfect untrainer, by a population of its
own. The attack compares margins: for each model, the probability that an example under attack has a
greater margin than a fresh instance of the behaviour that nobody trained on. What counts is that
number less its mean under A(D∖B), since examples differ whoever trained on them. The claim says
what *can* be: refuted means that this exhibit does not show it.
"""

import numpy as np
from jaxtyping import Float

import estimators
import oracles
from audits.memorization import Estimate
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import (
    Evidence,
    Part,
    agrees,
    difference,
    every,
    exceeds,
    shown,
)
from indist.studies.claims._worlds import World, Worlds, right


def wrong_metric(
    own: Estimate,
    rest: Estimate,
    excess: Estimate,
    *,
    closeness: float,
    threshold: float,
    models: int,
) -> Part:
    """Supported when the attack on S finds nothing, that on B∖S something, and B is still there.

    Refuted when the attack on S is shown to find more than the closeness, that on B∖S no more than
    it, or the behaviour to be gone. Each has a third of the error.

    Args:
        own: success on S, less that under A(D∖B).
        rest: success on B∖S, less that under A(D∖B).
        excess: share of fresh instances given the behaviour's label, less that under A(D∖B).
        closeness: of two areas that agree.
        threshold: excess from which on the behaviour is still there.
        models: models behind each.
    """
    return every(
        [
            agrees(own, closeness, models),
            exceeds(rest, closeness, models),
            exceeds(excess, threshold, models),
        ]
    )


def success(seen: oracles.Observations, attacked: str) -> Float[np.ndarray, " models"]:
    """Each model's probability that a probe of a group has a greater margin than a fresh one."""
    chosen = np.isin(seen.groups, (attacked, "behaviour_test"))
    members = seen.groups[chosen] == attacked
    return estimators.scores.auc_per_model(seen.margins[:, chosen], members)


def _measured(worlds: Worlds) -> Evidence:
    references = worlds.references(_WORLD)
    probes, confidence = references.probes, worlds.each(3)
    again = oracles.train(
        references.scenario,
        "forget",
        stream="claims/retrained",
        models=worlds.models,
        seed=worlds.seed,
    )
    seen, never = again.observe(probes), references.unlearning.observe(probes)
    own, rest = (
        difference(success(seen, group), success(never, group), confidence)
        for group in ("forget", "behaviour")
    )
    excess = difference(right(seen, "behaviour_test"), right(never, "behaviour_test"), confidence)
    part = wrong_metric(
        own,
        rest,
        excess,
        closeness=worlds.closeness,
        threshold=worlds.threshold,
        models=worlds.models,
    )
    untrained = success(references.untraining.observe(probes), "forget").mean()
    note = (
        f"success on S {success(seen, 'forget').mean():.2f}, under T {untrained:.2f}, under "
        f"A(D∖B) {success(never, 'forget').mean():.2f}; on B∖S {shown(rest)} above A(D∖B); fresh "
        f"instances given the attacker's label {shown(excess)} above A(D∖B)"
    )
    return Evidence(own, part, worlds.models, note)


_WORLD = World("digits-trigger")

CLAIMS = (
    Claim(
        number="10",
        section="§8",
        statement="An attack on S finds nothing while the behaviour is there; one on B∖S shows it.",
        quantity="success of the attack on S (AUC), less that under A(D∖B), of retraining on D∖S",
        worlds=(_WORLD,),
        measure=_measured,
    ),
)
