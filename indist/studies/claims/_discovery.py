"""Claim 9: untraining fails under partial discovery, and the more so the less was found.

In ``digits-trigger`` parts of B of several sizes are drawn; O and A(D∖B) stay. Distance to A(D∖B)
is the absolute difference of the mean shares of fresh triggered digits that get the attacker's
label: a graded quantity, where divergences of margins are 1 nearly everywhere.
"""

import oracles
from audits.memorization import Estimate
from indist.studies._estimates import decrease, magnitude, mean_difference
from indist.studies._observed import share_right
from indist.studies._shown import shown_interval
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import Evidence, Judgement, exceeds
from indist.studies.claims._populations import LedgerSettings, NamedScenario

LEAST_GROWTH = 0.05
METHODS = {
    "retrain": "retraining on D∖S",
    "finetune": "fine-tuning on D∖S",
    "scrub": "SCRUB",
}


def grows(growth: Estimate, models: int) -> Judgement:
    """Supported when the distance grows by more than a twentieth, refuted when it does not.

    Args:
        growth: distance at the least γ less that at the greatest; its interval is made of those of
            both distances, each with half of the error.
        models: models behind it.
    """
    return exceeds(growth, LEAST_GROWTH, models)


def _measured(ledger: LedgerSettings, *, method: str, discoveries: tuple[float, ...]) -> Evidence:
    references = ledger.references(_SCENARIO)
    base, fresh = references.scenario, "behaviour_test"
    never = share_right(references.unlearning.observe(base.probes), fresh)
    distances: list[Estimate] = []
    for discovery in discoveries:
        size = max(1, round(discovery * len(base.behaviour)))
        forget = oracles.forget_sets.random(size, base.behaviour, ledger.seed)
        scenario = base.with_forget(forget)
        if method == "retrain":
            made = oracles.train(
                scenario,
                "forget",
                stream=f"claims/{method}",
                models=ledger.models,
                seed=ledger.seed,
            )
        else:
            made = oracles.unlearn(
                scenario, references.original, method=method, seed=ledger.seed + 1
            )
        seen = share_right(made.observe(scenario.probes), fresh)
        distances.append(magnitude(mean_difference(seen, never, ledger.each(2))))
    growth = decrease(distances[0], distances[-1])
    steps = ", ".join(
        f"γ {discovery:g}: {shown_interval(*distance)}"
        for discovery, distance in zip(discoveries, distances, strict=True)
    )
    return Evidence(growth, grows(growth, ledger.models), ledger.models, f"distances: {steps}")


_SCENARIO = NamedScenario("digits-trigger")


def claims(discoveries: tuple[float, ...]) -> tuple[Claim, ...]:
    """The rows of claim 9, one a method.

    Args:
        discoveries: values of γ from the least to the greatest.
    """
    return tuple(
        Claim(
            number=f"9{letter}",
            section="§8",
            statement=f"The less was found, the farther is {words} from A(D∖B).",
            quantity=f"distance to A(D∖B) at γ {discoveries[0]:g} less that at {discoveries[-1]:g}",
            scenarios=(_SCENARIO,),
            measure=_measured,
            settings={"method": method, "discoveries": discoveries},
        )
        for letter, (method, words) in zip("abc", METHODS.items(), strict=True)
    )
