"""What the logs allow to be said, and what they do not, in plain sentences."""

import math

from audits.llm._examples import FEWEST
from audits.llm._models import references_needed
from audits.llm._results import Draws, Fit, PrivLeak, ReferenceComparison
from audits.report._words import REFERENCES, WITHOUT, Consistency, ReferenceName

UNDETERMINED = f"undetermined, with fewer than {FEWEST} draws"
"""In place of an interval."""
_NO_CERTIFICATE = (
    "Nothing here bounds how far apart the distributions of models are: this is no certificate, "
    "and a test that finds nothing proves no likeness."
)


def fit_of(comparisons: tuple[ReferenceComparison, ...]) -> Fit:
    """Which references the logs fit, where both were given with several models each."""
    findings: dict[str, Consistency] = {
        comparison.reference: comparison.finding
        for comparison in comparisons
        if comparison.noise == "seeds"
    }
    untraining, unlearning = (findings.get(name, "undecided") for name in REFERENCES)
    if "undecided" in (untraining, unlearning):
        return "undecided"
    fits: dict[tuple[bool, bool], Fit] = {
        (True, False): "untraining only",
        (False, True): "unlearning only",
        (True, True): "both",
        (False, False): "neither",
    }
    return fits[untraining == "consistent", unlearning == "consistent"]


def headline(comparisons: tuple[ReferenceComparison, ...]) -> str:
    """The finding against each reference, in brief."""
    first, *others = comparisons
    they = "it" if first.submitted == 1 else "they"
    return " ".join([f"{_claim(first)}.", *(f"{_claim(other, they)}." for other in others)])


def sentence(comparisons: tuple[ReferenceComparison, ...]) -> str:
    """One sentence for each reference, and one on what none of them says."""
    return " ".join([*map(_against, comparisons), _NO_CERTIFICATE])


def leak_line(reference: ReferenceName, leak: PrivLeak) -> str:
    """PrivLeak against one kind of reference, as a line of plain text."""
    if leak.value is None:
        return f"PrivLeak by {leak.attack} against {reference}: undetermined, its AUC is 0"
    over = over_texts(leak.draws)
    interval = f"{leak.low:.1f} to {leak.high:.1f}" if math.isfinite(leak.low) else UNDETERMINED
    return (
        f"PrivLeak by {leak.attack} against {reference}: {leak.value:.1f} %, interval over {over} "
        f"{interval}"
    )


def over_texts(draws: Draws) -> str:
    """What an interval over texts is over."""
    return "texts" if draws == "examples" else draws


def _claim(comparison: ReferenceComparison, who: str | None = None) -> str:
    alone = comparison.submitted == 1
    who = who or f"the submitted {'model' if alone else 'models'}"
    verb = "is" if alone else "are"
    examples = comparison.noise == "examples"
    without = WITHOUT[comparison.reference]
    reference = without.replace("models", "this model", 1) if examples else without
    if comparison.finding == "undecided":
        return f"Whether {who} {verb} like {reference} cannot be told"
    subject = f"{who[0].upper()}{who[1:]} {verb}"
    if examples and comparison.finding == "consistent":
        return f"{subject} not told apart from {reference}"
    noise = "author" if comparison.draws == "authors" else "example"
    beyond = f" beyond {noise} noise" if examples else ""
    return f"{subject} {comparison.finding} with {reference}{beyond}"


def _against(comparison: ReferenceComparison) -> str:
    test = (
        f"paired test over {comparison.draws}"
        if comparison.noise == "examples"
        else f"permutation test of {comparison.submitted} against {comparison.models} models"
    )
    tested = f"({test}, p = {comparison.pvalue:.2g}, never below {comparison.least_pvalue:.2g})"
    claim = _claim(comparison)
    if comparison.finding == "undecided":
        return f"{claim} {tested}: {_needed(comparison)}."
    if comparison.noise == "seeds":
        return f"{claim} {tested}."
    far = comparison.finding == "inconsistent"
    others = "another such model might be as far" if far else "other such models may lie elsewhere"
    return f"{claim} {tested}; one training seed is one draw, and {others}."


def _needed(comparison: ReferenceComparison) -> str:
    level = f"the level {comparison.level:.3g} is out of reach"
    if comparison.noise == "examples":
        return f"with so few independent {comparison.draws} {level}"
    models = references_needed(comparison.submitted, comparison.level)
    return f"{level} with fewer than {models:,} reference models" if models else level
