"""Claims 2 to 5: what untraining and unlearning do in the cases of self- and cross-influence.

Each of claims 2 to 4 has a premise, the case, which `audits.influence_case` must show with half of
the error, and a conclusion with the other half; with the premise not shown nothing is found. A
population *fails* on examples when it gives fewer than half of them their label.

Claims 2 and 3b are equivalences of distributions, decided as an audit decides: supported when the
upper bound on the divergence of O from T is at most the tolerance, refuted when the lower bound is
above it. Observables are margins, in claim 2 at every probe by itself, in 3b the medians on every
group but S.
"""

import audits
import oracles
from audits.memorization import Estimate
from audits.verdict import Block, compare, median_margins
from indist.studies._estimates import bounded_mean, distance_of, mean_difference
from indist.studies._observed import share_right
from indist.studies._shown import shown_interval
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import (
    Evidence,
    Judgement,
    agrees,
    below,
    every,
    matches,
    provided,
)
from indist.studies.claims._populations import LedgerSettings, NamedScenario

LOW_LOW = "low self-influence, low cross-influence"
HIGH_LOW = "high self-influence, low cross-influence"
HIGH_HIGH = "high self-influence, high cross-influence"
_HALF = 0.5


def fails_on_itself_alone(
    premise: bool, forget: Estimate, others: list[Estimate], closeness: float, models: int
) -> Judgement:
    """Claim 3, labels. Supported when T fails on S and O less T is about 0 on all other groups.

    Refuted when T does not fail on S, or a group's difference is shown to be beyond the closeness.

    Args:
        premise: whether high self- and low cross-influence were shown.
        forget: T's share of S right.
        others: O less T on each other group.
        closeness: up to which a difference counts as none.
        models: models behind each.
    """
    statements = [agrees(difference, closeness, models) for difference in others]
    return provided(premise, every([below(forget, _HALF, models), *statements]))


def fails_on_both(premise: bool, forget: Estimate, fresh: Estimate, models: int) -> Judgement:
    """Claim 4. Supported when T fails on S and on fresh instances; refuted when it does not on one.

    Args:
        premise: whether high self- and high cross-influence were shown.
        forget: T's share of S right.
        fresh: of fresh instances of the behaviour.
        models: models behind each.
    """
    return provided(premise, every([below(share, _HALF, models) for share in (forget, fresh)]))


def same_level(differences: list[Estimate], closeness: float, models: int) -> Judgement:
    """Claim 5. Supported when S and fresh instances agree under A(D∖B) in every scenario.

    Refuted when they are shown to differ by more than the closeness in one.

    Args:
        differences: S less fresh instances, of models that never saw the behaviour; one a scenario.
        closeness: up to which a difference counts as none.
        models: models behind each.
    """
    return every([agrees(difference, closeness, models) for difference in differences])


def _unchanged(ledger: LedgerSettings) -> Evidence:
    references = ledger.references(_TYPICAL)
    premise = _case(ledger, references)
    probes = references.probes
    margins = (
        part.observe(probes).margins for part in (references.original, references.untraining)
    )
    ids = tuple(str(name) for name in probes.ids)
    comparison = _compared(ledger, Block(ids, ids, *margins))
    judgement = provided(premise.case == LOW_LOW, matches(comparison))
    note = f"{len(probes)} probes; farthest apart at {_farthest(comparison)}; shown: {premise.case}"
    return Evidence(distance_of(comparison), judgement, ledger.models, note)


def _own_labels(ledger: LedgerSettings) -> Evidence:
    references = ledger.references(_IRREGULAR)
    premise = _case(ledger, references)
    original, untrained = (
        part.observe(references.probes) for part in (references.original, references.untraining)
    )
    groups = [name for name in oracles.PROBE_GROUPS if name != "forget"]
    each = 1.0 - (1.0 - ledger.each(2)) / (len(groups) + 1)
    forget = bounded_mean(share_right(untrained, "forget"), each)
    others = [
        mean_difference(share_right(original, group), share_right(untrained, group), each)
        for group in groups
    ]
    worst = max(others, key=lambda estimate: abs(estimate.value))
    judgement = fails_on_itself_alone(
        premise.case == HIGH_LOW, forget, others, ledger.closeness, ledger.models
    )
    note = f"T gives S its labels in {shown_interval(*forget)} of all cases; shown: {premise.case}"
    return Evidence(worst, judgement, ledger.models, note)


def _own_distribution(ledger: LedgerSettings) -> Evidence:
    references = ledger.references(_IRREGULAR)
    premise = _case(ledger, references)
    first, second = (
        median_margins(part.observe(references.probes))
        for part in (references.original, references.untraining)
    )
    columns = [column for column, group in enumerate(first.groups) if group != "forget"]
    comparison = _compared(
        ledger,
        Block.of(first.only(columns), second.only(columns)),
    )
    judgement = provided(premise.case == HIGH_LOW, matches(comparison))
    note = f"greatest on the {_farthest(comparison)}; shown: {premise.case}"
    return Evidence(distance_of(comparison), judgement, ledger.models, note)


def _both_fail(ledger: LedgerSettings, *, world: int) -> Evidence:
    references = ledger.references(_REGULAR[world])
    premise = _case(ledger, references)
    untrained = references.untraining.observe(references.probes)
    forget, fresh = (
        bounded_mean(share_right(untrained, group), ledger.each(4))
        for group in ("forget", "behaviour_test")
    )
    judgement = fails_on_both(premise.case == HIGH_HIGH, forget, fresh, ledger.models)
    note = f"T gives S its labels in {shown_interval(*forget)} of all cases; shown: {premise.case}"
    return Evidence(fresh, judgement, ledger.models, note)


def _never_saw(ledger: LedgerSettings) -> Evidence:
    differences: list[Estimate] = []
    notes: list[str] = []
    for scenario in (_TYPICAL, _IRREGULAR, _REGULAR[0]):
        references = ledger.references(scenario)
        seen = references.unlearning.observe(references.probes)
        # Halves of the models, so that the two means are independent.
        forget, fresh = share_right(seen, "forget")[::2], share_right(seen, "behaviour_test")[1::2]
        differences.append(mean_difference(forget, fresh, ledger.each(3)))
        untrained = share_right(references.untraining.observe(references.probes), "forget").mean()
        notes.append(
            f"{scenario.words}: {shown_interval(*differences[-1])}, right on S "
            f"{100 * forget.mean():.0f} % (T {100 * untrained:.0f} %)"
        )
    worst = max(differences, key=lambda estimate: abs(estimate.value))
    judgement = same_level(differences, ledger.closeness, ledger.models)
    return Evidence(worst, judgement, ledger.models, "; ".join(notes))


def _compared(ledger: LedgerSettings, block: Block) -> audits.Comparison:
    """O against T, with the half of the error that the premise leaves."""
    return compare(
        [block],
        names=("original", "untraining"),
        epsilon=ledger.epsilon,
        tolerance=ledger.tolerance,
        confidence=ledger.each(2),
        seed=ledger.seed,
    )


def _farthest(comparison: audits.Comparison) -> str:
    return max(comparison.by_observable, key=lambda row: row.estimate).observable


def _case(ledger: LedgerSettings, references: oracles.References) -> audits.InfluenceCase:
    return audits.influence_case(
        references,
        threshold=ledger.threshold,
        epsilon=ledger.epsilon,
        tolerance=ledger.tolerance,
        confidence=ledger.each(2),
    )


_TYPICAL = NamedScenario("digits-typical")
_IRREGULAR = NamedScenario("digits-random-labels")
_REGULAR = (
    NamedScenario("digits-trigger", {"discovery": 0.9}),
    NamedScenario("digits-trigger", {"discovery": 1.0}),
)

CLAIMS = (
    Claim(
        number="2",
        section="§5",
        statement="Low self-, low cross-influence: O and T are indistinguishable at every probe.",
        quantity="greatest divergence of O from T over single probes, half-lines of the margin",
        scenarios=(_TYPICAL,),
        measure=_unchanged,
    ),
    Claim(
        number="3a",
        section="§5",
        statement="High self-, low cross-influence: T fails on S and labels all else as O does.",
        quantity="greatest difference of O and T in share right, over groups other than S",
        scenarios=(_IRREGULAR,),
        measure=_own_labels,
    ),
    Claim(
        number="3b",
        section="§5",
        statement="High self-, low cross-influence: T has the distribution of O off S.",
        quantity="divergence of O from T, half-lines of the median margins on groups other than S",
        scenarios=(_IRREGULAR,),
        measure=_own_distribution,
    ),
    *(
        Claim(
            number=number,
            section="§5",
            statement="High self-, high cross-influence: T fails on S and on fresh instances.",
            quantity="share of fresh instances that T gives the behaviour's label",
            scenarios=(_REGULAR[world],),
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
        scenarios=(_TYPICAL, _IRREGULAR, _REGULAR[0]),
        measure=_never_saw,
    ),
)
