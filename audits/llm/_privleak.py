"""PrivLeak against the given reference models, in place of a constant from a table."""

import math

import numpy as np
from jaxtyping import Float, Int

from audits.llm._examples import percentiles, resamplings
from audits.llm._results import Draws, PrivLeak
from estimators.scores import membership_auc as membership_auc
from estimators.scores import privleak_percent


def privleak(
    attack: str,
    forget: tuple[Float[np.ndarray, "k n"], Float[np.ndarray, "j n"]],
    holdout: tuple[Float[np.ndarray, "k m"], Float[np.ndarray, "j m"]],
    labels: tuple[Int[np.ndarray, " n"], Int[np.ndarray, " m"]],
    *,
    draws: Draws,
    confidence: float,
    rng: np.random.Generator,
) -> PrivLeak:
    r"""$100\,(\mathrm{AUC}_U - \mathrm{AUC}_{ref}) / \mathrm{AUC}_{ref}$ with an interval.

    Each AUC is the mean over the models of its side. Texts are drawn anew, the same ones for all
    models; the models are held fixed.

    Args:
        attack: its name.
        forget: scores of submitted and of reference models on the forget texts.
        holdout: the same on the holdout texts.
        labels: the cluster of each forget and of each holdout text.
        draws: what a cluster is.
        confidence: of the interval.
        rng: of the resampling.

    Returns:
        PrivLeak; its value is None when the reference's AUC is 0.

    References:
        Shi et al. (2024), "MUSE: Machine unlearning six-way evaluation for language models",
        arXiv 2407.06460, section 3.
    """
    pairs = [list(zip(*side, strict=True)) for side in zip(forget, holdout, strict=True)]
    each = [tuple(float(membership_auc(f, h)[0]) for f, h in models) for models in pairs]
    own, reference = (math.fsum(aucs) / len(aucs) for aucs in each)
    drawn: list[np.ndarray] = []
    counts = [int(part.max()) + 1 for part in labels]
    for drawn_now in resamplings(counts, rng, width=sum(map(len, labels))):
        weights = [times[:, label] for times, label in zip(drawn_now, labels, strict=True)]
        means = [np.mean([membership_auc(f, h, *weights) for f, h in m], axis=0) for m in pairs]
        # Where the reference's AUC is 0, as the submission's grows over it, or is 0 as well.
        percent = np.where(means[0] > 0.0, np.inf, 0.0)
        known = means[1] > 0.0
        percent[known] = privleak_percent(means[0][known], means[1][known])
        drawn.append(percent)
    low, high = percentiles(np.concatenate(drawn), confidence, min(counts))
    return PrivLeak(
        attack=attack,
        submission=each[0],
        reference=each[1],
        value=float(privleak_percent(own, reference)) if reference else None,
        low=low,
        high=high,
        draws=draws,
    )
