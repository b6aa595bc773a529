r"""Epsilon of a whole forget set from one model, whose forget set was drawn by fair coins.

**The bound.** Coin i says whether example i was in the training set. A model θ is trained and
unlearns; W is the sum of weights of examples that were in, with weights that are a function of θ
alone, and p the probability that fresh coins, independent of θ, give as great a sum. Let R be any
law of models that does not depend on the tested coins c, as that of models retrained without the
tested examples, and U_c the law of unlearned models at given coins. If U_c and R are
(ε,δ)-indistinguishable for every c, then

$$P(p \le t) = E_c\,U_c(p \le t) \le e^\varepsilon\,E_c\,R(p \le t) + \delta
\le e^\varepsilon t + \delta,$$

as under R coins and weights are independent, and p is an exact p-value. So p at most
(β - δ) e^-ε refutes (ε,δ) at level β, and ε is at least ln((β - δ) / p), for all δ below β at once:
they all speak of the one event that p is small. Several p-values of one model, of other weights,
observables or parts of the coins, are combined as p = min p_j / π_j with shares π_j that add up to
1: under R it is at most t with probability Σ π_j t, and all else is as before. That costs -ln π_j
of ε and nothing of δ.

Several models are put together in `_model_ranks`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Num, Shaped
from scipy.special import gammaln

from estimators._results import ConfidenceInterval, Interval, Undetermined
from estimators.checks import (
    check_array,
    check_confidence,
    check_counts,
    check_mask,
    check_samples,
    check_within,
)
from estimators.kinds import check_kind, check_name
from estimators.one_run._coin_weights import CoinWeights
from estimators.one_run._model_ranks import check_ranks, epsilon_of
from estimators.one_run._tail_of_sums import Law, log_tail

if TYPE_CHECKING:
    import pandas as pd

LAWS = ("fair coins", "fixed size")
_MOST_OF_FIXED_SIZE = 5_000
# Two designs of so many fair coins are the same in one of 2^30 draws.
_TOLD_APART = 30
# Weights are whole numbers up to the first of these, with many coins down to the second, the third
# by the number of coins: the law takes time by steps and coins, of a fixed size by their squares.
_STEPS: dict[Law, tuple[int, int, int]] = {
    "fair coins": (127, 15, 2**16),
    "fixed size": (31, 3, 2**12),
}


@dataclass(frozen=True, eq=False)
class CoinEpsilon(Interval, Undetermined):
    """Lower bound on epsilon of the whole set of tested examples, from models trained by coins.

    Attributes:
        delta: the delta of ``bound``.
        bound: epsilon is at least this; 0 says nothing.
        confidence_interval: one-sided: ``low`` is the bound, ``high`` infinite.
        log_pvalues: natural logarithm of each model's p-value, ``[models]``.
        ceiling: the greatest bound that this many coins and models could have given.
        examples: coin examples that were tested.
        ranks: which of the sorted p-values are looked at, the smallest being 1.
        shared: whether all models have the same coins.
        law: of the coins.
        undetermined: true where even the smallest p-values could not have lifted the bound off 0.
    """

    delta: float
    bound: Float[np.ndarray, ""]
    log_pvalues: Float[np.ndarray, " models"]
    ceiling: float
    examples: int
    ranks: tuple[int, ...]
    shared: bool
    law: str

    @property
    def models(self) -> int:
        """How many models there are."""
        return len(self.log_pvalues)

    def at(self, delta: float) -> float:
        """The bound at another delta; all of them hold together with the same confidence.

        Args:
            delta: in [0, 1).

        Raises:
            TypeError: when it is not one real number.
            ValueError: when it lies outside.
        """
        check_within("[0, 1)", delta=delta)
        return epsilon_of(
            self.log_pvalues,
            delta=float(delta),
            level=1.0 - self.confidence_level,
            ranks=self.ranks,
            shared=self.shared,
        )

    def _title(self) -> str:
        models = "one model" if self.models == 1 else f"{self.models:,} models"
        examples = f"{self.examples:,} coin example{'s' * (self.examples > 1)}"
        return (
            f"epsilon at delta = {self.delta:g} from {models} and {examples}, "
            f"{100 * self.confidence_level:g} % lower bound by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """One row: the bound, what could have been shown, and the p-value behind it."""
        import pandas as pd

        row = {
            "epsilon": np.nan if self.undetermined else float(self.bound),
            "at_most_shown": self.ceiling,
            "log10_p": float(np.sort(self.log_pvalues)[self.ranks[0] - 1]) / math.log(10.0),
        }
        return pd.DataFrame([row])


def coin_epsilon(
    scores: Num[Any, "..."],
    coins: Shaped[Any, "..."],
    *,
    delta: float = 0.01,
    confidence: float = 0.95,
    weights: CoinWeights | None = None,
    parts: Shaped[Any, "parts m"] | None = None,
    ranks: Sequence[int] | None = None,
    law: Law = "fair coins",
) -> CoinEpsilon:
    r"""Lower bound on the epsilon of a whole forget set, from as little as one model.

    Fair coins decided which of m examples were in the training set, a model was trained and
    unlearned, and says something of each of them. A procedure that is (ε,δ)-indistinguishable from
    some learning algorithm that is run without these examples would hardly have scores that follow
    the coins so well, whatever they are of. The bound is on the group of all tested examples, as
    Definition 4.1 is; `one_run_epsilon` bounds the epsilon of a single one, which is far smaller.

    It never says that an algorithm is good: a bound of 0 means that nothing was found.

    Args:
        scores: what a model says of each example, higher where it was trained on it, as a rule:
            ``[m]`` of one model, ``[models, m]``, or ``[models, m, observables]``. They may be
            compared with whatever is independent of the coins, such as models that saw none of the
            examples; never with the original model.
        coins: whether each example was in the training set. ``[m]``, or rows that are all the same:
            one design, shared by all models; ``[models, m]``: a design of its own for each.
        delta: the delta in [0, 1); with one model nothing can be said of deltas from 1 -
            ``confidence`` on.
        confidence: confidence of the bound, over coins, training and unlearning.
        weights: how scores are weighed, declared before any was seen.
        parts: masks of examples that are tested one after another, such as some and all; None for
            all. Their level is shared.
        ranks: which of the sorted p-values of several models are looked at; None for the middle
            one and the greatest.
        law: ``fair coins``: independent, each up with probability 1/2. ``fixed size``: as many were
            in, and all choices of them are equally likely: for counts that were fixed, or for two
            published sets that are taken to be exchangeable.

    Returns:
        The bound at delta, and by `CoinEpsilon.at` at every other delta.

    Raises:
        TypeError: when scores are not real numbers, or coins neither true nor false.
        ValueError: when samples are not finite, shapes do not fit, or numbers lie outside of their
            range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> coins = draw.random(100) < 0.5
        >>> scores = 3.0 * coins + draw.normal(size=100)
        >>> print(estimators.coin_epsilon(scores, coins).bound.round(1))
        49.1

    References:
        The test is a randomisation test over the coins (Fisher 1935, The Design of Experiments);
        the step from it to epsilon is proved at the head of this module. Steinke, Nasr and
        Jagielski (2023), https://arxiv.org/abs/2305.08846, bound the epsilon of one example.
    """
    level = 1.0 - check_confidence(confidence)
    check_within("[0, 1)", delta=delta)
    check_name(law, "law", LAWS)
    chosen_weights = CoinWeights() if weights is None else weights
    check_kind(chosen_weights, "weights", CoinWeights, "CoinWeights")
    values = _scores(scores)
    models, examples = values.shape[:2]
    ups, shared = _coins(coins, models, examples)
    if law == "fixed size" and examples > _MOST_OF_FIXED_SIZE:
        raise ValueError(
            f"scores: expected at most {_MOST_OF_FIXED_SIZE:,} examples where their number was "
            f"fixed, as the law takes time by its square, found {examples:,}"
        )
    masks = _parts(parts, examples)
    logs = np.array(
        [
            _model_log_pvalue(values[k], ups[0 if shared else k], masks, chosen_weights, law)
            for k in range(models)
        ]
    )
    # A copy is no model of its own: it counts as one of which nothing was found.
    _, first = np.unique(values.reshape(models, -1), axis=0, return_index=True)
    logs[np.setdiff1d(np.arange(models), first)] = 0.0
    looked = check_ranks(ranks, models)
    tested = int(masks.any(axis=0).sum())
    alike = shared and models > 1
    choices = [_log_choices(mask, line, law) for mask in masks for line in ups]
    best = _best_log_pvalue(max(choices), chosen_weights, len(masks) * values.shape[2])
    ceiling = epsilon_of(
        np.full(models, best), delta=float(delta), level=level, ranks=looked, shared=alike
    )
    bound = epsilon_of(logs, delta=float(delta), level=level, ranks=looked, shared=alike)
    return CoinEpsilon(
        delta=float(delta),
        bound=np.asarray(bound),
        confidence_interval=ConfidenceInterval(np.asarray(bound), np.asarray(np.inf)),
        confidence_level=float(confidence),
        log_pvalues=logs,
        ceiling=ceiling,
        examples=tested,
        ranks=looked,
        shared=alike,
        law=law,
        method=f"the exact law of weighted sums, {law}",
        assumptions=(_LAW_WORDS[law], *_ASSUMPTIONS, *([_APART] if models > 1 else [])),
        warnings=_hidden(values, masks, chosen_weights),
        undetermined=np.asarray(ceiling <= 0.0),
    )


_LAW_WORDS = {
    "fair coins": "each example was in the training set by a fair coin of its own",
    "fixed size": "all choices of as many examples as were in are equally likely",
}
_ASSUMPTIONS = (
    "scores depend on the coins through the model alone",
    "the models it is compared with are trained by a procedure that no tested coin enters",
)
_APART = "models are made independently of each other, given their coins"


def coin_ceiling(
    examples: int,
    *,
    models: int = 1,
    delta: float = 0.01,
    confidence: float = 0.95,
    weights: CoinWeights | None = None,
    parts: int = 1,
    ranks: Sequence[int] | None = None,
    shared: bool = False,
    law: Law = "fair coins",
) -> float:
    """The greatest bound that so many coins could give, were every model to name them all.

    Args:
        examples: coin examples that are tested, at least 1.
        models: how many models.
        delta: in [0, 1).
        confidence: of the bound.
        weights: as for `coin_epsilon`.
        parts: how many parts and observables share the level.
        ranks: as for `coin_epsilon`.
        shared: whether all models have one design.
        law: of the coins; of a fixed size half of them are in.

    Returns:
        Epsilon, 0 where nothing could be shown.

    Raises:
        TypeError: when a number is none.
        ValueError: when a number lies outside of its range.

    Example:
        >>> from indist import estimators
        >>> round(estimators.coin_ceiling(100), 1)
        65.4
    """
    check_counts(examples=examples, models=models, parts=parts)
    check_within("[0, 1)", delta=delta)
    check_name(law, "law", LAWS)
    choices = _log_choices(np.ones(examples, dtype=bool), np.arange(examples) < examples // 2, law)
    least = np.full(models, _best_log_pvalue(choices, weights or CoinWeights(), parts))
    return epsilon_of(
        least,
        delta=float(delta),
        level=1.0 - check_confidence(confidence),
        ranks=check_ranks(ranks, models),
        shared=shared and models > 1,
    )


def _log_choices(mask: Bool[np.ndarray, " m"], ups: Bool[np.ndarray, " m"], law: Law) -> float:
    """The logarithm of the number of ways in which the coins of a part could have fallen."""
    coins, up = int(mask.sum()), int((mask & ups).sum())
    if law == "fair coins":
        return coins * math.log(2.0)
    return float(gammaln(coins + 1) - gammaln(up + 1) - gammaln(coins - up + 1))


def _best_log_pvalue(choices: float, weights: CoinWeights, parts: int) -> float:
    """The logarithm of the p-value of a model that names every coin."""
    return min(0.0, -choices - math.log(float(weights.shares.max()) / parts))


def _model_log_pvalue(
    values: Float[np.ndarray, "m observables"],
    ups: Bool[np.ndarray, " m"],
    masks: Bool[np.ndarray, "parts m"],
    weights: CoinWeights,
    law: Law,
) -> float:
    """The logarithm of the least p-value, each divided by its share of the level."""
    found: list[float] = []
    shares = weights.shares / (len(masks) * values.shape[1])
    most, fewest, by_coins = _STEPS[law]
    for mask in masks:
        here = ups[mask].astype(np.int64)
        steps = min(most, max(fewest, by_coins // here.size))
        for column in values[mask].T:
            tails = [log_tail(line, here, law) for line in weights.of(column, steps)]
            found.append(float((np.array(tails) - np.log(shares)).min()))
    return min(0.0, *found)


def _hidden(
    values: Float[np.ndarray, "models m observables"],
    masks: Bool[np.ndarray, "parts m"],
    weights: CoinWeights,
) -> tuple[str, ...]:
    """That one score hides what all others of a model say, for the first of which it is so."""
    for model, mask, place in np.ndindex(len(values), len(masks), values.shape[2]):
        tested = np.flatnonzero(masks[mask])
        found = weights.hiding(values[model, tested, place])
        if found is not None:
            score = values[model, tested[found], place]
            return (
                f"the score of example {tested[found]} by model {model}, {score:.3g}, is so far "
                "out that what the others say is lost beside it",
            )
    return ()


def _scores(scores: Any) -> Float[np.ndarray, "models m observables"]:
    values = check_samples(scores, "scores")
    if values.ndim > 3:
        raise ValueError(
            "scores: expected [m], [models, m] or [models, m, observables], found shape "
            f"{values.shape}"
        )
    if 0 in values.shape:
        raise ValueError(f"scores: expected at least one of each axis, found shape {values.shape}")
    if values.ndim == 1:
        values = values[None]
    return values if values.ndim == 3 else values[:, :, None]


def _coins(coins: Any, models: int, examples: int) -> tuple[Bool[np.ndarray, "designs m"], bool]:
    """The designs, and whether there is one for all models."""
    own = np.ndim(coins) == 2
    shape = (models, examples) if own else (examples,)
    found = check_mask(coins, "coins", shape)
    if not own:
        return found[None], True
    different = len(np.unique(found, axis=0))
    if different == 1 < models:
        return found[:1], True
    if different < models and examples >= _TOLD_APART:
        raise ValueError(
            f"coins: expected one design for all models or another for each, found {different} "
            f"for {models}"
        )
    return found, False


def _parts(parts: Any, examples: int) -> Bool[np.ndarray, "parts m"]:
    if parts is None:
        return np.ones((1, examples), dtype=bool)
    array = check_array(parts, "parts")
    masks = check_mask(array, "parts", (len(array) if array.ndim else 1, examples))
    if not len(masks) or not masks.any(axis=1).all():
        raise ValueError("parts: expected masks with an example in each, found one without any")
    return masks
