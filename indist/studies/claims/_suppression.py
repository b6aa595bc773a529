"""Claim 12, output suppression: a filter passes where only its outputs are seen.

The scenario is ``digits-trigger``. A filter hides S and leaves the model as it was. An auditor who
knows S alone asks three groups of probes: S, examples of D∖B and test examples; what is to be
passed is the comparison with A(D∖B), since that is what the filter pretends to be. Relearning is
three full-batch steps of the learner's own optimiser on half of S among examples of D∖B, a batch of
the learner's size in all; what is asked is the other half of S. (Taught half of S alone, which has
one label, A(D∖B) says that label of 94 % after a single step: that tells nothing apart.)
"""

import numpy as np

import audits
import oracles
from audits.memorization import Estimate
from audits.verdict import Block, compare, median_margins
from indist.studies._estimates import distance_of, mean_difference
from indist.studies._observed import share_right
from indist.studies._shown import shown_interval
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import (
    Evidence,
    Judgement,
    agrees,
    differs,
    every,
    exceeds,
    matches,
)
from indist.studies.claims._populations import LedgerSettings, NamedScenario
from indist.studies.claims._relearn import relearned
from oracles import Examples

ASKED = ("forget", "retain", "test")
STEPS = 3


def passes_by_label(differences: list[Estimate], closeness: float, models: int) -> Judgement:
    """Supported when shares of labels agree with A(D∖B)'s on every group; each has a third.

    Refuted when they are shown to differ by more than the closeness on one.

    Args:
        differences: filtered outputs less A(D∖B), one a group.
        closeness: up to which a difference counts as none.
        models: models behind each.
    """
    return every([agrees(difference, closeness, models) for difference in differences])


def comes_back(excess: Estimate, threshold: float, models: int) -> Judgement:
    """Supported when the model under the filter relearns more than one that never saw B.

    Refuted when its excess is shown to be at most the threshold.

    Args:
        excess: share of the rest of S right after relearning, less that of A(D∖B) relearned alike.
        threshold: excess from which on it counts.
        models: models behind it.
    """
    return exceeds(excess, threshold, models)


def _labels(ledger: LedgerSettings) -> Evidence:
    references = ledger.references(_SCENARIO)
    filtered = ledger.unlearned(references, "output-suppression").observe(references.probes)
    never = references.unlearning.observe(references.probes)
    differences = [
        mean_difference(
            share_right(filtered, group), share_right(never, group), ledger.each(len(ASKED))
        )
        for group in ASKED
    ]
    worst = max(differences, key=lambda estimate: abs(estimate.value))
    rest = share_right(filtered, "behaviour").mean()
    note = (
        f"on S {shown_interval(*differences[0])}; asked of B∖S, which this auditor does not know, "
        f"the filtered model shows the behaviour on {100 * rest:.0f} %"
    )
    judgement = passes_by_label(differences, ledger.closeness, ledger.models)
    return Evidence(worst, judgement, ledger.models, note)


def _confidences(ledger: LedgerSettings) -> Evidence:
    references = ledger.references(_SCENARIO)
    filtered = ledger.unlearned(references, "output-suppression")
    comparison = _compared(ledger, references, filtered)
    worst = max(comparison.by_observable, key=lambda row: row.lower)
    note = f"greatest on the {worst.observable}"
    return Evidence(distance_of(comparison), matches(comparison), ledger.models, note)


def _underneath(ledger: LedgerSettings) -> Evidence:
    references = ledger.references(_SCENARIO)
    comparison = _compared(ledger, references, references.original)
    note = "what the filter is put before is the original, bit for bit"
    return Evidence(distance_of(comparison), differs(comparison), ledger.models, note)


def _compared(
    ledger: LedgerSettings, references: oracles.References, submission: oracles.Population
) -> audits.Comparison:
    first, second = (
        median_margins(population.observe(references.probes))
        for population in (submission, references.unlearning)
    )
    columns = [column for column, group in enumerate(first.groups) if group in ASKED]
    return compare(
        [Block.of(first.only(columns), second.only(columns))],
        names=("submission", "unlearning"),
        epsilon=ledger.epsilon,
        tolerance=ledger.tolerance,
        confidence=ledger.confidence,
        seed=ledger.seed,
    )


def _after_relearning(ledger: LedgerSettings, *, steps: int) -> Evidence:
    references = ledger.references(_SCENARIO)
    scenario = references.scenario
    filtered = ledger.unlearned(references, "output-suppression")
    taught, asked = _halves(scenario, ledger.seed)
    hidden, never = (
        _rates(scenario, parameters, taught, asked, steps)
        for parameters in (filtered.parameters()["model"], references.unlearning.parameters())
    )
    excess = mean_difference(hidden[-1], never[-1], ledger.confidence)
    steps_of_never = ", ".join(f"{100 * rate:.0f}" for rate in never.mean(axis=1))
    note = (
        f"right on the other half of S after {steps} steps with one half: {hidden[-1].mean():.2f}; "
        f"A(D∖B), after each step, in %: {steps_of_never}"
    )
    judgement = comes_back(excess, ledger.threshold, ledger.models)
    return Evidence(excess, judgement, ledger.models, note)


def _halves(scenario: oracles.Scenario, seed: int) -> tuple[Examples, Examples]:
    """What is taught, half of S in a batch of the learner's size, and the half that is asked."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(scenario.forget)
    half = len(order) // 2
    retain = scenario.excluding(scenario.behaviour)
    among = rng.choice(retain, max(0, scenario.learner.batch - half), replace=False)
    return scenario.train.take([*order[:half], *among]), scenario.train.take(order[half:])


def _rates(
    scenario: oracles.Scenario, parameters: object, taught: Examples, asked: Examples, steps: int
) -> np.ndarray:
    return relearned(scenario.learner, parameters, taught, asked, steps=steps).mean(axis=2)


_SCENARIO = NamedScenario("digits-trigger")

CLAIMS = (
    Claim(
        number="12d",
        section="slides",
        statement="A filter on outputs passes a black-box audit of labels.",
        quantity="filtered outputs less A(D∖B), share right; the greatest of S, retain and test",
        scenarios=(_SCENARIO,),
        measure=_labels,
    ),
    Claim(
        number="12e",
        section="slides",
        statement="A filter on outputs passes a black-box audit of confidences.",
        quantity="divergence of filtered outputs from A(D∖B), median margins of the same groups",
        scenarios=(_SCENARIO,),
        measure=_confidences,
    ),
    Claim(
        number="12f",
        section="slides",
        statement="The filter fails when the model under it is observed.",
        quantity="divergence of the model underneath from A(D∖B), as in 12e",
        scenarios=(_SCENARIO,),
        measure=_underneath,
    ),
    Claim(
        number="12g",
        section="slides",
        statement="The filter fails after brief relearning.",
        quantity="share of the rest of S right after relearning, less that of A(D∖B) relearned",
        scenarios=(_SCENARIO,),
        measure=_after_relearning,
        settings={"steps": STEPS},
    ),
)
