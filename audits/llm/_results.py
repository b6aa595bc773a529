"""What the comparison of logs found: plain numbers, frozen."""

from dataclasses import dataclass
from typing import Literal

from audits.report._words import Consistency, ReferenceName

Fit = Literal["untraining only", "unlearning only", "both", "neither", "undecided"]
Draws = Literal["examples", "authors", "clusters"]
"""What tests and intervals over examples take for independent: each example, the questions on each
author of TOFU together, or so many consecutive examples as were declared."""


@dataclass(frozen=True, kw_only=True)
class MetricComparison:
    """One metric of the submitted and the reference models at the same examples.

    Attributes:
        metric: its name in the logs.
        examples: how many.
        draws: what was taken as one independent draw.
        clusters: how many independent draws they are.
        mean_submission: mean over examples and submitted models.
        mean_reference: mean over examples and reference models.
        difference: the former less the latter.
        low: lower end of its percentile bootstrap interval over these draws, these models given;
            minus infinity where they are too few for one.
        high: upper end.
        sign_flip: p-value of the paired permutation test over these draws, these models given.
        wilcoxon: p-value of the signed-rank test over these draws, these models given.
        ks: p-value of the two-sample Kolmogorov-Smirnov test, as published, of each submitted
            model (row) and reference model (column). It ignores that the examples are the same.
        seed_half_width: how far from the reference's mean as many fresh reference models may lie,
            were they normal; infinite for one reference model.
    """

    metric: str
    examples: int
    draws: Draws
    clusters: int
    mean_submission: float
    mean_reference: float
    difference: float
    low: float
    high: float
    sign_flip: float
    wilcoxon: float
    ks: tuple[tuple[float, ...], ...]
    seed_half_width: float


@dataclass(frozen=True)
class PrivLeak:
    """PrivLeak in percent, with the reference models' own AUC in the denominator.

    Attributes:
        attack: the membership attack.
        submission: AUC of each submitted model, above 0.5 where the forget set is less likely.
        reference: AUC of each reference model.
        value: 100 (mean AUC − reference's) / reference's; None when that is 0.
        low: lower end of its percentile bootstrap interval over texts, these models given; minus
            infinity where they are too few for one.
        high: upper end.
        draws: what of the texts was taken as one independent draw.
    """

    attack: str
    submission: tuple[float, ...]
    reference: tuple[float, ...]
    value: float | None
    low: float
    high: float
    draws: Draws


@dataclass(frozen=True, kw_only=True)
class ReferenceComparison:
    """The submitted models against one kind of reference model.

    Attributes:
        reference: ``untraining`` or ``unlearning``.
        submitted: number of submitted models.
        models: number of reference models.
        metrics: a comparison for each metric.
        privleak: when membership scores were logged.
        noise: what the p-value accounts for: with one reference model the ``examples`` alone,
            with several the training ``seeds``, by exchanging whole models.
        pvalue: over all metrics: the sign-flip tests with Bonferroni's correction, or one
            permutation test of models for the greatest difference.
        least_pvalue: the least that these numbers of models can give.
        level: of the test: alpha, shared by the references.
        finding: ``inconsistent`` if the p-value is at most the level, ``undecided`` if none could
            be, else ``consistent``, which is no proof.
    """

    reference: ReferenceName
    submitted: int
    models: int
    metrics: tuple[MetricComparison, ...]
    privleak: PrivLeak | None
    noise: Literal["examples", "seeds"]
    pvalue: float
    least_pvalue: float
    level: float
    finding: Consistency

    @property
    def draws(self) -> Draws:
        """What tests over examples take as one draw, in the first of the metrics."""
        return self.metrics[0].draws
