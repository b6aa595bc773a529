"""The section of a report on how far the submission lies from each reference."""

from audits.report import numbers
from audits.report._blocks import Beside, Drawing, Listing, Table
from audits.report._page import Section
from audits.report._svg import svg
from audits.report._words import POPULATION_NAMES, REFERENCES, group_name
from audits.verdict._findings import AuditFindings
from audits.verdict._progress_figure import progress_figure
from audits.verdict._words import auc_of, mean_distance_of, progress_of, shift_of

_GRADES = (
    ("shift", "the difference of medians over models"),
    (
        "AUC",
        "the probability that a submitted model has the greater margin, ties counted half; ½ says "
        "neither way",
    ),
    (
        "progress",
        "0 where the original was, 1 where the reference is, above 1 beyond it; where the medians "
        "at both ends could be equal there is nothing to make progress on",
    ),
    (
        "distance of means",
        "of the margins of all probes at once, in units of the spread of models in each direction: "
        "about 0 for a perfect match, below it by chance in about half. It sees directions that "
        "medians do not, and orders submissions of as many models at the same probes; with few "
        "models it can be several times the true number of standard deviations",
    ),
)


def _minus(text: str) -> str:
    """As numbers stand in reports."""
    return text.replace("-", "\N{MINUS SIGN}")


def grades_section(audit: AuditFindings) -> tuple[Section, ...]:
    """How far the submission lies from each reference, and how far it has come on the way."""
    if not audit.shifts:
        return ()
    declared = audit.declaration
    sure = numbers.level(declared.look_confidence or declared.confidence)
    ways = {
        (row.start, row.reference, row.group): _minus(progress_of(row)) for row in audit.progress
    }
    known = any(row.start == "original" for row in audit.progress)
    tables = tuple(
        Table(
            f"Median margins beside the {POPULATION_NAMES[reference]}; each column of intervals, "
            f"over both references, holds together at {sure} confidence",
            (
                "probes",
                "shift, in standard deviations",
                "AUC",
                *(("progress from the original",) if known else ()),
            ),
            tuple(
                (
                    group_name(row.group),
                    _minus(shift_of(row)),
                    auc_of(row),
                    *((ways["original", reference, row.group],) if known else ()),
                )
                for row in audit.shifts
                if row.reference == reference
            ),
            kind="words",
        )
        for reference in REFERENCES
    )
    between = Table(
        "From the untraining reference (0) to the unlearning reference (1)",
        ("probes", "where the submission lies"),
        tuple(
            (group_name(row.group), _minus(progress_of(row)))
            for row in audit.progress
            if row.start == "untraining"
        ),
        kind="words",
    )
    whole = Table(
        "Mean margins of all probes at once",
        ("beside the", "distance of means"),
        tuple(
            (POPULATION_NAMES[row.reference], _minus(mean_distance_of(row)))
            for row in audit.mean_distances
        ),
        kind="words",
    )
    text = (
        "Where distances are at their greatest they no longer tell one submission from another; "
        "these do. None of them is part of the verdict: a median may arrive where the distribution "
        "does not."
    )
    shown = tuple(row for row in _GRADES if known or row[0] != "progress")
    explained = Listing(shown, "How far, said in other ways")
    beside: Beside | Listing = explained
    if any(row.start == "original" and row.low is not None for row in audit.progress):
        image = svg(
            progress_figure(audit.progress),
            name="progress",
            title="Progress of median margins from the original to each reference",
            description="The numbers are in the tables that follow.",
        )
        caption = (
            "Progress of the median margin. Each line is an interval, its mark the estimate; an "
            "arrow says that it goes on. A line wholly beyond ½ is nearer to the reference than to "
            "the original."
        )
        beside = Beside(Drawing(image, caption), explained)
    return (Section("How far on the way", (text, beside, *tables, whole, between)),)
