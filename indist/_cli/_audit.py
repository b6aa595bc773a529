"""One door for what people hold: models, logs of language models, scores at coin examples."""

from collections.abc import Sequence, Set
from glob import iglob
from itertools import takewhile
from os.path import commonprefix
from pathlib import Path
from typing import Annotated, Literal

import typer

from indist import audits
from indist._cli._audit_coins import audit_by_coins
from indist._cli._audit_logs import audit_logs
from indist._cli._audit_models import AS_BEFORE, audit_models
from indist._cli._errors import parse_numbers, parse_tolerance
from indist._cli._held import Original, References, Unlearning, Untraining
from indist._cli._options import (
    Confidence,
    Epsilon,
    Force,
    LeaveOut,
    Out,
    OwnLearner,
    OwnScenario,
    typed_options,
)

_OF_MODELS = (
    "epsilon",
    "tolerance",
    "claim",
    "observable",
    "looks",
    "references_seen",
    "learner",
    "scenario",
    "leave_out_damaged",
    "redact",
)
_PARTS = ("untraining", "unlearning", "original")
_OF_LOGS = ("metric", "cluster")
_OF_COINS = ("assume_exchangeable", "baseline", "retain_model")
Kind = Literal["models", "logs", "coins"]
_NEEDED: dict[Kind, tuple[str, ...]] = {
    "models": ("references",),
    "logs": ("untraining",),
    "coins": ("coins", "assume_exchangeable"),
}
"""Options of which one says what is audited."""
_OWN: dict[Kind, tuple[str, ...]] = {"models": _OF_MODELS, "logs": _OF_LOGS, "coins": _OF_COINS}


@typed_options
def audit(
    typed: Set[str],
    words: Sequence[str],
    submissions: Annotated[
        list[str],
        typer.Argument(
            metavar="SUBMISSION",
            help="Models, logs of a language-model benchmark, or scores at coin examples: paths, "
            "or patterns in quotes.",
        ),
    ],
    output: Out,
    references: References = None,
    epsilon: Epsilon = 1.0,
    tolerance: Annotated[
        str,
        typer.Option(
            metavar="NUMBER|calibrated",
            help="δ up to which two populations match, or the least that these sizes can meet.",
        ),
    ] = "0.2",
    confidence: Confidence = 0.95,
    claim: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="EPSILON DELTA",
            help="What is claimed of submission and untraining reference; else what it declares.",
        ),
    ] = None,
    observable: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:KEY=VALUE]",
            help="Models: what to look at, in place of group-medians, each-example, worst-example "
            f"and learned-witness; may be repeated. {AS_BEFORE} alone is an audit of that version.",
        ),
    ] = None,
    looks: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,…",
            help="Models: numbers of submitted models at which the verdict is read, declared "
            "before the first of them; a later look takes the place of the one that the folder "
            "holds. One look at what was handed in if unsaid.",
        ),
    ] = None,
    references_seen: Annotated[
        bool | None,
        typer.Option(
            "--references-seen/--references-kept",
            help="Models: whether the submitter could see the references before handing in, which "
            "the report then says.",
        ),
    ] = None,
    learner: OwnLearner = None,
    scenario: OwnScenario = None,
    leave_out_damaged: LeaveOut = False,
    untraining: Untraining = None,
    unlearning: Unlearning = None,
    original: Original = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Logs: a metric to compare; the benchmark's own if unsaid."),
    ] = None,
    cluster: Annotated[
        int | None,
        typer.Option(
            help="Logs, and published sets: consecutive examples that count as one; the 20 on each "
            "author in logs of TOFU, else 1, if unsaid.",
            min=1,
        ),
    ] = None,
    coins: Annotated[
        str | None,
        typer.Option(
            metavar="DESIGN",
            help="Coins: the folder of the design that indist coins draw made. With "
            "--assume-exchangeable a table of two published sets, in columns candidate and "
            "in_training.",
        ),
    ] = None,
    assume_exchangeable: Annotated[
        bool,
        typer.Option(
            "--assume-exchangeable",
            help="Coins: none were drawn, and it is assumed that the forget set might as well have "
            "been any other choice of as many examples. Without --coins the sets are those of the "
            "log.",
        ),
    ] = False,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="SCORES",
            help="Coins: the scores that indist coins draw --baseline has sealed, to be "
            "subtracted.",
        ),
    ] = None,
    retain_model: Annotated[
        str | None,
        typer.Option(
            metavar="SCORES",
            help="Coins: with --assume-exchangeable, scores of models that never saw the forget "
            "set, of which the same test must find nothing.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Of the resampling of logs, 0 if unsaid; of the models set aside to learn from, "
            "drawn now if unsaid, recorded, and drawn once for each result.",
            min=0,
        ),
    ] = None,
    redact: Annotated[
        bool,
        typer.Option(
            help="Models: leave pictures and texts of examples out of the report; ids of probes "
            "and names of persons stay."
        ),
    ] = False,
    force: Force = False,
) -> None:
    """Compares what somebody holds with both references: findings, numbers and report.

    With --references, or --untraining and --unlearning, models. Several of one algorithm get a
    verdict and a certificate; one alone gets exact ranks and never an ε. Several files of one model
    each and one format are one submission; other submissions are audited apart, each into a folder
    of its name.

    With --untraining, logs of TOFU, open-unlearning or MUSE: tests paired by example.

    With --coins, what as little as one model says of examples that were in its training set by
    coins: an ε for the whole forget set, and no reference.
    """
    kind = kind_of(typed, bool(untraining) and are_logs(untraining or ()))
    if kind == "coins":
        audit_by_coins(
            submissions,
            output,
            design=coins,
            assume_exchangeable=assume_exchangeable,
            baseline=baseline,
            retain_model=retain_model,
            confidence=confidence if "confidence" in typed else None,
            cluster=cluster,
            force=force,
        )
        return
    check_quoted(words, submissions)
    if kind == "logs":
        audit_logs(
            submissions,
            output,
            untraining=untraining or (),
            unlearning=unlearning or (),
            metrics=metric or (),
            confidence=confidence,
            cluster=cluster,
            seed=seed or 0,
            force=force,
        )
    else:
        audit_models(
            submissions,
            output,
            references=references,
            parts={"untraining": untraining, "unlearning": unlearning, "original": original},
            learner=learner,
            scenario=scenario,
            leave_out_damaged=leave_out_damaged,
            epsilon=epsilon,
            tolerance=parse_tolerance(tolerance),
            confidence=confidence,
            claim=claim,
            observables=observable or (),
            looks=parse_numbers("looks", looks),
            references_seen=references_seen,
            seed=seed,
            redact=redact,
            force=force,
        )


def check_quoted(words: Sequence[str], submissions: Sequence[str]) -> None:
    """Refuses what an unquoted pattern of references becomes: all but its first fit, submissions.

    Args:
        words: as they were typed.
        submissions: those of them that are taken for submissions.

    Raises:
        ValueError: when submissions stand right after a reference, and others before it, or when
            several do.
    """
    for place, word in enumerate(words):
        option, equals, first = word.partition("=")
        if option not in [f"--{name}" for name in _PARTS]:
            continue
        next_place = place + 1 if equals else place + 2
        first = first if equals else words[place + 1]
        after = list(takewhile(lambda other: other in submissions, words[next_place:]))
        if len(after) > 1 or 0 < len(after) < len(submissions):
            raise ValueError(
                f"{option}: expected one path, or a pattern in quotes such as {option} "
                f"{_pattern_of([first, *after])!r}; found {first} followed by {after[0]}"
                f"{f' and {len(after) - 1} more' if after[1:] else ''}, which would be taken for "
                "submissions (those stand first)"
            )


def _pattern_of(paths: Sequence[str]) -> str:
    """A pattern that fits all paths: what they begin and what they end with."""
    start, end = commonprefix(paths), commonprefix([path[::-1] for path in paths])[::-1]
    shortest = min(map(len, paths))
    return f"{start}*{end[max(0, len(start) + len(end) - shortest) :]}"


def are_logs(patterns: Sequence[str]) -> bool:
    """Whether what paths or patterns name are logs of a benchmark, told by the first of them."""
    first = patterns[0]
    found = first if Path(first).exists() else next(iglob(first, recursive=True), None)
    if found is None and not audits.llm.is_log(first):
        raise ValueError(
            f"{first}: not found; expected models, or a log, or a pattern of several in quotes"
        )
    return audits.llm.is_log(found or first)


def kind_of(typed: Set[str], logs: bool = True) -> Kind:
    """Whether models, logs, or scores at coin examples are to be audited.

    Args:
        typed: names of the options that were given.
        logs: whether what ``--untraining`` names are logs, rather than models.

    Raises:
        ValueError: unless exactly one kind is asked for, or when an option of another kind is
            given.
    """
    asked: list[Kind] = [kind for kind, names in _NEEDED.items() if typed & set(names)]
    if "unlearning" in typed and not asked:
        raise ValueError(
            "--unlearning: expected --untraining beside it, models trained without the forget set "
            "or logs of them: what fits one kind of reference is told beside the other"
        )
    if len(asked) != 1:
        found = " and ".join(f"--{_NEEDED[kind][0]}" for kind in asked) or "none of them"
        raise ValueError(
            "expected --references, to audit models, --untraining, to audit models or logs of a "
            "language-model benchmark, or --coins, to audit scores at coin examples; found "
            f"{found}"
        )
    kind = "models" if asked[0] == "logs" and not logs else asked[0]
    for owner, names in _OWN.items():
        for name in names if owner != kind else ():
            if name in typed and (kind, name) != ("coins", "cluster"):
                needed = "logs" if asked[0] == owner else f"--{_NEEDED[owner][0]}"
                raise ValueError(f"--{name.replace('_', '-')}: expected with {needed} only")
    _check_parts(typed, kind)
    if kind == "coins" and "seed" in typed:
        raise ValueError("--seed: expected without --coins, as nothing is drawn then")
    return kind


def _check_parts(typed: Set[str], kind: Kind) -> None:
    """Refuses populations of references that one by one do not make what is needed."""
    if "untraining" not in typed:
        for name in _PARTS[1:]:
            if name in typed:
                raise ValueError(f"--{name}: expected with --untraining only")
    elif kind == "logs" and "original" in typed:
        raise ValueError("--original: expected with models only, found logs")
