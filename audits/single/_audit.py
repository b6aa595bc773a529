"""One submitted model: how it ranks among the models of each reference, and no more than that.

A certificate needs repeated runs of the algorithm. One run allows a rank: were it one of the
reference's own, it would be equally likely to stand at any place among them.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import binomtest

from audits._provenance import provenance
from audits._reading import SubmissionError
from audits.report._words import REFERENCES, Consistency, ReferenceName
from audits.single._findings import SingleFindings
from audits.single._results import ErrorRate, GroupRank, LikelihoodRatio, RankTest
from audits.submissions._parties import Given, ReferencesLike, observe_all
from audits.verdict._columns import Observables, median_margins
from audits.verdict._copies import copies_between
from audits.verdict._warnings import like_probabilities
from estimators.checks import check_confidence
from oracles import Observations

# A spread takes two models to fit, and two more to count how often the fit errs.
_LEAST_TO_FIT = 4


class SingleAudit(SingleFindings):
    """What can be said of one submitted model. `str` of it is the whole answer in plain text.

    Attributes:
        untraining: its rank among models trained without the forget set.
        unlearning: its rank among models trained without the behaviour.
        ratio: the likelihood ratio between the references; None with too few models of either.
        confidence: one minus alpha, over both references.
        provenance: where the numbers came from.
        observables: of the submission and of each reference, as declared.
        observations: what was seen, the submission's at the references' probes.
        warnings: what a reader should know.
    """

    def report(self, directory: Path | str, *, replace: bool = False) -> None:
        """Writes the report, every number, and the observations they can be recomputed from.

        Files appear in the folder only once all of them are written: ``report.html``,
        ``report.md``, ``observations/`` and, last, ``single.json``. A folder holds one result.

        Args:
            directory: the folder; made when missing.
            replace: take a folder that holds another result, of whatever kind, or other files. The
                same result is written anew in any case.

        Raises:
            ValueError: when ``directory`` is a file, or holds what is not to be replaced.
            OSError: as the file system does; nothing half-written stays behind.
        """
        # Loaded on use: a page draws with matplotlib, which no audit needs.
        from audits.single._page import write_single

        write_single(self, Path(directory), replace=replace)


def audit_single(
    submission: Given,
    references: ReferencesLike,
    *,
    confidence: float = 0.95,
) -> SingleAudit:
    r"""Says of one submitted model which reference it is consistent with.

    For each reference of N models, with the observables of `audit`, the statistic is

    $$T = \max_j |x_j - \bar x_j| / s_j$$

    with means and spreads over the N + 1 models, the submitted one among them. They do not depend
    on which of these is the submitted one, so if it is exchangeable with the reference's its rank
    is uniform and $p = (1 + \#\{i : T_i \ge T\}) / (N + 1)$ is exact at every N, whatever the laws
    and the dependence of the observables. Each reference is tested at level alpha / 2.

    The likelihood ratio between the references rests on independent normal laws for the
    observables, fitted on the references' even models; how often it errs is read off the odd ones,
    so that neither a wrong model nor a poor fit can flatter it.

    Args:
        submission: one model, from `load`, a population or its observations.
        references: as for `audit`.
        confidence: one minus alpha, in (0, 1).

    Returns:
        Ranks, ratio and sentences; never an epsilon.

    Raises:
        SubmissionError: when there is more than one model, or it does not fit the references.
        ValueError: when the confidence lies outside its range.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> refs = oracles.references(scenario, models=8, seed=0)
        >>> model = oracles.train(scenario, "nothing", stream="original", models=1, seed=5)
        >>> audit_single(model, refs).untraining.finding
        'undecided'

    References:
        Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World, chapter 2.
    """
    check_confidence(confidence)
    parties = observe_all(submission, references)
    models = parties.observations["submission"].models
    if models != 1:
        raise SubmissionError(
            f"{parties.submission.name}: expected one model, found {models}; an audit of several "
            "runs says more"
        )
    seen = {name: parties.observations[name] for name in ("submission", *REFERENCES)}
    columns = {name: median_margins(observations) for name, observations in seen.items()}
    level = (1.0 - confidence) / 2.0
    tests = [_test(name, seen, columns, level) for name in REFERENCES]
    return SingleAudit(
        untraining=tests[0],
        unlearning=tests[1],
        ratio=likelihood_ratio(
            columns["submission"].values[0],
            columns["untraining"].values,
            columns["unlearning"].values,
            confidence=confidence,
        ),
        confidence=float(confidence),
        provenance=provenance(parties, seen),
        observables=columns,
        observations=seen,
        warnings=(*like_probabilities(seen), *_copies(seen), *parties.warnings),
    )


def _copies(seen: Mapping[str, Observations]) -> tuple[str, ...]:
    submitted = seen["submission"]
    found: list[str] = []
    for name in REFERENCES:
        if (seen[name].logits == submitted.logits).all(axis=(1, 2)).any():
            said = f"equals a model of the {name} reference to the last bit"
        elif copies := copies_between(submitted.margins, seen[name].margins):
            said = (
                f"looks like a copy of a model of the {name} reference with noise of about "
                f"{100 * copies.radius:.2g} % of the spread, as independent models do not come so "
                "close"
            )
        else:
            continue
        found.append(
            f"The submitted model {said}: a copy is no draw of its own, and the test against that "
            "reference does not hold for it."
        )
    return tuple(found)


def rank_pvalue(
    submitted: Float[np.ndarray, " observables"], reference: Float[np.ndarray, "n observables"]
) -> float:
    """Exact test that one model is exchangeable with others, by its greatest deviation.

    Args:
        submitted: its observables.
        reference: those of the other models.

    Returns:
        (1 + number of the others that deviate at least as much) / (n + 1); see `audit_single`.

    Example:
        >>> rank_pvalue(np.array([9.0]), np.arange(4.0)[:, None])
        0.2
    """
    pool = np.concatenate([submitted[None], reference])
    deviation = np.abs(pool - pool.mean(axis=0))
    spread = pool.std(axis=0)
    varied = spread > 1e-12 * np.abs(pool).max(axis=0)
    return _share_at_least(np.max(deviation[:, varied] / spread[varied], axis=1, initial=0.0))


def _share_at_least(statistics: Float[np.ndarray, " models"]) -> float:
    """The share of models whose statistic is at least the first one's, but for rounding."""
    return float(np.mean(statistics >= statistics[0] * (1.0 - 1e-9)))


def _test(
    name: ReferenceName,
    seen: Mapping[str, Observations],
    columns: Mapping[str, Observables],
    level: float,
) -> RankTest:
    submitted, reference = columns["submission"].values[0], columns[name].values
    models, observables = reference.shape
    below, above = (reference <= submitted).sum(axis=0), (reference >= submitted).sum(axis=0)
    corrected = 2.0 * observables * (1.0 + np.minimum(below, above)) / (models + 1.0)
    pvalue = rank_pvalue(submitted, reference)
    otherwise: Consistency = "consistent" if 1.0 / (models + 1.0) <= level else "undecided"
    beyond = _beyond(np.concatenate([seen["submission"].margins[:1], seen[name].margins]))
    return RankTest(
        reference=name,
        models=models,
        pvalue=pvalue,
        level=level,
        finding="inconsistent" if pvalue <= level else otherwise,
        groups=tuple(
            GroupRank(
                observable=columns[name].names[j],
                value=float(submitted[j]),
                low=float(reference[:, j].min()),
                high=float(reference[:, j].max()),
                below=int(below[j]),
                above=int(above[j]),
                pvalue=min(1.0, float(corrected[j])),
            )
            for j in range(observables)
        ),
        outside=beyond[0],
        outside_pvalue=_share_at_least(beyond.sum(axis=1, dtype=np.float64)),
    )


def _beyond(pool: Float[np.ndarray, "models probes"]) -> Bool[np.ndarray, "models probes"]:
    """Where each model alone is the least or the greatest of all."""
    ordered = np.sort(pool, axis=0)
    least = (pool == ordered[0]) & (ordered[0] < ordered[1])
    return least | ((pool == ordered[-1]) & (ordered[-1] > ordered[-2]))


def likelihood_ratio(
    submitted: Float[np.ndarray, " observables"],
    untraining: Float[np.ndarray, "n observables"],
    unlearning: Float[np.ndarray, "m observables"],
    *,
    confidence: float,
) -> LikelihoodRatio | None:
    """Likelihood ratio of two references, fitted on half of each and calibrated on the rest.

    Args:
        submitted: observables of the submitted model.
        untraining: of the untraining reference.
        unlearning: of the unlearning reference.
        confidence: of the intervals of the error rates.

    Returns:
        The ratio, or None when a reference has fewer than four models.
    """
    if min(len(untraining), len(unlearning)) < _LEAST_TO_FIT:
        return None
    fits = [_normal(reference[::2]) for reference in (untraining, unlearning)]

    def log_ratio(values: np.ndarray) -> np.ndarray:
        first, second = (
            (-0.5 * ((values - mean) / spread) ** 2 - np.log(spread)).sum(axis=-1)
            for mean, spread in fits
        )
        return np.asarray(first - second)

    value = float(log_ratio(submitted))
    of_untraining, of_unlearning = log_ratio(untraining[1::2]), log_ratio(unlearning[1::2])
    return LikelihoodRatio(
        value=value,
        towards="untraining" if value > 0.0 else "unlearning" if value < 0.0 else None,
        untraining=_error_rate(of_untraining < 0.0, confidence),
        unlearning=_error_rate(of_unlearning > 0.0, confidence),
        pvalue_untraining=float((1 + (of_untraining <= value).sum()) / (1 + len(of_untraining))),
        pvalue_unlearning=float((1 + (of_unlearning >= value).sum()) / (1 + len(of_unlearning))),
        confidence=confidence,
    )


def _normal(
    values: Float[np.ndarray, "n observables"],
) -> tuple[Float[np.ndarray, " observables"], Float[np.ndarray, " observables"]]:
    mean = values.mean(axis=0)
    # Models that are all equal have no spread; a little of it keeps their density finite.
    return mean, np.maximum(values.std(axis=0, ddof=1), 1e-9 * (1.0 + np.abs(mean)))


def _error_rate(wrong: Bool[np.ndarray, " models"], confidence: float) -> ErrorRate:
    errors, models = int(wrong.sum()), len(wrong)
    ends = binomtest(errors, models).proportion_ci(confidence, method="exact")
    return ErrorRate(errors, models, float(ends.low), float(ends.high))
