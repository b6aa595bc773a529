"""The report of language-model logs: paired differences to each kind of reference model."""

import math
from pathlib import Path

from audits._provenance import version_pairs
from audits.llm._examples import AUTHOR
from audits.llm._figures import forest
from audits.llm._findings import LLMFindings
from audits.llm._limits import cannot_conclude
from audits.llm._record import FILE, record
from audits.llm._results import PrivLeak, ReferenceComparison
from audits.llm._stored import stored_logs
from audits.llm._tables import compared, differences
from audits.llm._words import UNDETERMINED, over_texts
from audits.report import numbers
from audits.report._blocks import Claims, Drawing, Listing, Pairs
from audits.report._folder import STORED, file_digests, record_bytes, write_result
from audits.report._page import Glance, Page, Section, write_page
from audits.report._svg import svg
from audits.report._words import POPULATION_NAMES
from oracles.storage.files import write_bytes_atomic

_FITS = {
    "untraining only": "The logs fit models never trained on the forget set, and do not fit models "
    "never trained on the behaviour.",
    "unlearning only": "The logs fit models never trained on the behaviour, and do not fit models "
    "that only missed the forget set.",
    "both": "The logs fit models never trained on the forget set, and models never trained on the "
    "behaviour as well.",
    "neither": "The logs fit neither models never trained on the forget set nor models never "
    "trained on the behaviour.",
    "undecided": "It is undecided which kind of reference the logs fit.",
}
_REASONS = {
    "consistent": ", which is no proof of likeness",
    "inconsistent": ", as chance alone would seldom put them so far apart",
    "undecided": ", as no p-value could reach the level",
}


def write_logs(audit: LLMFindings, directory: Path, *, replace: bool) -> None:
    """Writes the folder of a comparison of logs; see `write_result`.

    Args:
        audit: what to report; its numbers are shown, and none is computed.
        directory: where to; made when it is not there.
        replace: whether another result there is replaced.

    Raises:
        ValueError: as `write_result`.
        OSError: as the file system does.
    """

    def fill(staging: Path) -> None:
        write_bytes_atomic(staging / STORED / FILE, record_bytes(stored_logs(audit)))
        write_page(page(audit), staging)
        content = record(audit, file_digests(staging))
        (staging / FILE).write_bytes(record_bytes(content))

    write_result(directory, FILE, fill, replace=replace)


def page(audit: LLMFindings) -> Page:
    """The comparison in words, tables and a figure."""
    names = list(dict.fromkeys(log.name for log in audit.logs["submission"]))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return Page(
        title=f"Logs of {names[0]}{more}",
        scenario="",
        headline=audit.headline,
        scope=(
            f"{f'{_FITS[audit.fit]} ' if _both(audit) else ''}"
            "An inconsistency is wrong with probability at most "
            f"{numbers.plain(round(100 * (1 - audit.confidence), 6))}\N{NO-BREAK SPACE}% in all. "
            "A test that finds nothing proves no likeness, and nothing here bounds how far apart "
            "the distributions of models are."
        ),
        figure=_forest(audit),
        glances=tuple(map(_glance, audit.comparisons)),
        warnings=audit.warnings,
        warned_after=True,
        sections=(
            *_fits(audit),
            Section(
                "Paired differences",
                (
                    f"Intervals and p-values in these tables are over {_draws(audit)}, each metric "
                    "for itself and the models held fixed. Those under KS are as published, over "
                    "examples as if independent. They say nothing of another training seed; "
                    "the tests above do where there are several reference models.",
                    *map(differences, audit.comparisons),
                ),
            ),
            *_leaks(audit),
            Section("What was compared", (compared(audit),)),
            Section("What was declared beforehand", (Listing(_declared(audit)),)),
            Section(
                "What cannot be concluded from these logs",
                (Claims(cannot_conclude(audit)),),
                cannot=True,
            ),
            Section(
                "How to recompute it",
                (
                    f"All numbers are in {FILE}. The same logs, as these SHA-256 digests of their "
                    "scores fix them, and the same seed give the same numbers again.",
                    Listing(
                        (
                            ("seed of resampling, flips and relabellings", str(audit.seed)),
                            *version_pairs(audit.versions),
                        )
                    ),
                    Listing(
                        tuple(
                            (f"{name}: {log.name}", log.digest)
                            for name, logs in audit.logs.items()
                            for log in logs
                        ),
                        code=True,
                    ),
                ),
            ),
        ),
    )


def _forest(audit: LLMFindings) -> Drawing:
    image = svg(
        forest(audit),
        name="forest",
        title="Paired differences of the submitted models to each kind of reference",
        description="The numbers are in the tables of paired differences that follow.",
    )
    return Drawing(
        image,
        "Points are mean differences, submitted less reference, over the same examples; lines are "
        f"their {numbers.level(audit.confidence)} bootstrap intervals over {_draws(audit)}, these "
        "models given. Each metric has a scale of its own. A pale bar is how far from 0 as many "
        "fresh reference models may lie by their training seeds, were they normal; with one "
        "reference model that is unknown and there is none.",
    )


def _glance(comparison: ReferenceComparison) -> Glance:
    tests = {
        "examples": (
            f"Paired test over {comparison.draws} with one reference model, which is one draw"
        ),
        "seeds": f"Permutation test of {comparison.submitted} against {comparison.models} models",
    }
    return Glance(
        reference=comparison.reference,
        heading=f"Against the {POPULATION_NAMES[comparison.reference]}",
        number=numbers.equation(comparison.pvalue),
        finding=comparison.finding,
        reason=(
            f"{_REASONS[comparison.finding]}. {tests[comparison.noise]}; the level is "
            f"{numbers.plain(round(comparison.level, 10))}, and p is never below "
            f"{numbers.pvalue(comparison.least_pvalue)}."
        ),
    )


def _both(audit: LLMFindings) -> bool:
    """Whether both kinds of reference were given, so that the question which one fits arises."""
    return len(audit.comparisons) > 1


def _fits(audit: LLMFindings) -> tuple[Section, ...]:
    return (Section("Which reference the logs fit", _fit(audit)),) if _both(audit) else ()


def _fit(audit: LLMFindings) -> tuple[str, ...]:
    if audit.fit != "undecided":
        return (
            _FITS[audit.fit],
            "To fit is that a test which could have rejected did not. It is no likeness.",
        )
    lacks = [
        f"Of the {POPULATION_NAMES[comparison.reference]} one model was given, whose training seed "
        "is one draw."
        for comparison in audit.comparisons
        if comparison.noise == "examples"
    ]
    lacks += [
        f"Against the {POPULATION_NAMES[comparison.reference]} the test is undecided: too few "
        "models."
        for comparison in audit.comparisons
        if comparison.noise == "seeds" and comparison.finding == "undecided"
    ]
    return (
        f"{_FITS['undecided']} That takes several models of both kinds of reference, and tests "
        "that could decide.",
        *lacks,
    )


def _leaks(audit: LLMFindings) -> tuple[Section, ...]:
    leaks = [
        (comparison.reference, comparison.privleak)
        for comparison in audit.comparisons
        if comparison.privleak is not None
    ]
    if not leaks:
        return ()
    explained = (
        f"By the attack {leaks[0][1].attack}: how far the AUC of forget against holdout texts lies "
        "from that of the reference models given, in percent of theirs. No constant from a table "
        "is used."
    )
    pairs = tuple((f"against the {POPULATION_NAMES[name]}", _leak(leak)) for name, leak in leaks)
    return (Section("PrivLeak", (explained, Listing(pairs))),)


def _leak(leak: PrivLeak) -> str:
    finite = math.isfinite(leak.low) and math.isfinite(leak.high)
    ends = numbers.interval(leak.low, leak.high, 1) if finite else UNDETERMINED
    over = over_texts(leak.draws)
    value = (
        "undetermined, as the reference’s AUC is 0"
        if leak.value is None
        else f"{numbers.near(leak.value, 1)}\N{NO-BREAK SPACE}%, interval over {over} {ends}"
    )
    submitted, reference = (
        ", ".join(map(numbers.near, aucs)) for aucs in (leak.submission, leak.reference)
    )
    return f"{value}. AUC: submitted {submitted}; reference {reference}"


def _draws(audit: LLMFindings) -> str:
    """What the metrics' tests and intervals over examples are over."""
    metrics = (metric for comparison in audit.comparisons for metric in comparison.metrics)
    return " or ".join(dict.fromkeys(metric.draws for metric in metrics))


def _one_draw(audit: LLMFindings) -> str:
    """What counts as one independent draw."""
    if audit.cluster is not None and audit.cluster > 1:
        return f"{numbers.count(audit.cluster)} consecutive examples are one"
    if "authors" in _draws(audit):
        return (
            f"each author of TOFU is one, with {AUTHOR} consecutive questions; of metrics on other "
            "splits each example"
        )
    return "each example is one"


def _declared(audit: LLMFindings) -> Pairs:
    return (
        (
            "confidence",
            f"{numbers.level(audit.confidence)} for all inconsistencies together, and for each "
            "interval",
        ),
        ("metrics", "; ".join(metric.metric for metric in audit.comparisons[0].metrics)),
        (
            "draws",
            _one_draw(audit),
        ),
        (
            "tests",
            "with one reference model: sign flips of paired differences, Bonferroni’s correction "
            "over metrics; with several: whole models exchanged, the greatest difference over "
            "metrics and the AUC of PrivLeak",
        ),
    )
