"""Claims 2 to 5: what untraining and unlearning do in the cases of self- and cross-influence.

Each of claims 2 to 4 has a premise, the case, which `audits.influence_case` must show with half of
the error, and a conclusion with the other half; with the premise not shown nothing is found. A
population *fails* on examples when it gives fewer than half of them their label.

Claims 2 and 3b are equivalences of distributions, decided as an audit decides: supported when the
upper bound on the divergence of O from T is at most the tolerance, refuted when the lower bound is
above it. Observables are margins, in claim 2 at every probe by itself, in 3b the medians on every
group but S.
"""

import numpy as np
from jaxtyping import Float

import audits
import oracles
from audits.memorization import Estimate
from audits.verdict import compare, median_margins
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import (
    Evidence,
    Part,
    agrees,
    below,
    difference,
    distance,
    every,
    level,
    matches,
    provided,
    shown,
)
from indist.studies.claims._worlds import World, Worlds, right

LOW_LOW = "low self-influence, low cross-influence"
HIGH_LOW = "high self-influence, low cross-influence"
HIGH_HIGH = "high self-influence, high cross-influence"
_HALF = 0.5


def fails_on_itself_alone(
    premise: bool, own: Estimate, others: list[Estimate], closeness: float, models: int
) -> Part:
    """Claim 3, labels. Supported when T fails on S and O less T is about 0 on all other groups.

    Refuted when T does not fail on S, or a group's difference is shown to be beyond the closeness.

    Args:
        premise: whether high self- and low cross-influence were shown.
        own: T's share of S right.
        others: O less T on each other group.
        closeness: up to which a difference counts as none.
        models: models behind each.
    """
    parts = [below(own, _HALF, models), *(agrees(one, closeness, models) for one in others)]
    return provided(premise, every(parts))


def fails_on_both(premise: bool, own: Estimate, fresh: Estimate, models: int) -> Part:
    """Claim 4. Supported when T fails on S and on fresh instances; refuted when it does not on one.

    Args:
        premise: whether high self- and high cross-influence were shown.
        own: T's share of S right.
        fresh: of fresh instances of the behaviour.
        models: models behind each.
    """
    return provided(premise, every([below(one, _HALF, models) for one in (own, fresh)]))


def same_level(differences: list[Estimate], closeness: float, models: int) -> Part:
    """Claim 5. Supported when S and fresh instances agree under A(D∖B) in every world.

    Refuted when they are shown to differ by more than the closeness in one.

    Args:
        differences: S less fresh instances, of models that never saw the behaviour; one a world.
        closeness: up to which a difference counts as none.
        models: models behind each.
    """
    return every([agrees(one, closeness, models) for one in differences])


def _unchanged(worlds: Worlds) -> Evidence:
    references = worlds.references(_TYPICAL)
    premise = _case(worlds, references)
    probes = references.probes
    compared = _compared(
        worlds,
        references.original.observe(probes).margins,
        references.untraining.observe(probes).margins,
        tuple(str(name) for name in probes.ids),
    )
    part = provided(premise.case == LOW_LOW, matches(compared))
    note = f"{len(probes)} probes; farthest apart at {_farthest(compared)}; shown: {premise.case}"
    return Evidence(distance(compared), part, worlds.models, note)


def _own_labels(worlds: Worlds) -> Evidence:
    references = worlds.references(_IRREGULAR)
    premise = _case(worlds, references)
    original, untrained = (
        part.observe(references.probes) for part in (references.original, references.untraining)
    )
    groups = [name for name in oracles.PROBE_GROUPS if name != "forget"]
    each = 1.0 - (1.0 - worlds.each(2)) / (len(groups) + 1)
    own = level(right(untrained, "forget"), each)
    others = [difference(right(original, group), right(untrained, group), each) for group in groups]
    worst = max(others, key=lambda one: abs(one.value))
    part = fails_on_itself_alone(
        premise.case == HIGH_LOW, own, others, worlds.closeness, worlds.models
    )
    note = f"T gives S its labels in {shown(own)} of all cases; shown: {premise.case}"
    return Evidence(worst, part, worlds.models, note)


def _own_distribution(worlds: Worlds) -> Evidence:
    references = worlds.references(_IRREGULAR)
    premise = _case(worlds, references)
    first, second = (
        median_margins(part.observe(references.probes))
        for part in (references.original, references.untraining)
    )
    others = [place for place, group in enumerate(first.groups) if group != "forget"]
    compared = _compared(
        worlds,
        first.values[:, others],
        second.values[:, others],
        tuple(first.names[place] for place in others),
    )
    part = provided(premise.case == HIGH_LOW, matches(compared))
    note = f"greatest on the {_farthest(compared)}; shown: {premise.case}"
    return Evidence(distance(compared), part, worlds.models, note)


def _both_fail(worlds: Worlds, *, world: int) -> Evidence:
    references = worlds.references(_REGULAR[world])
    premise = _case(worlds, references)
    untrained = references.untraining.observe(references.probes)
    own, fresh = (
        level(right(untrained, group), worlds.each(4)) for group in ("forget", "behaviour_test")
    )
    part = fails_on_both(premise.case == HIGH_HIGH, own, fresh, worlds.models)
    note = f"T gives S its labels in {shown(own)} of all cases; shown: {premise.case}"
    return Evidence(fresh, part, worlds.models, note)


def _never_saw(worlds: Worlds) -> Evidence:
    found: list[Estimate] = []
    notes: list[str] = []
    for world in (_TYPICAL, _IRREGULAR, _REGULAR[0]):
        references = worlds.references(world)
        seen = references.unlearning.observe(references.probes)
        # Halves of the models, so that the two means are independent.
        own, fresh = right(seen, "forget")[::2], right(seen, "behaviour_test")[1::2]
        found.append(difference(own, fresh, worlds.each(3)))
        untrained = right(references.untraining.observe(references.probes), "forget").mean()
        notes.append(
            f"{world.words}: {shown(found[-1])}, right on S {100 * own.mean():.0f} % (T "
            f"{100 * untrained:.0f} %)"
        )
    worst = max(found, key=lambda one: abs(one.value))
    part = same_level(found, worlds.closeness, worlds.models)
    return Evidence(worst, part, worlds.models, "; ".join(notes))


def _compared(
    worlds: Worlds,
    original: Float[np.ndarray, "n observables"],
    untraining: Float[np.ndarray, "m observables"],
    observables: tuple[str, ...],
) -> audits.Comparison:
    """O against T, with the half of the error that the premise leaves."""
    return compare(
        original,
        untraining,
        names=("original", "untraining"),
        observables=observables,
        epsilon=worlds.epsilon,
        tolerance=worlds.tolerance,
        confidence=worlds.each(2),
        seed=worlds.seed,
    )


def _farthest(compared: audits.Comparison) -> str:
    return max(compared.by_observable, key=lambda row: row.estimate).observable


def _case(worlds: Worlds, references: oracles.References) -> audits.InfluenceCase:
    return audits.influence_case(
        references,
        threshold=worlds.threshold,
        epsilon=worlds.epsilon,
        tolerance=worlds.tolerance,
        confidence=worlds.each(2),
    )


_TYPICAL = World("digits-typical")
_IRREGULAR = World("digits-random-labels")
_REGULAR = (
    World("digits-trigger", {"discovery": 0.9}),
    World("digits-trigger", {"discovery": 1.0}),
)

CLAIMS = (
    Claim(
        number="2",
        section="§5",
        statement="Low self-, low cross-influence: O and T are indistinguishable at every probe.",
        quantity="greatest divergence of O from T over single probes, half-lines of the margin",
        worlds=(_TYPICAL,),
        measure=_unchanged,
    ),
    Claim(
        number="3a",
        section="§5",
        statement="High self-, low cross-influence: T fails on S and labels all else as O does.",
        quantity="greatest difference of O and T in share right, over groups other than S",
        worlds=(_IRREGULAR,),
        measure=_own_labels,
    ),
    Claim(
        number="3b",
        section="§5",
        statement="High self-, low cross-influence: T has the distribution of O off S.",
        quantity="divergence of O from T, half-lines of the median margins on groups other than S",
        worlds=(_IRREGULAR,),
        measure=_own_distribution,
    ),
    *(
        Claim(
            number=number,
            section="§5",
            statement="High self-, high cross-influence: T fails on S and on fresh instances.",
            quantity="share of fresh instances that T gives the behaviour's label",
            worlds=(_REGULAR[world],),
            measure=_both_fail,
            settings={"world": world},
        )
        for world, number in enumerate(("4a", "4b"))
    ),
    Claim(
        number="5",
        section="§5",
        statement="A(D∖B) treats S as instances that no model saw, whatever the influence of S.",
        quantity="S less fresh instances, share right of models without B; the greatest of three",
        worlds=(_TYPICAL, _IRREGULAR, _REGULAR[0]),
        measure=_never_saw,
    ),
)
