"""The part of a report that says what would decide a verdict which is open."""

from audits.report import numbers
from audits.report._blocks import Table
from audits.report._page import Section
from audits.report._words import POPULATION_NAMES
from audits.verdict._findings import AuditFindings
from audits.verdict._results import FEWEST_TO_FORECAST, Comparison, Declaration
from audits.verdict._words import too_few, which_look

DECISIONS = {"match": "matches", "differ": "differs", "open": "undecided"}


def deciding(audit: AuditFindings) -> tuple[Section, ...]:
    """What would decide each comparison that is open, and beside how many references."""
    blocks: list[str | Table] = []
    for comparison in (audit.untraining, audit.unlearning):
        if comparison.forecast is not None:
            blocks.append(_forecast(comparison, audit.declaration))
            blocks += _beside(comparison)
    return (Section("What would decide it", tuple(blocks)),) if blocks else ()


def _beside(comparison: Comparison) -> list[Table]:
    """Submitted models against models of the reference, where any number would do."""
    beside = comparison.forecast.beside if comparison.forecast else ()
    if all(row.submitted is None for row in beside):
        return []
    rows = tuple(
        (
            f"{numbers.count(row.references)}{' (now)' if place == 0 else ''}",
            "no feasible number" if row.submitted is None else numbers.about(row.submitted),
        )
        for place, row in enumerate(beside)
    )
    caption = (
        f"Submitted models that would decide it, beside models of the {comparison.second} reference"
    )
    return [Table(caption, ("models of the reference", "submitted models"), rows)]


def _forecast(comparison: Comparison, declaration: Declaration) -> str:
    forecast, start = comparison.forecast, f"Against the {POPULATION_NAMES[comparison.second]}, "
    if too_few(comparison):
        return (
            f"{start}fewer than {FEWEST_TO_FORECAST} models a side do not tell how many would "
            "decide: an estimate from so few swings too much."
        )
    if forecast is None or forecast.models is None:
        return (
            f"{start}no feasible number of models would decide: the distance seems too close to "
            "the tolerance. Another tolerance, declared before new models are drawn, could."
        )
    alone = (
        f", or {numbers.about(forecast.submitted)} submitted ones beside the references that there "
        "are,"
        if forecast.submitted is not None
        else ""
    )
    look = which_look(forecast.models, declaration)
    text = (
        f"{start}{numbers.about(forecast.models)} models a side{alone} would decide{look}. Now "
        f"there are {numbers.count(comparison.models_first)} and "
        f"{numbers.count(comparison.models_second)}. They would probably show that the submission "
        f"{DECISIONS[forecast.towards]}. This is a forecast: it holds with probability "
        f"{numbers.plain(forecast.power)} if the distance is what these models suggest."
    )
    if forecast.towards == "match" and declaration.epsilon > 0.0:
        text += " Above epsilon 0 a match that is not perfect may need two or three times that."
    return text
