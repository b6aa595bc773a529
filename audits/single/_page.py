"""The report of one submitted model: its place among the models of each reference."""

from pathlib import Path

from audits._provenance import compared, digest_pairs, seed_pairs, version_pairs
from audits.report import numbers
from audits.report._blocks import Block, Claims, Drawing, Listing, Pairs
from audits.report._folder import STORED, file_digests, record_bytes, write_result
from audits.report._page import Glance, Page, Section, write_page
from audits.report._svg import svg
from audits.report._words import POPULATION_NAMES
from audits.single._figures import places
from audits.single._findings import SingleFindings
from audits.single._limits import cannot_conclude
from audits.single._record import FILE, record
from audits.single._results import ErrorRate, LikelihoodRatio, RankTest
from audits.single._tables import by_observable, examples, people
from audits.submissions._stored import store

_REASONS = {
    "consistent": ", which is no proof of likeness",
    "inconsistent": ", as few of its own models would deviate so far",
    "undecided": ", as it holds too few models to decide",
}


def write_single(audit: SingleFindings, directory: Path, *, replace: bool) -> None:
    """Writes the folder of one submitted model; see `write_result`.

    Args:
        audit: what to report; its numbers are shown, and none is computed.
        directory: where to; made when it is not there.
        replace: whether another result there is replaced.

    Raises:
        ValueError: as `write_result`.
        OSError: as the file system does.
    """

    def fill(staging: Path) -> None:
        store(audit.observations, staging / STORED)
        write_page(page(audit), staging)
        content = record(audit, file_digests(staging))
        (staging / FILE).write_bytes(record_bytes(content))

    write_result(directory, FILE, fill, replace=replace)


def page(audit: SingleFindings) -> Page:
    """The audit of one model in words, tables and a figure."""
    tests = (audit.untraining, audit.unlearning)
    return Page(
        title=f"One model: {audit.provenance.submission}",
        scenario=audit.provenance.scenario or "",
        headline=audit.headline,
        scope=(
            "Were the model one of a reference's own, it would be equally likely to stand at any "
            "place among them: the test is of that and exact at every number of models. "
            "“Inconsistent” is wrong of either reference with probability at most "
            f"{numbers.plain(round(100 * (1 - audit.confidence), 6))}\N{NO-BREAK SPACE}% in all; "
            "“consistent” is no proof of likeness. One model says nothing of the distribution that "
            "its algorithm makes."
        ),
        figure=_places(audit),
        glances=tuple(map(_glance, tests)),
        warnings=audit.warnings,
        sections=(
            Section("What was compared", (Listing(compared(audit.provenance)), people(audit))),
            Section(
                "Its place in each group of probes",
                (
                    "The p-values pay for having looked at all groups. The test above looks at all "
                    "groups at once and is the one that decides.",
                    *map(by_observable, tests),
                ),
            ),
            Section(
                "The two references against each other: the likelihood ratio",
                _ratio(audit.ratio),
            ),
            Section("Example by example", (*map(_outside, tests), *examples(audit))),
            Section("What was declared beforehand", (Listing(_declared(audit)),)),
            Section(
                "What cannot be concluded from one model",
                (Claims(cannot_conclude(audit)),),
                cannot=True,
            ),
            Section(
                "How to recompute it",
                (
                    f"All numbers are in {FILE}. Nothing here is drawn at random: the same "
                    "submission and references, as these SHA-256 digests fix them, give the same "
                    "numbers again.",
                    Listing(
                        (
                            *seed_pairs(audit.provenance),
                            *version_pairs(audit.provenance.versions),
                        )
                    ),
                    Listing(digest_pairs(audit.provenance), code=True),
                ),
            ),
        ),
    )


def _places(audit: SingleFindings) -> Drawing:
    image = svg(
        places(audit),
        name="places",
        title="Median margin on each group of probes: each reference’s models, and the submitted "
        "one",
        description="; ".join(
            f"{test.reference}: {test.finding}, {numbers.equation(test.pvalue)}"
            for test in (audit.untraining, audit.unlearning)
        ),
    )
    return Drawing(
        image,
        "Each stroke is a model of a reference, or of more than a hundred models every hundredth; "
        "the marker is their median. The line through both strips is the submitted model. The "
        "margin is the log-odds of a probe’s label; on probes of the behaviour the label is the "
        "one that shows the behaviour.",
    )


def _glance(test: RankTest) -> Glance:
    least = numbers.pvalue(1.0 / (test.models + 1))
    return Glance(
        reference=test.reference,
        heading=f"Against the {POPULATION_NAMES[test.reference]}",
        number=numbers.equation(test.pvalue),
        finding=test.finding,
        reason=(
            f"{_REASONS[test.finding]}. Exact rank test among its {numbers.count(test.models)} "
            f"models, never below {least}; the level is {numbers.plain(round(test.level, 10))}."
        ),
    )


def _ratio(ratio: LikelihoodRatio | None) -> tuple[Block, ...]:
    if ratio is None:
        return ("Four models of each reference are needed to fit and to check it: not found.",)
    towards = f"the {POPULATION_NAMES[ratio.towards]}" if ratio.towards else "neither of them"
    value = (
        f"{numbers.near(ratio.value, 2)} nats, towards {towards} (above 0 is towards untraining)"
    )
    errors = tuple(
        (
            f"errs on models of the {POPULATION_NAMES[name]}",
            f"{_rate(rate, ratio.confidence)}; of these and the submitted model, the share that "
            f"points at least as far the other way: {numbers.pvalue(pvalue)}",
        )
        for name, rate, pvalue in (
            ("untraining", ratio.untraining, ratio.pvalue_untraining),
            ("unlearning", ratio.unlearning, ratio.pvalue_unlearning),
        )
    )
    return (
        "How much more probable the model’s median margins are among models without the forget set "
        "than among models without the behaviour, were both normal and the groups independent. "
        "That is not taken on trust: it was fitted on every other model of each reference, and its "
        "errors were counted on the rest. A model that is neither gets a ratio too.",
        Listing((("ln of the ratio", value), *errors)),
    )


def _rate(rate: ErrorRate, confidence: float) -> str:
    ends = numbers.interval(100 * rate.low, 100 * rate.high, 1)
    return (
        f"{numbers.count(rate.errors)} of {numbers.count(rate.models)} held out, "
        f"{numbers.level(confidence)} interval {ends}\N{NO-BREAK SPACE}%"
    )


def _outside(test: RankTest) -> str:
    return (
        f"The model is outside the range of the {POPULATION_NAMES[test.reference]}’s "
        f"{numbers.count(test.models)} models on {numbers.count(int(test.outside.sum()))} of "
        f"{numbers.count(len(test.outside))} probes, where one of them would be on about "
        f"{test.outside_expected:.3g} ({numbers.equation(test.outside_pvalue)})."
    )


def _declared(audit: SingleFindings) -> Pairs:
    return (
        (
            "confidence",
            f"{numbers.level(audit.confidence)} for both references together; each is tested at "
            f"the level {numbers.plain(round(audit.untraining.level, 10))}",
        ),
        ("observables", "; ".join(audit.observables["submission"].names)),
        (
            "statistic",
            "the greatest deviation over the observables, each in its standard deviations over the "
            "reference’s models and the submitted one",
        ),
        (
            "rule",
            "inconsistent when the p-value is at most the level; undecided when no p-value could "
            "be; consistent otherwise",
        ),
    )
