"""Submitted language models against reference models, from their logs alone."""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from audits._provenance import versions
from audits._reading import SubmissionError, refuse
from audits.llm._examples import (
    AUTHOR,
    FEWEST,
    NO_AUTHORS,
    clusters,
    draws_of,
    least_flip,
    of_tofu,
    paired,
    paired_test,
    rounding,
    without_rounding,
)
from audits.llm._findings import LLMFindings
from audits.llm._log import NO_INTERVAL, LLMLog
from audits.llm._models import model_test, seed_half_width
from audits.llm._privleak import privleak
from audits.llm._results import MetricComparison, PrivLeak, ReferenceComparison
from audits.llm._words import fit_of
from audits.report._words import Consistency, ReferenceName
from estimators.checks import check_confidence, check_counts, check_seed
from estimators.kinds import check_kind, check_name
from oracles.storage.files import printable

# By its first letters, without the names of files and numbers, a kind of warning is told.
_KIND = 40
# Below so many draws an interval of a mean is known to be too short for skewed laws.
_FEW = 20


class LLMAudit(LLMFindings):
    """What logs say of submitted models. `str` of it is the whole answer in plain text.

    Attributes:
        fit: which references the logs fit; ``undecided`` unless both were given with several
            models each and each test could decide.
        comparisons: one for each kind of reference.
        confidence: one minus alpha: of each interval, and of all inconsistencies found together.
        cluster: how many consecutive examples were declared to be one draw; None where nothing was.
        seed: of resampling, flips and relabellings.
        warnings: what a reader should know.
        logs: those compared, as ``submission``, ``untraining`` and, where given, ``unlearning``.
        versions: version of indist, Python, numpy and scipy.
    """

    def report(self, directory: Path | str, *, replace: bool = False) -> None:
        """Writes the report, every number, and the scores they can be recomputed from.

        Files appear in the folder only once all of them are written: ``report.html``,
        ``report.md``, ``observations/logs.json`` with each example's scores and, last,
        ``logs.json``. A folder holds one result.

        Args:
            directory: the folder; made when missing.
            replace: take a folder that holds another result, of whatever kind, or other files. The
                same result is written anew in any case.

        Raises:
            ValueError: when ``directory`` is a file, or holds what is not to be replaced.
            OSError: as the file system does; nothing half-written stays behind.
        """
        # Loaded on use: a page draws with matplotlib, which no comparison needs.
        from audits.llm._page import write_logs

        write_logs(self, Path(directory), replace=replace)


def compare(
    submissions: Sequence[LLMLog],
    *,
    untraining: Sequence[LLMLog],
    unlearning: Sequence[LLMLog] = (),
    metrics: Sequence[str] | None = None,
    confidence: float = 0.95,
    cluster: int | None = None,
    seed: int,
) -> LLMAudit:
    """Compares the logs of submitted models with those of reference models.

    Examples are paired by id, as all models were asked the same. Two kinds of noise are kept
    apart. That of the *examples*: paired tests and bootstrap intervals, the models held fixed.
    That of the *training seeds*: with two or more reference models whole models are exchanged,
    which is exact in level, on the mean of each metric and the AUC of PrivLeak: models that differ
    in other ways alone are not told apart. With one reference model that noise is unknown, and an
    inconsistency is with that model only. What is never found here is a likeness, or an epsilon.

    Args:
        submissions: logs of models made by one algorithm, one or more.
        untraining: logs of models trained without the forget set, such as retain models.
        unlearning: logs of models that never saw the behaviour, where there are any.
        metrics: the metrics to compare, fixed before looking; by default those that the benchmark
            makes its case with, as `LLMLog.primary` lists them, so far as all logs hold them.
        confidence: of intervals, and of all inconsistencies together; in (0, 1).
        cluster: consecutive example indices that count as one draw, for every metric. None takes
            each example for one, and in logs of TOFU, which asks 20 questions on each of its
            fictitious authors, each author. From fewer than 10 draws no interval is given.
        seed: of resampling, flips and relabellings.

    Returns:
        The comparison.

    Raises:
        SubmissionError: when a log has no scores, or lacks a metric or an example.
        ValueError: when a number lies outside its range or no log is given.

    Example:
        >>> from pathlib import Path
        >>> from indist import audits
        >>> def log(name, shift):
        ...     scores = {"loss": {str(i): 0.1 * i + shift for i in range(30)}}
        ...     return audits.llm.LLMLog(name, Path(name), "TOFU", scores, {}, ("loss",))
        >>> mine, retain = log("mine", 1.0), log("retain", 0.0)
        >>> found = audits.llm.compare([mine], untraining=[retain], seed=0)
        >>> found.comparisons[0].finding, found.fit
        ('inconsistent', 'undecided')

    References:
        Maini et al. (2024), "TOFU", arXiv 2401.06121; Shi et al. (2024), "MUSE", arXiv 2407.06460.
    """
    seed = check_seed(seed)
    check_confidence(confidence)
    if cluster is not None:
        check_counts(cluster=cluster)
    given: dict[ReferenceName, Sequence[LLMLog]] = {"untraining": untraining}
    if unlearning:
        given["unlearning"] = unlearning
    for name, group in {"submissions": submissions, **given}.items():
        for held in (group, *(group if isinstance(group, list | tuple) else ())):
            kind = (list, tuple) if held is group else LLMLog
            check_kind(held, name, kind, "a list of logs, as audits.llm.load reads them")
        if not group:
            raise ValueError(f"{name}: expected at least one log, found none")
    logs = [*submissions, *untraining, *unlearning]
    for log in logs:
        if not log.scores:
            refuse(log.path, NO_INTERVAL)
        if log.benchmark != logs[0].benchmark:
            refuse(
                log.path,
                f"expected a log of {logs[0].benchmark} as {logs[0].path} is, found one of "
                f"{log.benchmark}: different benchmarks ask different questions",
            )
    names = _metrics(logs, metrics)
    comparisons = tuple(
        _against(
            name,
            submissions,
            references,
            names,
            confidence=confidence,
            level=(1.0 - confidence) / len(given),
            cluster=cluster,
            seed=seed,
        )
        for name, references in given.items()
    )
    return LLMAudit(
        fit=fit_of(comparisons),
        comparisons=comparisons,
        confidence=float(confidence),
        cluster=cluster,
        seed=seed,
        warnings=_warnings(logs, comparisons, cluster),
        logs={"submission": tuple(submissions)}
        | {name: tuple(references) for name, references in given.items()},
        versions=versions(),
    )


def _metrics(logs: Sequence[LLMLog], declared: Sequence[str] | None) -> tuple[str, ...]:
    if declared is not None:
        if not declared or len(set(declared)) < len(declared):
            raise ValueError(f"metrics: expected distinct names, found {list(declared)}")
        shared = [name for name in logs[0].scores if all(name in log.scores for log in logs)]
        for name in declared:
            # One that some log holds is told by the file that lacks it.
            if not any(name in log.scores for log in logs):
                try:
                    check_name(name, "metric (--metric)", shared)
                except ValueError as error:
                    raise SubmissionError(str(error)) from None
        return tuple(declared)
    shared = tuple(
        metric for metric in logs[0].primary if all(metric in log.scores for log in logs)
    )
    if not shared:
        refuse(
            logs[0].path,
            "expected a metric that all logs share, found none; metrics (--metric) declares others",
        )
    return shared


def _against(
    name: ReferenceName,
    submissions: Sequence[LLMLog],
    references: Sequence[LLMLog],
    metrics: tuple[str, ...],
    *,
    confidence: float,
    level: float,
    cluster: int | None,
    seed: int,
) -> ReferenceComparison:
    rng = np.random.default_rng(seed)
    logs, k = [*submissions, *references], len(submissions)
    compared: list[MetricComparison] = []
    columns: list[np.ndarray] = []
    for metric in metrics:
        ids, values = paired(logs, metric)
        size, draws = draws_of(logs, metric, ids, cluster)
        labels = clusters(ids, size)
        rounded = rounding(values)
        columns.append(_means(values, rounded))
        difference = without_rounding(values[:k].mean(axis=0) - values[k:].mean(axis=0), rounded)
        test = paired_test(difference, labels, confidence=confidence, rng=rng)
        compared.append(
            MetricComparison(
                metric=metric,
                examples=len(ids),
                draws=draws,
                clusters=int(labels.max()) + 1,
                mean_submission=float(columns[-1][:k].mean()),
                mean_reference=float(columns[-1][k:].mean()),
                **test._asdict(),
                ks=tuple(
                    tuple(_ks(submitted, reference, rounded) for reference in values[k:])
                    for submitted in values[:k]
                ),
                seed_half_width=seed_half_width(columns[-1][k:], k, confidence),
            )
        )
    leak = _privleak(logs, k, confidence=confidence, cluster=cluster, rng=rng)
    if leak is not None:
        columns.append(np.array([*leak.submission, *leak.reference]))
    several = len(references) > 1
    if several:
        statistics = np.stack(columns, axis=1)
        pvalue, least = model_test(statistics[:k], statistics[k:], rng)
    else:
        pvalue = min(1.0, len(metrics) * min(metric.sign_flip for metric in compared))
        least = min(1.0, len(metrics) * min(least_flip(metric.clusters) for metric in compared))
    otherwise: Consistency = "consistent" if least <= level else "undecided"
    return ReferenceComparison(
        reference=name,
        submitted=k,
        models=len(references),
        metrics=tuple(compared),
        privleak=leak,
        noise="seeds" if several else "examples",
        pvalue=pvalue,
        least_pvalue=least,
        level=level,
        finding="inconsistent" if pvalue <= level else otherwise,
    )


def _means(values: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    """The mean of each model, all equal where they differ by rounding only."""
    means = values.mean(axis=1)
    return np.full_like(means, means[0]) if np.ptp(means) <= rounded.mean() else means


def _ks(first: np.ndarray, second: np.ndarray, rounded: np.ndarray) -> float:
    with warnings.catch_warnings():
        # With few distinct values SciPy goes from the exact p-value to the asymptotic one, and says
        # so to a programmer.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation", RuntimeWarning)
        test: Any = ks_2samp(first, np.where(np.abs(second - first) <= rounded, first, second))
    return float(test.pvalue)


def _privleak(
    logs: Sequence[LLMLog],
    k: int,
    *,
    confidence: float,
    cluster: int | None,
    rng: np.random.Generator,
) -> PrivLeak | None:
    attack = logs[0].attack
    parts = [f"{attack}/{split}" for split in ("forget", "holdout")]
    if any(part not in log.scores for part in parts for log in logs):
        return None
    forget, holdout = (paired(logs, part) for part in parts)
    sizes = [
        draws_of(logs, part, texts.ids, cluster)
        for part, texts in zip(parts, (forget, holdout), strict=True)
    ]
    return privleak(
        str(attack),
        (forget.values[:k], forget.values[k:]),
        (holdout.values[:k], holdout.values[k:]),
        (clusters(forget.ids, sizes[0][0]), clusters(holdout.ids, sizes[1][0])),
        draws=sizes[0][1],
        confidence=confidence,
        rng=rng,
    )


def _warnings(
    logs: Sequence[LLMLog], comparisons: tuple[ReferenceComparison, ...], cluster: int | None
) -> tuple[str, ...]:
    found = [(log.path, text) for log in logs for text in log.warnings]
    for place, log in enumerate(logs):
        for other in logs[:place]:
            if log.scores == other.scores:
                text = (
                    f"{log.path} holds the same numbers as {other.path}: copies are not "
                    "independent models, and the tests do not hold for them."
                )
                found.append((log.path, text))
    names = sorted({str(log.path) for log in logs}, key=len, reverse=True)
    said = _grouped(found, names)
    metrics = [metric for comparison in comparisons for metric in comparison.metrics]
    asked = [metric for metric in metrics if not metric.metric.startswith(NO_AUTHORS)]
    parted = cluster is None or cluster % AUTHOR != 0
    if of_tofu(logs) and parted and any(metric.draws != "authors" for metric in asked):
        said.append(
            f"TOFU asks {AUTHOR} questions on each author of its forget set and those of one are "
            "taken as independent: tests and intervals over examples are too sure; a cluster of "
            f"{AUTHOR} is not."
        )
    fewest = min(metrics, key=lambda metric: metric.clusters)
    if fewest.clusters < FEWEST:
        said.append(
            f"Fewer than {FEWEST} independent {fewest.draws}: their intervals would be too short "
            "and are undetermined."
        )
    elif fewest.clusters < _FEW:
        said.append(
            f"Fewer than {_FEW} independent {fewest.draws}: intervals are too short where these "
            "are skewed."
        )
    return tuple(map(printable, said))


def _grouped(found: list[tuple[Path, str]], names: list[str]) -> list[str]:
    """One warning of a kind: the first of those that differ in files and counts alone."""
    kinds: dict[str, list[str]] = {}
    paths: dict[str, set[Path]] = {}
    anything = re.compile("|".join([*map(re.escape, names), r"\S+\.json", r"\d+"]))
    for path, text in dict.fromkeys(found):
        kind = anything.sub("", text)[:_KIND]
        kinds.setdefault(kind, []).append(text)
        paths.setdefault(kind, set()).add(path)
    return [
        texts[0]
        if len(texts) == 1
        else f"{texts[0]} {len(texts) - 1} more such warnings, of {len(paths[kind])} logs in all."
        for kind, texts in kinds.items()
    ]
