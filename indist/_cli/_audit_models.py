"""Audits of models: several of one algorithm, or one alone."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Literal

import typer

from audits.report.folders import check_folder_of_results, check_result_folder
from indist import audits, oracles
from indist._cli._held import references_held
from indist._cli._said import say_numbers, say_result

AS_BEFORE = "as-0.1.0"
"""The median margins alone, with joint upper bounds: what indist 0.1.0 looked at."""


def audit_models(
    patterns: Sequence[str],
    output: Path,
    *,
    references: str | None,
    parts: Mapping[str, Sequence[str] | None],
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
        references: folder or URL of the references, or None where ``parts`` name them.
        parts: paths or patterns of each population of references, by name.
        learner: their learner, where it is the user's own code.
        scenario: their scenario file, where it lies elsewhere: see `references_held`.
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

    stored = references_held(
        references, parts, learner=learner, scenario=scenario, leave_out_damaged=leave_out_damaged
    )
    say_numbers(
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
        say_result(results[0], output)
        return
    # All reports are written before anything is printed: who reads the text may stop reading.
    for result, folder in zip(results, folders, strict=True):
        _write(result, folder, force, redact)
    for result, folder in zip(results, folders, strict=True):
        typer.echo(f"{folder.name}\n")
        say_result(result, folder)
        typer.echo("")


def _write(
    result: "audits.Audit | audits.SingleAudit", folder: Path, force: bool, redact: bool
) -> None:
    # Of one model no single example is named.
    if isinstance(result, audits.Audit):
        result.report(folder, replace=force, redact=redact)
    else:
        result.report(folder, replace=force)


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
