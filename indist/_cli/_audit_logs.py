"""Audits of logs of language-model benchmarks."""

from collections.abc import Sequence
from pathlib import Path

from audits.report.folders import check_result_folder
from indist import audits
from indist._cli._said import say, say_numbers


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
    say_numbers([len(given[0])], untraining=len(given[1]), unlearning=len(given[2]))
    result = audits.llm.compare(
        given[0],
        untraining=given[1],
        unlearning=given[2],
        metrics=metrics or None,
        confidence=confidence,
        cluster=cluster,
        seed=seed,
    )
    say(result, output, force)
