"""Claim 9: untraining fails under partial discovery, and the more so the less was found.

In ``digits-trigger`` parts of B of several sizes are drawn; O and A(D∖B) stay. Distance to A(D∖B)
is the absolute difference of the mean shares of fresh triggered digits that get the attacker's
label: a graded quantity, where divergences of margins are 1 nearly everywhere.
"""

import oracles
from audits.memorization import Estimate
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import (
    Evidence,
    Part,
    difference,
    exceeds,
    gap,
    magnitude,
    shown,
)
from indist.studies.claims._worlds import World, Worlds, right

LEAST_GROWTH = 0.05
METHODS = {
    "retrain": "retraining on D∖S",
    "finetune": "fine-tuning on D∖S",
    "scrub": "SCRUB",
}


def grows(growth: Estimate, models: int) -> Part:
    """Supported when the distance grows by more than a twentieth, refuted when it does not.

    Args:
        growth: distance at the least γ less that at the greatest; its interval is made of those of
            both distances, each with half of the error.
        models: models behind it.
    """
    return exceeds(growth, LEAST_GROWTH, models)


def _measured(worlds: Worlds, *, method: str, discoveries: tuple[float, ...]) -> Evidence:
    references = worlds.references(_WORLD)
    base, fresh = references.scenario, "behaviour_test"
    never = right(references.unlearning.observe(base.probes), fresh)
    found: list[Estimate] = []
    for discovery in discoveries:
        size = max(1, round(discovery * len(base.behaviour)))
        part = oracles.forget_sets.random(size, base.behaviour, worlds.seed)
        scenario = base.with_forget(part)
        if method == "retrain":
            made = oracles.train(
                scenario,
                "forget",
                stream=f"claims/{method}",
                models=worlds.models,
                seed=worlds.seed,
            )
        else:
            made = oracles.unlearn(
                scenario, references.original, method=method, seed=worlds.seed + 1
            )
        seen = right(made.observe(scenario.probes), fresh)
        found.append(magnitude(difference(seen, never, worlds.each(2))))
    growth = gap(found[0], found[-1])
    steps = ", ".join(
        f"γ {discovery:g}: {shown(one)}" for discovery, one in zip(discoveries, found, strict=True)
    )
    return Evidence(growth, grows(growth, worlds.models), worlds.models, f"distances: {steps}")


_WORLD = World("digits-trigger")


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
            worlds=(_WORLD,),
            measure=_measured,
            settings={"method": method, "discoveries": discoveries},
        )
        for letter, (method, words) in zip("abc", METHODS.items(), strict=True)
    )
