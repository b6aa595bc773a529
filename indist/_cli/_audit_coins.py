"""Audits by coins, and of two published sets that are taken to be exchangeable."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from audits.report.folders import check_result_folder
from indist import audits
from indist._cli._said import say


def audit_by_coins(
    scores: Sequence[str],
    output: Path,
    *,
    design: str | None,
    assume_exchangeable: bool,
    baseline: str | None,
    retain_model: str | None,
    confidence: float | None,
    cluster: int | None,
    force: bool,
) -> None:
    """Reads scores at coin examples, writes the report and prints what was found.

    Args:
        scores: files of one or more models each.
        output: where the report goes.
        design: folder of the design; or the table of two published sets, or None for those of a
            log, with ``assume_exchangeable``.
        assume_exchangeable: whether no coins were drawn.
        baseline: scores that are independent of the coins, or None.
        retain_model: scores of models that never saw the forget set, or None.
        confidence: of two published sets; a design has sealed its own.
        cluster: of two published sets, consecutive examples that count as one.
        force: replace another result that the folder holds.

    Raises:
        ValueError: when scores cannot be read, or do not fit the design.
    """
    if design is not None and not assume_exchangeable and Path(design).is_file():
        raise ValueError(f"--coins: expected the folder of a design, found the file {design}")
    if (output / "coins.json").exists():
        raise ValueError(
            f"--output: expected another folder than the design's, which holds sealed coins, found "
            f"{output}"
        )
    check_result_folder(output, "coin-audit.json", {}, replace=force)
    given: Sequence[str] | str = scores if len(scores) > 1 else scores[0]
    if not assume_exchangeable:
        if cluster is not None:
            raise ValueError("--cluster: expected with --assume-exchangeable, or for logs")
        if retain_model is not None:
            raise ValueError("--retain-model: expected with --assume-exchangeable only")
        if confidence is not None:
            raise ValueError(
                "--confidence: expected none with --coins, as the design has sealed its own"
            )
        say(audits.audit_coins(given, str(design), baseline=baseline), output, force)
        return
    if baseline is not None:
        raise ValueError("--baseline: expected without --assume-exchangeable only")
    settings = audits.CoinSettings()
    if confidence is not None:
        settings = replace(settings, confidence=confidence)
    if design is None:
        if len(scores) > 1:
            raise ValueError(f"expected one log with --assume-exchangeable, found {len(scores)}")
        result = audits.audit_log_sets(
            scores[0], cluster=cluster, retain_model=retain_model, settings=settings
        )
    else:
        sets = audits.read_sets(design)
        result = audits.audit_sets(
            given, **sets, cluster=cluster or 1, retain_model=retain_model, settings=settings
        )
    say(result, output, force)
