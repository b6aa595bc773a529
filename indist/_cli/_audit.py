"""One door for what people hold: many models, one model, or the logs of language models."""

from collections.abc import Sequence, Set
from itertools import chain, count
from pathlib import Path
from typing import Literal

import typer

from audits import Submission
from indist import audits, oracles

_OF_MODELS = ("epsilon", "tolerance", "claim", "learner", "leave_out_damaged")
_OF_LOGS = ("unlearning", "metric", "cluster", "seed")


def kind_of(said: Set[str]) -> Literal["models", "logs"]:
    """Whether models or logs are to be audited.

    Args:
        said: names of the options that were given.

    Raises:
        ValueError: unless exactly one kind of reference is given, or when an option of the other
            kind is.
    """
    models, logs = "references" in said, "untraining" in said
    if models == logs:
        raise ValueError(
            "expected either --references, to audit models, or --untraining, to audit logs of a "
            f"language-model benchmark; found {'both' if models else 'neither'}"
        )
    other, needed = (_OF_LOGS, "untraining") if models else (_OF_MODELS, "references")
    for name in other:
        if name in said:
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
    cluster: int,
    seed: int,
) -> None:
    """Compares logs, prints what they say and writes the report.

    Args:
        patterns: logs of models made by one algorithm, paths or patterns.
        output: where the report goes.
        untraining: logs of models trained without the forget set.
        unlearning: logs of models that never saw the behaviour, if any.
        metrics: what to compare; the benchmark's own if none.
        confidence: see `audits.llm.compare`.
        cluster: consecutive examples that count as one.
        seed: of the resampling.

    Raises:
        ValueError: when a log cannot be read, or they do not fit together.
    """
    found = audits.llm.compare(
        audits.llm.load_all(patterns),
        untraining=audits.llm.load_all(untraining),
        unlearning=audits.llm.load_all(unlearning),
        metrics=metrics or None,
        confidence=confidence,
        cluster=cluster,
        seed=seed,
    )
    _say(found, output)


def audit_models(
    patterns: Sequence[str],
    output: Path,
    *,
    references: str,
    learner: str | None,
    leave_out_damaged: bool,
    epsilon: float,
    tolerance: float | Literal["calibrated"],
    confidence: float,
    claim: tuple[float, float] | None,
) -> None:
    """Audits submissions, prints what was found and writes each report.

    Several files of one model each and of one format are taken for one submission. All other
    submissions are audited apart, each into a folder of its own name, and nothing is written before
    the last of them is done.

    Args:
        patterns: submissions, paths or patterns.
        output: where the report goes, or the folders of several.
        references: folder or URL of the references.
        learner: their learner, where it is the user's own code.
        leave_out_damaged: go on without damaged shards of the references.
        epsilon: see `audits.audit`; of no meaning for one model, as tolerance and claim are.
        tolerance: the same.
        confidence: one minus alpha.
        claim: a claimed (ε, δ), or None for what the submission declares.

    Raises:
        ValueError: when a submission cannot be read, or does not fit the references.
    """
    given = audits.load_all(patterns)
    if claim is not None and len(given) == 1 and given[0].models == 1:
        raise ValueError("--claim: expected several models, as one cannot contradict an (ε, δ)")
    refs = oracles.load_references(references, learner=learner, leave_out_damaged=leave_out_damaged)
    found = [
        audits.audit_single(one, refs, confidence=confidence)
        if one.models == 1
        else audits.audit(
            one,
            refs,
            epsilon=epsilon,
            tolerance=tolerance,
            confidence=confidence,
            claim=None if claim is None else oracles.mechanisms.Claim(*claim),
        )
        for one in given
    ]
    if len(given) == 1:
        _say(found[0], output)
        return
    for one, name in zip(found, _names(given), strict=True):
        typer.echo(f"{name}\n")
        _say(one, output / name)
        typer.echo("")


def _say(found: "audits.Audit | audits.SingleAudit | audits.llm.LLMAudit", output: Path) -> None:
    found.report(output)
    typer.echo(str(found))
    typer.echo(f"\nReport: {output / 'report.html'}")


def _names(given: Sequence[Submission]) -> list[str]:
    """A name of its own for each submission's folder, also where letters' case is not told."""
    names: list[str] = []
    for one in given:
        where = one.path.resolve()
        name = where.name if where.is_dir() else where.stem
        tried = chain([name], (f"{name}-{k}" for k in count(2)))
        taken = {other.casefold() for other in names}
        names.append(next(other for other in tried if other.casefold() not in taken))
    return names
