"""What the report says, as text and tables, before it becomes HTML or Markdown.

Here numbers become words, rounded outward; nothing is computed. Both forms of the report are
written from this one content, so they cannot disagree.
"""

from dataclasses import dataclass

from audits._provenance import compared, digest_pairs, seed_pairs, version_pairs
from audits.report import numbers
from audits.report._tables import Pairs, Table
from audits.report._words import LETTERS, POPULATIONS, group_name
from audits.verdict._findings import AuditFindings
from audits.verdict._limits import cannot_conclude
from audits.verdict._results import Comparison
from audits.verdict._tables import bounds, by_group, by_observable, group_words, people

DIRECTIONS = {
    "forward": "what the submission does more often than the reference",
    "backward": "what the submission does less often than the reference",
}

DECISIONS = {"match": "matches", "differ": "differs", "open": "undecided"}
SEPARATIONS = {
    "separated": "The references differ from each other by more than the tolerance, so the "
    "question has an answer.",
    "coincide": "The references match each other within the tolerance: at this tolerance, "
    "untraining and unlearning are the same thing here, and the question is vacuous.",
    "unresolved": "It is undecided whether the references differ from each other by more than the "
    "tolerance.",
}


@dataclass(frozen=True)
class Distance:
    """The distance to one reference, as text and as places on a track from 0 to 1."""

    reference: str
    name: str
    estimate: str
    bounds: str
    decision: str
    says: str
    track: dict[str, float]


@dataclass(frozen=True)
class Content:
    """Everything the report says."""

    title: str
    scenario: str
    verdict: str
    sentence: str
    scope: str
    terms: str
    distances: tuple[Distance, ...]
    warnings: tuple[str, ...]
    compared: Pairs
    letters: str
    people: Table
    deciding: tuple[str, ...]
    observables: tuple[Table, ...]
    group_words: Pairs
    groups: tuple[Table, ...]
    findings: Pairs
    declared: Pairs
    cannot: Pairs
    digests: Pairs
    origins: Pairs


def content(audit: AuditFindings) -> Content:
    """The audit in words and tables."""
    declared, provenance = audit.declaration, audit.provenance
    return Content(
        title=f"Audit of {provenance.submission}",
        scenario=provenance.scenario or "",
        verdict=audit.verdict,
        sentence=audit.sentence,
        scope=audit.scope,
        terms=(
            f"Distance is the hockey-stick divergence at ε = {numbers.plain(declared.epsilon)}, "
            "from 0 (alike) to 1 (never alike), between its lower and its upper bound. The "
            "submission matches a reference when even the upper bound is at most the tolerance, "
            f"{numbers.plain(declared.tolerance)}, and differs from it when even the lower bound "
            "is above."
        ),
        distances=(
            _distance(audit.untraining, "untraining", declared.tolerance),
            _distance(audit.unlearning, "unlearning", declared.tolerance),
        ),
        warnings=audit.warnings,
        compared=compared(audit.provenance),
        letters=LETTERS,
        people=people(audit),
        deciding=_deciding(audit),
        observables=(
            by_observable(audit.untraining, declared.tolerance),
            by_observable(audit.unlearning, declared.tolerance),
        ),
        group_words=group_words(audit.groups),
        groups=by_group(audit.groups),
        findings=_findings(audit),
        declared=_declared(audit),
        cannot=cannot_conclude(audit),
        digests=digest_pairs(audit.provenance),
        origins=_origins(audit),
    )


def _distance(of: Comparison, reference: str, tolerance: float) -> Distance:
    says = {
        "match": "all of the interval is within the tolerance",
        "differ": "all of the interval is beyond the tolerance",
        "open": "the bounds lie on both sides of the tolerance",
    }
    return Distance(
        reference=reference,
        name=POPULATIONS[reference],
        estimate=numbers.near(of.estimate),
        bounds=bounds(of, tolerance),
        decision=DECISIONS[of.decision],
        says=says[of.decision],
        track={
            "low": of.lower,
            "high": of.upper,
            "estimate": of.estimate,
            "tolerance": tolerance,
        },
    )


def _deciding(audit: AuditFindings) -> tuple[str, ...]:
    said: list[str] = []
    pairs = {"untraining": audit.untraining, "unlearning": audit.unlearning}
    for name, of in pairs.items():
        if of.forecast is None:
            continue
        start = f"Against the {POPULATIONS[name]}, "
        if of.forecast.models is None:
            said.append(
                f"{start}no feasible number of models would decide: the distance seems too close "
                "to the tolerance. Another tolerance, declared before new models are drawn, could."
            )
        else:
            said.append(
                f"{start}{numbers.about(of.forecast.models)} models a side would decide (now "
                f"{numbers.count(of.models_first)} and {numbers.count(of.models_second)}), "
                f"probably that the submission {DECISIONS[of.forecast.towards]}. This is a "
                f"forecast: it holds with probability {numbers.plain(of.forecast.power)} if the "
                "distance is what these models suggest."
            )
            if of.forecast.towards == "match" and audit.declaration.epsilon > 0.0:
                said[-1] += (
                    " Above epsilon 0 a match that is not perfect may need two or three times that."
                )
    return tuple(said)


def _findings(audit: AuditFindings) -> Pairs:
    tolerance = audit.declaration.tolerance
    between, nearest, over = audit.references, audit.nearest, audit.over_unlearned
    found = [
        (
            "The references against each other",
            f"Their distance is estimated at {numbers.near(between.estimate)}, bounds "
            f"{bounds(between, tolerance)} at {numbers.level(between.confidence)} confidence "
            f"each. {SEPARATIONS[audit.separation]}",
        )
    ]
    span = numbers.interval(nearest.low, nearest.high)
    gap = (
        "distance to untraining less distance to unlearning: "
        f"{numbers.near(nearest.difference)}, {numbers.level(nearest.confidence)} interval {span}"
    )
    found.append(
        (
            "The nearer reference",
            f"Undecided: the interval holds 0 ({gap})."
            if nearest.reference is None
            else f"The {POPULATIONS[nearest.reference]} ({gap}). Nearer is not near: only the "
            "verdict says what is matched.",
        )
    )
    if over is not None:
        pvalue = f"corrected p-value {numbers.pvalue(over.pvalue)}, smallest on the "
        found.append(
            (
                "Unlearned too much?",
                (
                    "Yes: the submission hides the behaviour more than models that never saw it"
                    if over.flag
                    else "No sign of it: the submission does not detectably hide the behaviour "
                    "more than models that never saw it"
                )
                + f" (one-sided rank test of the margins, {pvalue}{group_name(over.group)} "
                "probes).",
            )
        )
    if audit.claimed is not None:
        claimed = audit.claimed
        given = "; ".join(claimed.assumptions) or "nothing stated"
        found.append(
            (
                "What is claimed",
                f"{claimed.sentence} Of: {claimed.mechanism}"
                + (f", after {claimed.source}" if claimed.source else "")
                + f". It takes for granted: {given}.",
            )
        )
    if audit.original is not None:
        first, second = (numbers.near(of.estimate) for of in audit.original)
        found.append(
            (
                "Where it started from",
                f"The original is at an estimated distance of {first} from the untraining "
                f"reference and {second} from the unlearning reference.",
            )
        )
    found.append(
        (
            "The least tolerance",
            "With this many models, a perfect match would get an upper bound of about "
            f"{numbers.up(audit.least_tolerance)}, told from the halves of the references. A "
            "smaller tolerance would miss most matches.",
        )
    )
    return tuple(found)


def _declared(audit: AuditFindings) -> Pairs:
    declared = audit.declaration
    return (
        ("epsilon (ε)", numbers.plain(declared.epsilon)),
        ("tolerance (δ)", numbers.plain(declared.tolerance)),
        (
            "confidence",
            f"{numbers.level(declared.confidence)} for the verdict as a whole; "
            f"{numbers.level(audit.untraining.confidence)} for each bound on each reference",
        ),
        ("observables", "; ".join(declared.observables)),
        ("class of events", declared.events),
        (
            "rule",
            "match when the upper bound is at most the tolerance; differ when the lower bound is "
            "above it; undecided otherwise",
        ),
    )


def _origins(audit: AuditFindings) -> Pairs:
    return (
        *seed_pairs(audit.provenance),
        ("seed of resampling", str(audit.nearest.seed)),
        *version_pairs(audit.provenance.versions),
    )
