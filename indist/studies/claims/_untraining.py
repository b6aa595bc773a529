"""Claims 6 and 7: doing nothing as an untrainer, and the question where S = B."""

import audits
from audits.memorization import Estimate
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import (
    Evidence,
    Part,
    below,
    differs,
    distance,
    every,
    matches,
    provided,
    shown,
)
from indist.studies.claims._worlds import World, Worlds

AUDITED = (
    "indist references {world} -o REFS && indist audit REFS/original --references REFS -o OUT "
    "--epsilon {epsilon:g} --tolerance {tolerance:g} --confidence {confidence:g}"
)


def untrains(untraining: audits.Comparison, unlearning: audits.Comparison) -> Part:
    """Supported when O matches T and differs from A(D∖B): verdict ``untraining``.

    Refuted when O differs from T, or matches A(D∖B).

    Args:
        untraining: O against T.
        unlearning: O against A(D∖B).
    """
    return every([matches(untraining), differs(unlearning)])


def nothing_untrains(own: Estimate, audit: Part, threshold: float, models: int) -> Part:
    """Claim 6: that O untrains, provided that S is shown not to be memorized.

    Args:
        own: self-influence of S, O less T in share right.
        audit: from `untrains`.
        threshold: influence from which on it is high.
        models: models behind each.
    """
    return provided(below(own, threshold, models).finding == "supported", audit)


def vacuous(references: audits.Comparison, sentence: str) -> Part:
    """Claim 7. Supported when the references match and the audit's sentence says so.

    Refuted when they differ, or match and the audit does not say that the question is vacuous.

    Args:
        references: T against A(D∖B).
        sentence: of the audit.
    """
    if references.decision == "match" and "vacuous" not in sentence:
        return Part("refuted")
    return matches(references)


def audited(worlds: Worlds, world: World, statements: int = 1) -> audits.Audit:
    """The audit of O in a world.

    Args:
        worlds: the settings.
        world: where.
        statements: how many share the error with it, itself included.
    """
    references = worlds.references(world)
    return audits.audit(
        references.original,
        references,
        epsilon=worlds.epsilon,
        tolerance=worlds.tolerance,
        confidence=worlds.each(statements),
    )


def _identity(worlds: Worlds, *, statements: int) -> Evidence:
    audit = audited(worlds, _CENTRAL, statements)
    case = audits.influence_case(worlds.references(_CENTRAL), confidence=worlds.each(statements))
    ends = case.confidence_interval
    own = Estimate(*(float(array[0]) for array in (case.estimate, ends.low, ends.high)))
    verdict = untrains(audit.untraining, audit.unlearning)
    part = nothing_untrains(own, verdict, worlds.threshold, worlds.models)
    note = (
        f"verdict {audit.verdict}; to A(D∖B) {shown(distance(audit.unlearning))}; self-influence "
        f"of S {shown(own)}"
    )
    return Evidence(distance(audit.untraining), part, worlds.models, note)


def _whole(worlds: Worlds) -> Evidence:
    audit = audited(worlds, _ALL)
    note = f"the references {audit.separation}; of O the audit says: {audit.verdict}"
    part = vacuous(audit.references, audit.sentence)
    return Evidence(distance(audit.references), part, worlds.models, note)


# Of a class, the twentieth nearest to its mean: what the others teach anyway.
_CENTRAL = World("digits-class", {"discovery": 0.05, "found": "central"})
_ALL = World("digits-trigger", {"discovery": 1.0})

CLAIMS = (
    Claim(
        number="6",
        section="§6",
        statement="For S that is not memorized, doing nothing is untraining and not unlearning.",
        quantity="divergence of O from T, half-lines of the median margins",
        worlds=(_CENTRAL,),
        measure=_identity,
        settings={"statements": 2},
        command=AUDITED,
    ),
    Claim(
        number="7",
        section="§7, remark 6",
        statement="S = B: the references coincide, and the audit says the question is vacuous.",
        quantity="divergence of T from A(D∖B), half-lines of the median margins",
        worlds=(_ALL,),
        measure=_whole,
        command=AUDITED,
    ),
)
