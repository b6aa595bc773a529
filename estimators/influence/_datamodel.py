"""Datamodels: an outcome as a linear function of which examples were included."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Shaped
from scipy.special import stdtrit
from scipy.stats import rankdata

from estimators._results import ConfidenceInterval, Interval, Result
from estimators.checks import check_array, check_confidence, check_mask, check_within
from estimators.influence._inclusion import check_observed

if TYPE_CHECKING:
    import pandas as pd

# Penalties tried, as multiples of the mean eigenvalue of the masks' Gram matrix.
_PENALTIES = np.logspace(-3.0, 3.0, 25)
_BLOCKS = 20


@dataclass(frozen=True, eq=False)
class Datamodel(Result):
    """A ridge regression of every target on the inclusion mask.

    Attributes:
        coefficients: effect of including each example on each target, ``[n, targets]``.
        mean_included: inclusion rate of each example, [n].
        mean_outcome: mean outcome of each target, [targets].
        penalty: of the squared coefficients, the same for all targets.
        models: models it was fitted to.
    """

    coefficients: Float[np.ndarray, "n targets"]
    mean_included: Float[np.ndarray, " n"]
    mean_outcome: Float[np.ndarray, " targets"]
    penalty: float
    models: int

    def predict(self, included: Shaped[Any, "models n"]) -> Float[np.ndarray, "models targets"]:
        """Outcomes that models with these examples should have.

        Args:
            included: whether each model trained on each example.

        Returns:
            Predictions.

        Raises:
            TypeError: when included holds neither booleans nor numbers.
            ValueError: when it has no column for each example, or another number than 0 and 1.
        """
        wanted = *np.shape(included)[:1], self.mean_included.size
        mask = check_mask(included, "included", wanted)
        return (mask - self.mean_included) @ self.coefficients + self.mean_outcome

    def _title(self) -> str:
        n, targets = self.coefficients.shape
        return (
            f"datamodels of {targets} targets on {n} examples from {self.models} models, "
            f"ridge penalty {self.penalty:.3g}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row a target: mean outcome, and the example with the greatest effect."""
        import pandas as pd

        strongest = np.abs(self.coefficients).argmax(axis=0)
        targets = np.arange(strongest.size)
        return pd.DataFrame(
            {
                "target": targets,
                "mean outcome": self.mean_outcome,
                "strongest example": strongest,
                "its effect": self.coefficients[strongest, targets],
            }
        )


def datamodel(
    included: Shaped[Any, "..."], outcome: Shaped[Any, "..."], *, penalty: float | None = None
) -> Datamodel:
    """Fits each target's outcome by a linear function of the inclusion mask.

    Ridge regression on centred masks, solved in the dual, for there are fewer models than examples.

    Args:
        included: ``[models, n]``, whether each model trained on each example.
        outcome: ``[models, targets]``, any real numbers; margins are the usual choice.
        penalty: of the squared coefficients, at least 0; None takes the one of 25 with the least
            generalised cross-validation error over all targets.

    Returns:
        The datamodels.

    Raises:
        TypeError: when an array does not hold booleans or real numbers.
        ValueError: when shapes do not fit, there are fewer than three models, or the penalty is
            negative.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> included = rng.random((400, 20)) < 0.5
        >>> margin = 3.0 * included[:, :1] + rng.normal(size=(400, 1))
        >>> fit = estimators.datamodel(included, margin)
        >>> int(np.abs(fit.coefficients[:, 0]).argmax())
        0

    References:
        Ilyas et al. (2022), Datamodels: predicting predictions from training data,
        https://arxiv.org/abs/2202.00622 (with the lasso); Golub, Heath and Wahba (1979) for
        generalised cross-validation.
    """
    observed = check_observed(included, outcome, own=False)
    mask = observed.included.astype(np.float64)
    values = observed.outcome.astype(np.float64)
    if len(mask) < 3:
        raise ValueError(f"included: expected at least 3 models, found {len(mask)}")
    if penalty is not None:
        check_within("[0, inf)", penalty=penalty)
    means = mask.mean(axis=0), values.mean(axis=0)
    mask, values = mask - means[0], values - means[1]
    size, basis = np.linalg.eigh(mask @ mask.T)
    size = np.maximum(size, 0.0)
    turned = basis.T @ values
    chosen = _least_gcv(size, turned) if penalty is None else penalty
    # Directions that the masks do not reach, such as that of the mean, carry nothing.
    reached = size > 1e-9 * max(float(size.max()), 1.0)
    weight = np.where(reached, 1.0 / np.where(reached, size + chosen, 1.0), 0.0)
    return Datamodel(
        coefficients=mask.T @ (basis @ (weight[:, None] * turned)),
        mean_included=means[0],
        mean_outcome=means[1],
        penalty=float(chosen),
        models=len(mask),
        assumptions=("effects of examples add up",),
        warnings=(),
    )


def _least_gcv(
    size: Float[np.ndarray, " models"], turned: Float[np.ndarray, "models targets"]
) -> float:
    squares = (turned**2).sum(axis=1)
    tried = _PENALTIES * max(float(size.mean()), 1e-12)
    errors = [
        ((left := penalty / (size + penalty)) ** 2 @ squares) / left.mean() ** 2
        for penalty in tried
    ]
    return float(tried[int(np.argmin(errors))])


@dataclass(frozen=True, eq=False)
class LinearDatamodelingScore(Interval):
    """How well predictions order models that were not fitted.

    Attributes:
        estimate: rank correlation of prediction and outcome over models, mean over targets.
        confidence_interval: two-sided, by a jackknife over blocks of models, of the mean.
        ceiling: what the best function of the mask would score; the rest is noise of training. None
            without replicates.
        by_target: rank correlation of each target; 0 where either side is constant.
        models: models it was measured on.
        targets: how many targets.
        undetermined: whether no target has an order, as one side is constant in each; the interval
            is then all that is possible.
    """

    estimate: float
    ceiling: float | None
    by_target: Float[np.ndarray, " targets"]
    models: int
    targets: int
    undetermined: bool

    def _title(self) -> str:
        return (
            f"linear datamodeling score of {self.targets} targets on {self.models} models, "
            f"{100 * self.confidence_level:g} % interval by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """One row; missing where undetermined."""
        import pandas as pd

        ends = self.confidence_interval
        numbers = self.estimate, float(ends.low), float(ends.high)
        score, low, high = (np.nan,) * 3 if self.undetermined else numbers
        return pd.DataFrame(
            {
                "score": [score],
                "low": [low],
                "high": [high],
                "noise ceiling": [np.nan if self.ceiling is None else self.ceiling],
            }
        )


def linear_datamodeling_score(
    predicted: Shaped[Any, "..."],
    outcome: Shaped[Any, "..."],
    *,
    replicate: Shaped[Any, "..."] | None = None,
    confidence: float = 0.95,
) -> LinearDatamodelingScore:
    """Rank correlation of predicted and actual outcomes over held-out models.

    Training noise alone keeps the score of the best predictor below 1. With a second model of each
    mask, the correlation of the two replicates is the share of the outcome's variance that the mask
    explains, and its root what the best function of the mask would score.

    Args:
        predicted: ``[models, targets]``, predictions for models that were not fitted.
        outcome: ``[models, targets]``, what they did.
        replicate: ``[models, targets]``, what other models with the same masks did.
        confidence: of the interval of the mean over targets.

    Returns:
        The score.

    Raises:
        ValueError: when shapes differ, there are fewer than 40 models, or numbers are not finite.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> truth = rng.normal(size=(200, 5))
        >>> seen, again = truth + rng.normal(size=(2, 200, 5))
        >>> score = estimators.linear_datamodeling_score(truth, seen, replicate=again)
        >>> round(score.estimate, 1), round(score.ceiling, 1)
        (0.7, 0.7)

    References:
        Park et al. (2023), TRAK: attributing model behavior at scale, for the score,
        https://arxiv.org/abs/2303.14186; Spearman (1904) for the ceiling.
    """
    check_confidence(confidence)
    given = {"predicted": predicted, "outcome": outcome}
    if replicate is not None:
        given["replicate"] = replicate
    arrays = [check_array(values, name).astype(np.float64) for name, values in given.items()]
    for name, array in zip(given, arrays, strict=True):
        if array.ndim != 2 or array.shape != arrays[0].shape or not array.shape[1]:
            raise ValueError(
                f"{name}: expected [models, targets] as the predictions, found {array.shape} "
                f"beside {arrays[0].shape}"
            )
        if len(array) < 2 * _BLOCKS:
            raise ValueError(f"{name}: expected at least {2 * _BLOCKS} models, found {len(array)}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: expected finite numbers, found NaN or infinity")
    by_target = _spearman(arrays[0], arrays[1])
    estimate = float(by_target.mean())
    block = np.arange(len(arrays[0])) % _BLOCKS
    without = np.array(
        [_spearman(*(a[block != b] for a in arrays[:2])).mean() for b in range(_BLOCKS)]
    )
    error = np.sqrt((_BLOCKS - 1) / _BLOCKS * ((without - without.mean()) ** 2).sum())
    reach = error * stdtrit(_BLOCKS - 1, (1.0 + confidence) / 2.0)
    ceiling = None
    if replicate is not None:
        ceiling = float(np.sqrt(np.maximum(_spearman(arrays[1], arrays[2]), 0.0)).mean())
    sides = {
        side: np.ptp(array, axis=0) == 0
        for side, array in zip(("prediction", "outcome"), arrays, strict=False)
    }
    unknown = bool((sides["outcome"] | sides["prediction"]).all())
    return LinearDatamodelingScore(
        estimate=estimate,
        confidence_interval=ConfidenceInterval(
            np.asarray(-1.0 if unknown else max(estimate - reach, -1.0)),
            np.asarray(1.0 if unknown else min(estimate + reach, 1.0)),
        ),
        confidence_level=confidence,
        method="a jackknife over models",
        ceiling=ceiling,
        by_target=by_target,
        models=len(arrays[0]),
        targets=by_target.size,
        assumptions=("models are independent", "the jackknife's t is about right"),
        warnings=tuple(
            f"{constant.sum()} targets have the same {side} in all models: no order to score, 0 in "
            "the mean"
            for side, constant in sides.items()
            if constant.any()
        ),
        undetermined=unknown,
    )


def _spearman(
    first: Float[np.ndarray, "models targets"], second: Float[np.ndarray, "models targets"]
) -> Float[np.ndarray, " targets"]:
    ranks = [rankdata(array, axis=0) for array in (first, second)]
    a, b = (array - array.mean(axis=0) for array in ranks)
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.where(scale > 0, (a * b).sum(axis=0) / np.where(scale > 0, scale, 1.0), 0.0)
