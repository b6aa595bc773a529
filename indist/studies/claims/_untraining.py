"""Claims 6 and 7: doing nothing as an untrainer, and the question where S = B."""

import audits
from audits.memorization import Estimate
from indist.studies._estimates import distance_of
from indist.studies._shown import shown_interval
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import (
    Evidence,
    Judgement,
    below,
    differs,
    every,
    matches,
    provided,
)
from indist.studies.claims._populations import LedgerSettings, NamedScenario

AUDITED = (
    "indist references {scenario} -o REFS && indist audit REFS/original --references REFS -o OUT "
    "--epsilon {epsilon:g} --tolerance {tolerance:g} --confidence {confidence:g} "
    "--observable as-0.1.0"
)


def untrains(untraining: audits.Comparison, unlearning: audits.Comparison) -> Judgement:
    """Supported when O matches T and differs from A(D∖B): verdict ``untraining``.

    Refuted when O differs from T, or matches A(D∖B).

    Args:
        untraining: O against T.
        unlearning: O against A(D∖B).
    """
    return every([matches(untraining), differs(unlearning)])


def nothing_untrains(
    forget: Estimate, audit: Judgement, threshold: float, models: int
) -> Judgement:
    """Claim 6: that O untrains, provided that S is shown not to be memorized.

    Args:
        forget: self-influence of S, O less T in share right.
        audit: from `untrains`.
        threshold: influence from which on it is high.
        models: models behind each.
    """
    return provided(below(forget, threshold, models).finding == "supported", audit)


def vacuous(references: audits.Comparison, sentence: str) -> Judgement:
    """Claim 7. Supported when the references match and the audit's sentence says so.

    Refuted when they differ, or match and the audit does not say that the question is vacuous.

    Args:
        references: T against A(D∖B).
        sentence: of the audit.
    """
    if references.decision == "match" and "vacuous" not in sentence:
        return Judgement("refuted")
    return matches(references)


def audited(ledger: LedgerSettings, scenario: NamedScenario, statements: int = 1) -> audits.Audit:
    """The audit of O in a scenario.

    Args:
        ledger: the settings.
        scenario: where.
        statements: how many share the error with it, itself included.
    """
    references = ledger.references(scenario)
    return audits.audit(
        references.original,
        references,
        epsilon=ledger.epsilon,
        tolerance=ledger.tolerance,
        confidence=ledger.each(statements),
        observables=None,
    )


def _identity(ledger: LedgerSettings, *, statements: int) -> Evidence:
    audit = audited(ledger, _CENTRAL, statements)
    case = audits.influence_case(ledger.references(_CENTRAL), confidence=ledger.each(statements))
    ends = case.confidence_interval
    forget = Estimate(*(float(array[0]) for array in (case.estimate, ends.low, ends.high)))
    verdict = untrains(audit.untraining, audit.unlearning)
    judgement = nothing_untrains(forget, verdict, ledger.threshold, ledger.models)
    note = (
        f"verdict {audit.verdict}; to A(D∖B) {shown_interval(*distance_of(audit.unlearning))}; "
        f"self-influence of S {shown_interval(*forget)}"
    )
    return Evidence(distance_of(audit.untraining), judgement, ledger.models, note)


def _whole(ledger: LedgerSettings) -> Evidence:
    audit = audited(ledger, _ALL)
    note = f"the references {audit.separation}; of O the audit says: {audit.verdict}"
    judgement = vacuous(audit.references, audit.sentence)
    return Evidence(distance_of(audit.references), judgement, ledger.models, note)


# Of a class, the twentieth nearest to its mean: what the others teach anyway.
_CENTRAL = NamedScenario("digits-class", {"discovery": 0.05, "found": "central"})
_ALL = NamedScenario("digits-trigger", {"discovery": 1.0})

CLAIMS = (
    Claim(
        number="6",
        section="§6",
        statement="For S that is not memorized, doing nothing is untraining and not unlearning.",
        quantity="divergence of O from T, half-lines of the median margins",
        scenarios=(_CENTRAL,),
        measure=_identity,
        settings={"statements": 2},
        command=AUDITED,
    ),
    Claim(
        number="7",
        section="§7, remark 6",
        statement="S = B: the references coincide, and the audit says the question is vacuous.",
        quantity="divergence of T from A(D∖B), half-lines of the median margins",
        scenarios=(_ALL,),
        measure=_whole,
        command=AUDITED,
    ),
)
