"""One door for what people hold: many models, one model, or the logs of language models."""

from collections.abc import Sequence, Set
from functools import partial
from itertools import chain, count, takewhile
from os.path import commonprefix
from pathlib import Path
from typing import Annotated, Literal

import typer

from audits.report.folders import check_folder_of_results, check_result_folder
from indist import audits, oracles
from indist._cli._errors import parse_numbers, parse_tolerance
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

AS_BEFORE = "as-0.1.0"
"""The median margins alone, with joint upper bounds: what indist 0.1.0 looked at."""
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
_OF_LOGS = ("unlearning", "metric", "cluster")


@typed_options
def audit(
    typed: Set[str],
    words: Sequence[str],
    submissions: Annotated[
        list[str],
        typer.Argument(
            metavar="SUBMISSION",
            help="Models, or logs of a language-model benchmark: paths, or patterns in quotes.",
        ),
    ],
    output: Out,
    references: Annotated[
        str | None, typer.Option(help="Models: folder made by indist references.")
    ] = None,
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
    untraining: Annotated[
        list[str] | None,
        typer.Option(help="Logs: those of models trained without the forget set; may be repeated."),
    ] = None,
    unlearning: Annotated[
        list[str] | None, typer.Option(help="Logs: those of models that never saw the behaviour.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Logs: a metric to compare; the benchmark's own if unsaid."),
    ] = None,
    cluster: Annotated[
        int | None,
        typer.Option(
            help="Logs: consecutive examples that count as one; the 20 on each author in logs of "
            "TOFU, else 1, if unsaid.",
            min=1,
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

    With --references, models. Several of one algorithm get a verdict and a certificate; one alone
    gets exact ranks and never an ε. Several files of one model each and one format are one
    submission; other submissions are audited apart, each into a folder of its name.

    With --untraining, logs of TOFU, open-unlearning or MUSE: tests paired by example.
    """
    if kind_of(typed) == "logs":
        check_quoted(words, submissions)
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
            references=str(references),
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
        if option not in ("--untraining", "--unlearning"):
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


def kind_of(typed: Set[str]) -> Literal["models", "logs"]:
    """Whether models or logs are to be audited.

    Args:
        typed: names of the options that were given.

    Raises:
        ValueError: unless exactly one kind of reference is given, or when an option of the other
            kind is.
    """
    models, logs = "references" in typed, "untraining" in typed
    if "unlearning" in typed and not models and not logs:
        raise ValueError(
            "--unlearning: expected --untraining beside it, logs of models trained without the "
            "forget set: whether a log fits one kind of reference is told beside the other"
        )
    if models == logs:
        raise ValueError(
            "expected either --references, to audit models, or --untraining, to audit logs of a "
            f"language-model benchmark; found {'both' if models else 'neither'}"
        )
    other, needed = (_OF_LOGS, "untraining") if models else (_OF_MODELS, "references")
    for name in other:
        if name in typed:
            raise ValueError(f"--{name.replace('_', '-')}: expected with --{needed} only")
    return "models" if models else "logs"


def audit_logs(
    patterns: Sequence[str],
    output: Path,
    *,
    untraining: Sequence[str],
    unlearning: Sequence[str],
    metrics: Sequence[str],
    confidence: float,
    cluster: int | None,
    seed: int,
    force: bool = False,
) -> None:
    """Compares logs, writes the report and prints what they say.

    Args:
        patterns: logs of models made by one algorithm, paths or patterns.
        output: where the report goes.
        untraining: logs of models trained without the forget set.
        unlearning: logs of models that never saw the behaviour, if any.
        metrics: what to compare; the benchmark's own if none.
        confidence: see `audits.llm.compare`.
        cluster: consecutive examples that count as one; None as `audits.llm.compare` has it.
        seed: of the resampling.
        force: replace another result that the folder holds.

    Raises:
        ValueError: when a log cannot be read, or they do not fit together.
    """
    known = {"confidence": confidence, "cluster": cluster, "seed": seed}
    check_result_folder(output, "logs.json", known, replace=force)
    given = [audits.llm.load_all(names) for names in (patterns, untraining, unlearning)]
    _say_numbers([len(given[0])], untraining=len(given[1]), unlearning=len(given[2]))
    result = audits.llm.compare(
        given[0],
        untraining=given[1],
        unlearning=given[2],
        metrics=metrics or None,
        confidence=confidence,
        cluster=cluster,
        seed=seed,
    )
    _say(result, output, force)


def audit_models(
    patterns: Sequence[str],
    output: Path,
    *,
    references: str,
    learner: str | None,
    scenario: str | None,
    leave_out_damaged: bool,
    epsilon: float,
    tolerance: float | Literal["calibrated"],
    confidence: float,
    claim: tuple[float, float] | None,
    observables: Sequence[str] = (),
    looks: tuple[int, ...] | None = None,
    references_seen: bool | None = None,
    seed: int | None = None,
    redact: bool = False,
    force: bool = False,
) -> None:
    """Audits submissions, writes each report and prints what was found.

    Several files of one model each and of one format are taken for one submission. All other
    submissions are audited apart, each into a folder of its own name, and nothing is written before
    the last of them is done.

    Args:
        patterns: submissions, paths or patterns.
        output: where the report goes, or the folders of several.
        references: folder or URL of the references.
        learner: their learner, where it is the user's own code.
        scenario: their scenario file, where it lies elsewhere: see `oracles.load_references`.
        leave_out_damaged: go on without damaged shards of the references.
        epsilon: see `audits.audit`; of no meaning for one model, as tolerance and claim are.
        tolerance: the same.
        confidence: one minus alpha.
        claim: a claimed (ε, δ), or None for what the submission declares.
        observables: what to look at, by name and settings; the audit's own if none.
        looks: declared numbers of submitted models, or None for one look.
        references_seen: whether the submitter could see the references, or None.
        seed: of the models that are set aside; None draws one, or takes that of the result of the
            same audit that the folder holds.
        redact: leave pictures and texts of examples out of reports.
        force: replace other results that the folders hold.

    Raises:
        ValueError: when a submission cannot be read, or does not fit the references.
    """
    looked_at = audits.DEFAULT_OBSERVABLES
    if observables:
        old = list(observables) == [AS_BEFORE]
        looked_at = None if old else tuple(map(audits.observable_of, observables))
    submissions = audits.load_all(patterns)
    if claim is not None and len(submissions) == 1 and submissions[0].models == 1:
        raise ValueError("--claim: expected several models, as one cannot contradict an (ε, δ)")
    many = {"declaration.epsilon": epsilon, "declaration.confidence": confidence}
    if tolerance != "calibrated":
        many["declaration.tolerance"] = tolerance
    if len(submissions) > 1:
        check_folder_of_results(output, replace=force)
    folders = _folders(submissions, output)
    for submission, folder in zip(submissions, folders, strict=True):
        name: dict[str, object] = {"provenance.submission": submission.name}
        if submission.models == 1:
            alone = name | {"confidence": confidence}
            check_result_folder(folder, "single.json", alone, replace=force)
        else:
            # A later look's models may come from another file; its report knows whether it is one.
            known = many if looks else name | many
            check_result_folder(folder, "certificate.json", known, replace=force)
    # Loaded on use: the command line starts without what an audit needs.
    from audits.verdict import looked_before, seed_before

    stored = oracles.load_references(
        references, learner=learner, scenario=scenario, leave_out_damaged=leave_out_damaged
    )
    _say_numbers(
        [submission.models for submission in submissions],
        untraining=stored.untraining.models,
        unlearning=stored.unlearning.models,
    )
    several = {
        str(folder): submission
        for submission, folder in zip(submissions, folders, strict=True)
        if submission.models > 1
    }
    judge = partial(
        audits.audit_all,
        references=stored,
        epsilon=epsilon,
        tolerance=tolerance,
        confidence=confidence,
        claim=None if claim is None else oracles.mechanisms.Claim(*claim),
        observables=looked_at,
        references_seen=references_seen,
    )
    judged = judge(several, looks=looks, seed=seed) if several else {}
    if seed is None and looked_at is not None:
        # What is drawn is drawn once: the same audit again is the same result.
        seeds = {seed_before(result, Path(name)) for name, result in judged.items()}
        seed = next(iter(judged.values())).declaration.seed if judged else None
        if len(seeds) == 1 and None not in seeds:
            seed = seeds.pop()
            judged = judge(several, looks=looks, seed=seed)
    again = [name for name, result in judged.items() if looked_before(result, Path(name))]
    if again and looked_at is not None:
        # Looked at before, and this look was not declared then: an exploratory one.
        redone = judge(several, looks=(), seed=seed)
        judged |= {name: redone[name] for name in again}
    results = [
        judged[str(folder)]
        if submission.models > 1
        else audits.audit_single(submission, stored, confidence=confidence)
        for submission, folder in zip(submissions, folders, strict=True)
    ]
    if len(submissions) == 1:
        _write(results[0], output, force, redact)
        _print(results[0], output)
        return
    # All reports are written before anything is printed: who reads the text may stop reading.
    for result, folder in zip(results, folders, strict=True):
        _write(result, folder, force, redact)
    for result, folder in zip(results, folders, strict=True):
        typer.echo(f"{folder.name}\n")
        _print(result, folder)
        typer.echo("")


def _say_numbers(submitted: Sequence[int], **references: int) -> None:
    """How many models there are, before anything is computed: a pattern may fit others than meant.

    Args:
        submitted: models of each submission.
        **references: models by the kind of reference.
    """
    apart = f" in {len(submitted)} submissions" if len(submitted) > 1 else ""
    total = sum(references.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in references.items() if count)
    many = "reference" if total == 1 else "references"
    typer.echo(f"{sum(submitted)} submitted{apart}, {total} {many} ({kinds})\n")


def _write(
    result: "audits.Audit | audits.SingleAudit", folder: Path, force: bool, redact: bool
) -> None:
    # Of one model no single example is named.
    if isinstance(result, audits.Audit):
        result.report(folder, replace=force, redact=redact)
    else:
        result.report(folder, replace=force)


def _say(
    result: "audits.Audit | audits.SingleAudit | audits.llm.LLMAudit", output: Path, force: bool
) -> None:
    result.report(output, replace=force)
    _print(result, output)


def _print(result: "audits.Audit | audits.SingleAudit | audits.llm.LLMAudit", output: Path) -> None:
    typer.echo(str(result))
    typer.echo(f"\nReport: {output / 'report.html'}")


def _folders(submissions: "Sequence[audits.Submission]", output: Path) -> list[Path]:
    """The output itself, or in it a folder for each submission, also where case is not told."""
    if len(submissions) == 1:
        return [output]
    names: list[str] = []
    for submission in submissions:
        where = submission.path.resolve()
        name = where.name if where.is_dir() else where.stem
        candidates = chain([name], (f"{name}-{k}" for k in count(2)))
        taken = {other.casefold() for other in names}
        names.append(next(other for other in candidates if other.casefold() not in taken))
    return [output / name for name in names]
