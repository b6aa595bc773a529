"""The report of an audit: what it found, in words, tables and figures.

Here numbers become words, rounded outward; nothing is computed.
"""

from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from audits._provenance import compared, digest_pairs, seed_pairs, version_pairs
from audits.certificate._certificate import FILE
from audits.report import numbers
from audits.report._blocks import (
    Beside,
    Claims,
    Command,
    Drawing,
    Drawings,
    Listing,
    Pairs,
    Shown,
    Table,
)
from audits.report._page import Glance, Page, Section, Track, write_page
from audits.report._svg import svg
from audits.report._words import LETTERS, POPULATION_NAMES, group_name
from audits.verdict._contents import shown
from audits.verdict._deciding import DECISIONS, deciding
from audits.verdict._figures import distance_plane, group_margins, hockey_stick_curve
from audits.verdict._findings import AuditFindings
from audits.verdict._grades_section import grades_section
from audits.verdict._limits import cannot_conclude
from audits.verdict._results import (
    Comparison,
    Declaration,
    ObservableDistance,
    OverUnlearned,
    WorstExampleFound,
)
from audits.verdict._tables import bounds, by_group, by_observable, group_words, people
from audits.verdict._words import (
    REFERENCES_SEEN,
    example_off,
    how_near,
    level_and_company,
    listed_looks,
    observables_in_words,
    stands_down_to,
    waiting_models,
)

_REASONS = {
    "match": ": all of the interval is within the tolerance",
    "differ": ": all of the interval is beyond the tolerance",
    "open": ": the bounds lie on both sides of the tolerance",
}
_SEPARATIONS = {
    "separated": "The references differ from each other by more than the tolerance, so the "
    "question has an answer.",
    "coincide": "The references match each other within the tolerance: at this tolerance, "
    "untraining and unlearning are the same thing here, and the question is vacuous.",
    "unresolved": "It is undecided whether the references differ from each other by more than the "
    "tolerance.",
}
_DIRECTIONS = {
    "forward": "what the submission does more often than the reference",
    "backward": "what the submission does less often than the reference",
}


def write_report(audit: AuditFindings, directory: Path, *, redact: bool = False) -> None:
    """Writes ``report.html`` and ``report.md`` of an audit.

    Args:
        audit: what to report; its numbers are shown, and none is computed.
        directory: where to; made when it is not there.
        redact: whether pictures and texts of examples are left out.

    Raises:
        OSError: as the file system does.
    """
    write_page(page(replace(audit, contents={}) if redact else audit, redact=redact), directory)


def page(audit: AuditFindings, *, redact: bool = False) -> Page:
    """The audit in words, tables and figures."""
    declared, provenance = audit.declaration, audit.provenance
    glances = tuple(
        _glance(audit, comparison) for comparison in (audit.untraining, audit.unlearning)
    )
    return Page(
        title=f"Audit of {provenance.submission}",
        scenario=provenance.scenario or "",
        headline=audit.sentence,
        scope=audit.scope,
        next_step=audit.next_step,
        verdict=audit.verdict,
        warnings=audit.warnings,
        figure=_plane(audit, glances),
        glances=glances,
        terms=(
            f"Distance is the hockey-stick divergence at ε = {numbers.plain(declared.epsilon)}, "
            "from 0 (alike) to 1 (never alike), between its lower and its upper bound. The "
            "submission matches a reference when even the upper bound is at most the tolerance, "
            f"{numbers.plain(declared.tolerance)}, and differs from it when even the lower bound "
            "is above."
        ),
        sections=(
            *deciding(audit),
            Section("What was compared", (Listing(compared(provenance)), LETTERS, people(audit))),
            Section("How far, at every ε", (_CURVES, *_curves(audit)), drawn=True),
            Section(
                "Where the difference lies",
                (
                    "The distance counts the worst observable, in the worse direction. Lower "
                    "bounds here pay for having looked at all observables; upper bounds need not.",
                    _by_observable(audit, audit.untraining),
                    _by_observable(audit, audit.unlearning),
                ),
            ),
            *_groups(audit),
            *grades_section(audit),
            Section("What else was found", (_further(audit, redact),)),
            Section("What was declared beforehand", (Listing(_declared(audit)),)),
            Section(
                "What this audit cannot conclude", (Claims(cannot_conclude(audit)),), cannot=True
            ),
            Section(
                "How to recompute it",
                (
                    "From the stored observations, the digests below and the settings above, every "
                    "number can be computed again:",
                    Command(f"indist verify {FILE}"),
                    Listing(digest_pairs(provenance), "SHA-256 of what was audited", code=True),
                    Listing(
                        (
                            *seed_pairs(provenance),
                            *_drawn(audit.declaration),
                            *version_pairs(provenance.versions),
                        ),
                        "Seeds and versions",
                    ),
                ),
            ),
        ),
    )


def _glance(audit: AuditFindings, comparison: Comparison) -> Glance:
    tolerance = audit.declaration.tolerance
    worst = comparison.worst_example(tolerance)
    return Glance(
        reference=comparison.second,
        heading=f"Distance to the {POPULATION_NAMES[comparison.second]}",
        number=bounds(comparison, tolerance),
        finding=DECISIONS[comparison.decision],
        reason=_reason(comparison, tolerance),
        estimate=numbers.near(comparison.estimate),
        track=Track(comparison.lower, comparison.upper, comparison.estimate, tolerance),
        shown=() if worst is None else _shown(audit, worst),
    )


def _shown(audit: AuditFindings, row: WorstExampleFound | ObservableDistance) -> tuple[Shown, ...]:
    seen = audit.observations["untraining"]
    return shown(row.observable, row.example, seen, audit.contents)


def _by_observable(audit: AuditFindings, comparison: Comparison) -> Table:
    """The table of a comparison, with pictures of the examples in it that differ."""
    table = by_observable(comparison, audit.declaration.tolerance)
    listed, tolerance = {row[0] for row in table.rows}, audit.declaration.tolerance
    pictures = {
        row.observable: _shown(audit, row)
        for row in comparison.by_observable
        if row.example and row.lower > tolerance and row.observable in listed
    }
    return replace(table, shown=pictures)


def _reason(comparison: Comparison, tolerance: float) -> str:
    worst = comparison.worst_example(tolerance)
    if worst is None:
        return _REASONS[comparison.decision]
    who = worst.called if worst.of_person else f"the single {worst.called}"
    return f"{_REASONS[comparison.decision]}; {who} alone, by at least {numbers.down(worst.lower)}"


def _plane(audit: AuditFindings, glances: tuple[Glance, ...]) -> Drawing:
    places = "; ".join(
        f"distance to the {POPULATION_NAMES[glance.reference]} {glance.estimate}, "
        f"bounds {glance.number}"
        for glance in glances
    )
    image = svg(
        distance_plane(audit),
        name="plane",
        title="The distance plane",
        description=f"Verdict: {audit.verdict}. The submission: {places}.",
    )
    return Drawing(
        image,
        "The box holds the submission, from the lower to the upper bound of both distances. The "
        "verdict is the region that holds all of the box; a box across a dashed line leaves the "
        "audit undecided. Bars bound the distance of the references from each other.",
    )


_CURVES = Markup(
    "Each curve is the hockey-stick divergence: the most by which an event is more probable under "
    "one population than e<sup>ε</sup> times its probability under the other. The band holds at "
    "each ε by itself, not at all of them at once; its lower edge is drawn by a method that serves "
    "the whole curve. The verdict rests on the sharper bounds at the declared ε that stand above."
)


def _curves(audit: AuditFindings) -> tuple[Drawings, ...]:
    return tuple(
        Drawings(
            f"Against the {POPULATION_NAMES[comparison.second]}",
            tuple(
                Drawing(
                    svg(
                        hockey_stick_curve(comparison, direction, audit.declaration),
                        name=f"{comparison.second}-{direction}",
                        title="Hockey-stick divergence from the "
                        f"{POPULATION_NAMES[comparison.second]}: {words}",
                        description="A falling curve of the divergence δ against ε, with its band.",
                    ),
                    words.capitalize(),
                )
                for direction, words in _DIRECTIONS.items()
            ),
        )
        for comparison in (audit.untraining, audit.unlearning)
    )


def _groups(audit: AuditFindings) -> tuple[Section, ...]:
    if not audit.groups:
        return ()
    margins = Drawing(
        svg(
            group_margins(audit.groups),
            name="margins",
            title="Median margin of each population on each group of probes",
            description="The numbers are in the second table that follows.",
        ),
        "Points are medians over models, lines hold nine models in ten. The margin is the log-odds "
        "of a probe’s label: above 0 the label has more than half the probability. On probes of "
        "the behaviour the label is the one that shows the behaviour.",
    )
    explained = Listing(group_words(audit.groups), "The groups of probes")
    blocks = (Beside(margins, explained), *by_group(audit.groups))
    return (Section("What the models do", blocks),)


def _further(audit: AuditFindings, redact: bool) -> Claims:
    references, near = audit.references, how_near(audit.nearest)
    found = [
        (
            "The references against each other",
            f"Their distance is estimated at {numbers.near(references.estimate)}, bounds "
            f"{bounds(references, audit.declaration.tolerance)} at "
            f"{numbers.level(references.confidence)} confidence each. "
            f"{_SEPARATIONS[audit.separation]}",
        ),
        (
            "The nearer reference",
            f"{near[:1].upper()}{near[1:]}. It is of the observables for which no model was set "
            "aside. Nearer is not near: only the verdict says what is matched.",
        ),
    ]
    examples: dict[str, tuple[Shown, ...]] = {}
    for worst in audit.worst_examples:
        name, text = (
            f"{words[:1].upper()}{words[1:]}" for words in (worst.called, example_off(worst))
        )
        found.append((name, f"{text}."))
        examples[name] = _shown(audit, worst)
    if redact:
        found.append(
            (
                "What the examples are",
                "Left out of this report, as was asked. Ids of probes and names of persons stay, "
                "as the numbers are recomputed for them.",
            )
        )
    elif audit.contents:
        found.append(
            (
                "What is shown here",
                "This report shows examples that were to be forgotten, or that show the "
                "behaviour. With --redact it is written without them.",
            )
        )
    if audit.over_unlearned is not None:
        found.append(("Unlearned too much?", _over_unlearned(audit.over_unlearned)))
    if audit.claimed is not None:
        claimed = audit.claimed
        source = f", after {claimed.source}" if claimed.source else ""
        assumed = "; ".join(claimed.assumptions) or "nothing stated"
        found.append(
            (
                "What is claimed",
                f"{claimed.sentence} Of: {claimed.mechanism}{source}. It takes for granted: "
                f"{assumed}.",
            )
        )
    if audit.original is not None:
        to_untraining, to_unlearning = (
            numbers.near(comparison.estimate) for comparison in audit.original
        )
        found.append(
            (
                "Where it started from",
                f"The original is at an estimated distance of {to_untraining} from the untraining "
                f"reference and {to_unlearning} from the unlearning reference.",
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
    clauses = (
        *waiting_models(audit.waiting),
        *stands_down_to(audit.least_alpha, audit.declaration),
        *level_and_company(audit.sharing, audit.stands, audit.declaration),
    )
    for clause in clauses:
        name, _, text = clause.partition(": ")
        found.append((name.capitalize(), f"{text[:1].upper()}{text[1:]}."))
    return Claims(tuple(found), examples)


def _over_unlearned(test: OverUnlearned) -> str:
    found = (
        "Yes: the submission hides the behaviour more than models that never saw it"
        if test.flag
        else "Not shown: the submission does not detectably hide the behaviour more than models "
        "that never saw it"
    )
    return (
        f"{found} (the probability that a submitted model has the greater margin on the "
        f"{group_name(test.group)} probes is estimated at {numbers.near(test.auc, 2)} and at most "
        f"{numbers.up(test.high, limit=0.5)}; below ½ is too much)."
    )


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
        ("looks", _looks(declared)),
        ("references", REFERENCES_SEEN[declared.references_seen]),
        ("observables", "; ".join(observables_in_words(declared))),
        ("class of events", declared.events),
        (
            "rule",
            "match when the upper bound is at most the tolerance; differ when the lower bound is "
            "above it; undecided otherwise",
        ),
    )


def _drawn(declared: Declaration) -> Pairs:
    """The seed of what was drawn after hand-in."""
    return () if declared.seed is None else (("seed of pilots and set-aside", str(declared.seed)),)


def _looks(declared: Declaration) -> str:
    if declared.looks is None:
        return "one, at what was handed in"
    if not declared.looks:
        return "none: this one is exploratory"
    here = "an exploratory one" if declared.look == 0 else f"number {declared.look}"
    return f"at {listed_looks(declared.looks)} submitted models; this is {here}"
