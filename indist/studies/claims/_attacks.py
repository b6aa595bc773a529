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
from indist.studies._estimates import mean_difference
from indist.studies._observed import share_right
from indist.studies._shown import shown_interval
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import Evidence, Judgement, agrees, every, exceeds
from indist.studies.claims._populations import LedgerSettings, NamedScenario


def wrong_metric(
    forget: Estimate,
    rest: Estimate,
    excess: Estimate,
    *,
    closeness: float,
    threshold: float,
    models: int,
) -> Judgement:
    """Supported when the attack on S finds nothing, that on B∖S something, and B is still there.

    Refuted when the attack on S is shown to find more than the closeness, that on B∖S no more than
    it, or the behaviour to be gone. Each has a third of the error.

    Args:
        forget: success on S, less that under A(D∖B).
        rest: success on B∖S, less that under A(D∖B).
        excess: share of fresh instances given the behaviour's label, less that under A(D∖B).
        closeness: of two areas that agree.
        threshold: excess from which on the behaviour is still there.
        models: models behind each.
    """
    return every(
        [
            agrees(forget, closeness, models),
            exceeds(rest, closeness, models),
            exceeds(excess, threshold, models),
        ]
    )


def success(seen: oracles.Observations, attacked: str) -> Float[np.ndarray, " models"]:
    """Each model's probability that a probe of a group has a greater margin than a fresh one."""
    chosen = np.isin(seen.groups, (attacked, "behaviour_test"))
    members = seen.groups[chosen] == attacked
    return estimators.scores.auc_per_model(seen.margins[:, chosen], members)


def _measured(ledger: LedgerSettings) -> Evidence:
    references = ledger.references(_SCENARIO)
    probes, confidence = references.probes, ledger.each(3)
    retrained = oracles.train(
        references.scenario,
        "forget",
        stream="claims/retrained",
        models=ledger.models,
        seed=ledger.seed,
    )
    seen, never = retrained.observe(probes), references.unlearning.observe(probes)
    forget, rest = (
        mean_difference(success(seen, group), success(never, group), confidence)
        for group in ("forget", "behaviour")
    )
    excess = mean_difference(
        share_right(seen, "behaviour_test"), share_right(never, "behaviour_test"), confidence
    )
    judgement = wrong_metric(
        forget,
        rest,
        excess,
        closeness=ledger.closeness,
        threshold=ledger.threshold,
        models=ledger.models,
    )
    untrained = success(references.untraining.observe(probes), "forget").mean()
    note = (
        f"success on S {success(seen, 'forget').mean():.2f}, under T {untrained:.2f}, under "
        f"A(D∖B) {success(never, 'forget').mean():.2f}; on B∖S {shown_interval(*rest)} above "
        "A(D∖B); fresh instances given the attacker's label "
        f"{shown_interval(*excess)} above A(D∖B)"
    )
    return Evidence(forget, judgement, ledger.models, note)


_SCENARIO = NamedScenario("digits-trigger")

CLAIMS = (
    Claim(
        number="10",
        section="§8",
        statement="An attack on S finds nothing while the behaviour is there; one on B∖S shows it.",
        quantity="success of the attack on S (AUC), less that under A(D∖B), of retraining on D∖S",
        scenarios=(_SCENARIO,),
        measure=_measured,
    ),
)
