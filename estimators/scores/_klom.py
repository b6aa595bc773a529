"""KLoM: the divergence of binned margins between submission and reference, example by example."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Num

from estimators.checks import check_seed, check_within
from estimators.kinds import check_name
from estimators.scores._populations import check_populations
from estimators.scores._score import Score, scored

if TYPE_CHECKING:
    import pandas as pd

Variant = Literal["plain", "renormalised"]

KLOM_BINS = 20
"""Bins of the histograms that KLOM compares, as published."""

KLOM_FLOOR = 1e-5
"""The share that KLOM gives to an empty bin of the reference, as published."""
_CLIP = 100.0


def _shares(values: Float[np.ndarray, "n e"], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Share of the models in each bin, ``[bins, examples]``; the greatest margin is in the last."""
    n, e = values.shape
    edges = np.linspace(low, high, KLOM_BINS + 1)
    # Bin by counting the inner edges at or below each value, as `numpy.histogram` does.
    place = (values[None] >= edges[1:-1, None]).sum(axis=0)
    flat = place * e + np.arange(e)
    return np.bincount(flat.ravel(), minlength=KLOM_BINS * e).reshape(KLOM_BINS, e) / n


def klom_per_example(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    variant: Variant = "plain",
) -> Float[np.ndarray, " e"]:
    """The published divergence of each example: KL of submission from reference, in nats.

    Margins are clipped to [-100, 100] and counted in 20 equal bins from the least to the greatest
    of both sides. Where the submission has models, the reference's share is at least 1e-5. The
    published codes drop each side's greatest margin when it is the greatest of all; here it is in
    the last bin.

    Args:
        submission: margins (logit-scaled confidences), ``[models, examples]``.
        reference: the same of the reference.
        variant: "plain" as EasyDUB; "renormalised" as data-unlearning-bench, whose reference shares
            are scaled to sum to 1 again.

    Returns:
        ``[examples]``, at most about ``ln(1e5)``, 11.51; plain ones can fall to -0.0002.

    Raises:
        TypeError: when margins are not real numbers.
        ValueError: when they are not finite or their examples differ.

    References:
        Georgiev et al. (2024), Attribute-to-delete: machine unlearning via datamodel matching,
        https://arxiv.org/abs/2410.23232.
    """
    check_name(variant, "variant", get_args(Variant))
    first, second = check_populations(submission, reference)
    first, second = np.clip(first, -_CLIP, _CLIP), np.clip(second, -_CLIP, _CLIP)
    low = np.minimum(first.min(axis=0), second.min(axis=0))
    high = np.maximum(first.max(axis=0), second.max(axis=0))
    high = np.where(high > low, high, low + 1.0)
    ours, theirs = _shares(first, low, high), _shares(second, low, high)
    floored = np.where(ours > 0.0, np.maximum(theirs, KLOM_FLOOR), theirs)
    if variant == "renormalised":
        floored = floored / floored.sum(axis=0)
    ratio = np.divide(ours, floored, out=np.ones_like(ours), where=ours > 0.0)
    return (ours * np.log(ratio)).sum(axis=0)


def klom_value(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    percentile: float = 95.0,
    variant: Variant = "plain",
) -> Float[np.ndarray, ""]:
    """The published percentile over examples alone, as a plain number; see `klom`."""
    each = klom_per_example(submission, reference, variant=variant)
    return np.asarray(np.percentile(each, percentile))


@dataclass(frozen=True, eq=False)
class KLoMScore(Score):
    """A percentile of the divergences, and the divergences.

    Attributes:
        divergence: of each example in nats, [examples].
        percentile: which percentile over examples the value is.
    """

    divergence: Float[np.ndarray, " e"]
    percentile: float

    def examples(self) -> "pd.DataFrame":
        """A row for each example: its divergence."""
        import pandas as pd

        columns = {"example": np.arange(self.divergence.size), "divergence": self.divergence}
        return pd.DataFrame(columns)


def klom(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    seed: int,
    percentile: float = 95.0,
    variant: Variant = "plain",
    confidence: float = 0.95,
    paired: bool = False,
) -> KLoMScore:
    """KLoM: the 95th percentile over examples of `klom_per_example`, with an interval.

    Papers report it for retain, forget and validation examples apart: one call each. Equal
    populations of N models do not score 0 but about 19 / N an example or more: bins empty in the
    reference cost up to 11.5 nats each. Report its null (`calibrate`) beside it.

    Args:
        submission: margins (logit-scaled confidences), ``[models, examples]``.
        reference: the same of the reference.
        seed: of the interval's resamples.
        percentile: over examples, in [0, 100]; 95 is published.
        variant: see `klom_per_example`.
        confidence: of the interval.
        paired: whether row i of both comes from the same seed.

    Returns:
        Nats, with an interval for the mean over fresh models at these numbers.

    Raises:
        TypeError: when margins are not real numbers.
        ValueError: when they are not finite, examples differ, or a number is out of range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> margins = np.linspace(-1.0, 1.0, 60)[:, None]
        >>> print(estimators.scores.klom(margins + 5.0, margins, seed=0).estimate.round(2))
        9.73

    References:
        As for `klom_per_example`.
    """
    seed = check_seed(seed)
    first, second = check_populations(submission, reference)
    check_within("[0, 100]", percentile=percentile)
    # The reference's shares sum to at most 1 + 20 * 1e-5 once they are floored.
    excess = float(np.log1p(KLOM_BINS * KLOM_FLOOR))
    greatest = float(np.log(1.0 / KLOM_FLOOR)) + excess * (variant == "renormalised")
    return KLoMScore(
        **scored(
            partial(klom_value, percentile=percentile, variant=variant),
            first,
            second,
            name=f"KLoM ({variant}), percentile {percentile:g}",
            ideal=0.0,
            limits=(-excess * (variant == "plain"), greatest),
            seed=seed,
            confidence=confidence,
            paired=paired,
        ),
        divergence=klom_per_example(first, second, variant=variant),
        percentile=percentile,
    )
