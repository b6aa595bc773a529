"""What the logs allow to be said, and what they do not, in plain sentences."""

from audits.llm._models import references_needed
from audits.llm._results import Finding, Fit, PrivLeak, ReferenceComparison
from audits.report._words import WITHOUT, ReferenceName

_NO_CERTIFICATE = (
    "Nothing here bounds how far apart the distributions of models are: this is no certificate, "
    "and a test that finds nothing proves no likeness."
)


def fit_of(comparisons: tuple[ReferenceComparison, ...]) -> Fit:
    """Which references the logs fit, where both were given with several models each."""
    found: dict[str, Finding] = {
        of.reference: of.finding if of.noise == "seeds" else "undecided" for of in comparisons
    }
    pair = found.get("untraining", "undecided"), found.get("unlearning", "undecided")
    if "undecided" in pair:
        return "undecided"
    fits: dict[tuple[bool, bool], Fit] = {
        (True, False): "untraining only",
        (False, True): "unlearning only",
        (True, True): "both",
        (False, False): "neither",
    }
    return fits[pair[0] == "consistent", pair[1] == "consistent"]


def headline(comparisons: tuple[ReferenceComparison, ...]) -> str:
    """The finding against each reference, in brief."""
    first, *others = comparisons
    they = "it" if first.submitted == 1 else "they"
    return " ".join([f"{_claim(first)}.", *(f"{_claim(of, they)}." for of in others)])


def sentence(comparisons: tuple[ReferenceComparison, ...]) -> str:
    """One sentence for each reference, and one on what none of them says."""
    return " ".join([*map(_against, comparisons), _NO_CERTIFICATE])


def leak_line(reference: ReferenceName, leak: PrivLeak) -> str:
    """PrivLeak against one kind of reference, as a line of plain text."""
    if leak.value is None:
        return f"PrivLeak by {leak.attack} against {reference}: undetermined, its AUC is 0"
    return (
        f"PrivLeak by {leak.attack} against {reference}: {leak.value:.1f} %, interval over texts "
        f"{leak.low:.1f} to {leak.high:.1f}"
    )


def _claim(of: ReferenceComparison, who: str | None = None) -> str:
    who = who or f"the submitted {'model' if of.submitted == 1 else 'models'}"
    verb = "is" if of.submitted == 1 else "are"
    examples = of.noise == "examples"
    without = WITHOUT[of.reference]
    reference = without.replace("models", "this model", 1) if examples else without
    if of.finding == "undecided":
        return f"Whether {who} {verb} like {reference} cannot be told"
    said = f"{who[0].upper()}{who[1:]} {verb}"
    if examples and of.finding == "consistent":
        return f"{said} not told apart from {reference}"
    beyond = " beyond example noise" if examples else ""
    return f"{said} {of.finding} with {reference}{beyond}"


def _against(of: ReferenceComparison) -> str:
    test = (
        "paired test over examples"
        if of.noise == "examples"
        else f"permutation test of {of.submitted} against {of.models} models"
    )
    tested = f"({test}, p = {of.pvalue:.2g}, never below {of.least_pvalue:.2g})"
    if of.finding == "undecided":
        return f"{_claim(of)} {tested}: {_needed(of)}."
    if of.noise == "seeds":
        return f"{_claim(of)} {tested}."
    far = of.finding == "inconsistent"
    others = "another such model might be as far" if far else "other such models may lie elsewhere"
    return f"{_claim(of)} {tested}; one training seed is one draw, and {others}."


def _needed(of: ReferenceComparison) -> str:
    level = f"the level {of.level:.3g} is out of reach"
    if of.noise == "examples":
        return f"with so few independent examples {level}"
    models = references_needed(of.submitted, of.level)
    return f"{level} with fewer than {models:,} reference models" if models else level
