"""Epsilon from a single training run whose members were chosen by fair coins."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int, Num, Shaped

from estimators._results import ConfidenceInterval, Interval, Undetermined
from estimators._table import long_table
from estimators.checks import check_array, check_confidence, check_delta, check_mask, check_samples
from estimators.exact._gaussian_profile import gaussian_epsilon
from estimators.one_run._one_run_tail import (
    ApproximateTradeoff,
    GaussianTradeoff,
    binomial_pvalue,
    tail_possible,
)

if TYPE_CHECKING:
    import pandas as pd

GREATEST_PARAMETER = 30.0
GRID_CELLS = 16
ROUNDS = 7


@dataclass(frozen=True)
class BinomialGuesses:
    """Right guesses against a binomial (Steinke, Nasr and Jagielski, 2023).

    Exact for pure privacy (delta = 0), and the default there. For delta above 0 a term
    ``2 m delta`` times the law's steepest share is added: useless unless delta is well below 1/m.
    """


@dataclass(frozen=True)
class TradeoffGuesses:
    """Right guesses against a whole trade-off function (Mahloujifar, Melis and Chaudhuri, 2024).

    Attributes:
        family: ``"approximate"`` bounds epsilon at delta without further assumption, and is the
            default for delta above 0, as it hardly loses from delta. ``"gaussian"`` bounds mu (the
            mechanism is not mu-GDP for a smaller mu, without assumption) and turns it into epsilon,
            which assumes that its trade-off function is Gaussian.

    Raises:
        ValueError: for another family.
    """

    family: Literal["approximate", "gaussian"] = "approximate"

    def __post_init__(self) -> None:
        if self.family not in ("approximate", "gaussian"):
            raise ValueError(f"family: expected 'approximate' or 'gaussian', found {self.family!r}")


OneRunMethod = BinomialGuesses | TradeoffGuesses


def _default(method: OneRunMethod | None, delta: float) -> OneRunMethod:
    if method is not None:
        return method
    return TradeoffGuesses() if delta > 0.0 else BinomialGuesses()


@dataclass(frozen=True, eq=False)
class OneRunEpsilon(Interval, Undetermined):
    """Lower bound on epsilon at delta from guesses about one training run.

    Attributes:
        delta: the delta.
        bound: epsilon is at least this, ``[*observables]``; 0 says nothing.
        mu: Gaussian shift that the bound comes from, where the method has one.
        confidence_interval: one-sided: ``low`` is the bound, ``high`` infinite.
        correct: right guesses behind the bound.
        guesses: guesses behind the bound.
        examples: examples whose membership was drawn.
        undetermined: true where even all guesses right could not lift the bound off 0.
    """

    delta: float
    bound: Float[np.ndarray, "..."]
    mu: Float[np.ndarray, "..."] | None
    correct: Int[np.ndarray, "..."]
    guesses: Int[np.ndarray, "..."]
    examples: int

    def _title(self) -> str:
        return (
            f"epsilon at delta = {self.delta:g} from one run, {self.examples} examples, "
            f"{100 * self.confidence_level:g} % lower bound by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each observable: bound and the guesses behind it."""
        columns = {"epsilon": self.bound, "correct": self.correct, "guesses": self.guesses}
        if self.mu is not None:
            columns["mu"] = self.mu
        return long_table(columns, undetermined=self.undetermined)


def _parameter_bounds(
    correct: Int[np.ndarray, " K"],
    guesses: int,
    examples: int,
    delta: float,
    alpha: float,
    method: OneRunMethod,
) -> Float[np.ndarray, " K"]:
    """Greatest parameters up to which all are rejected at level alpha, rounded down; 0 for none."""

    def accepted(grid: Float[np.ndarray, "K G"]) -> Bool[np.ndarray, "K G"]:
        if isinstance(method, BinomialGuesses):
            rows = zip(correct.tolist(), grid, strict=True)
            found = [binomial_pvalue(v, guesses, examples, row, delta) for v, row in rows]
            return np.stack(found) > alpha
        family = (
            ApproximateTradeoff(delta) if method.family == "approximate" else GaussianTradeoff()
        )
        return tail_possible(correct, guesses, examples, alpha, family, grid)

    low, high = np.zeros(correct.size), np.full(correct.size, GREATEST_PARAMETER)
    for _ in range(ROUNDS):
        grid = np.linspace(low, high, GRID_CELLS + 1, axis=1)
        kept = accepted(grid)
        kept[:, -1] = True
        first = np.maximum(kept.argmax(axis=1), 1)[:, None]
        nothing = kept[:, 0]
        low = np.where(nothing, low, np.take_along_axis(grid, first - 1, axis=1)[:, 0])
        high = np.where(nothing, low, np.take_along_axis(grid, first, axis=1)[:, 0])
    return low


def one_run_epsilon_from_counts(
    correct: Int[Any, "..."],
    guesses: Int[Any, "..."],
    *,
    examples: int,
    delta: float = 0.0,
    confidence: float = 0.95,
    method: OneRunMethod | None = None,
) -> OneRunEpsilon:
    """Lower bound on epsilon from the number of right guesses about one run.

    Whether each of m examples is in the training set was decided by a fair coin of its own; from
    the trained model, r memberships were guessed, v of them rightly. Under (epsilon, delta)-privacy
    that many right guesses are improbable; the bound is the least epsilon that is not rejected.

    Args:
        correct: right guesses, any shape; each entry is a bound on its own.
        guesses: guesses made, same shape; for delta above 0 the most that could have been made, a
            number fixed in advance. Which examples to guess may depend on the model, never on the
            memberships.
        examples: examples whose membership was drawn; all others count as fixed.
        delta: delta in [0, 1); above 0 for the Gaussian family.
        confidence: confidence of each bound.
        method: `BinomialGuesses` or `TradeoffGuesses`; None for the first at delta 0 and the
            second otherwise.

    Returns:
        Bounds of at least 0, rounded down.

    Raises:
        ValueError: when counts contradict each other or numbers lie outside their range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> right, made = np.array(100), np.array(100)
        >>> print(estimators.one_run_epsilon_from_counts(right, made, examples=1000).bound.round(2))
        3.49

    References:
        Steinke, Nasr and Jagielski (2023), Privacy auditing with one (1) training run, the theorem
        for (epsilon, delta) and its code in appendix D, https://arxiv.org/abs/2305.08846;
        Mahloujifar, Melis and Chaudhuri (2024), Auditing f-differential privacy in one run,
        https://arxiv.org/abs/2410.22235.
    """
    alpha = 1.0 - check_confidence(confidence)
    delta = float(check_delta(delta))
    method = _default(method, delta)
    right, made = check_array(correct, "correct"), check_array(guesses, "guesses")
    gaussian = isinstance(method, TradeoffGuesses) and method.family == "gaussian"
    if gaussian and delta == 0.0:
        raise ValueError("delta: expected a number above 0 for the Gaussian family, found 0.0")
    if right.shape != made.shape:
        raise ValueError(
            f"correct and guesses: expected one shape, found {right.shape} and {made.shape}"
        )
    if ((right < 0) | (right > made) | (made > examples)).any():
        raise ValueError("expected 0 <= correct <= guesses <= examples in every entry")
    parameter, best = np.zeros(right.shape), np.zeros(right.shape)
    for number in np.unique(made):
        here = made == number
        values, where = np.unique(np.append(right[here], number), return_inverse=True)
        found = _parameter_bounds(values, int(number), examples, delta, alpha, method)
        parameter[here], best[here] = found[where[:-1]], found[where[-1]]
    bound = gaussian_epsilon(parameter, delta) if gaussian else parameter
    return OneRunEpsilon(
        delta=delta,
        bound=bound,
        mu=parameter if gaussian else None,
        confidence_interval=ConfidenceInterval(bound, np.full(right.shape, np.inf)),
        confidence_level=confidence,
        correct=right,
        guesses=made,
        examples=examples,
        method=_words(method),
        assumptions=_assumptions(method),
        warnings=(),
        undetermined=np.asarray(best <= 0.0),
    )


def _words(method: OneRunMethod) -> str:
    if isinstance(method, BinomialGuesses):
        return "right guesses against a binomial"
    return f"right guesses against {method.family} trade-off functions"


def _assumptions(method: OneRunMethod) -> tuple[str, ...]:
    common = (
        "each example is a member by a fair coin of its own",
        "guesses depend on the memberships through the model alone",
    )
    if isinstance(method, TradeoffGuesses) and method.family == "gaussian":
        return (*common, "the mechanism's trade-off function is Gaussian (for epsilon, not for mu)")
    return common


def guess_counts(
    scores: Float[np.ndarray, "m J"], member: Bool[np.ndarray, " m"], guesses: int
) -> tuple[Int[np.ndarray, " J"], Int[np.ndarray, " J"]]:
    """Right guesses and guesses made when the extremes of the scores are guessed.

    The upper half of the guesses says member, the lower half non-member. Scores tied with the
    first example left out are left out too, so that the order of the examples plays no part.

    Args:
        scores: higher for members.
        member: memberships.
        guesses: guesses wanted, at most m.

    Returns:
        ``(correct, made)`` for each column.
    """
    m = scores.shape[0]
    upper, lower = (guesses + 1) // 2, guesses // 2
    ordered = np.sort(scores, axis=0)
    edge = np.full_like(ordered[:1], np.inf)
    ordered = np.concatenate([-edge, ordered, edge])
    said_in = scores > ordered[m - upper]
    said_out = scores < ordered[lower + 1]
    both = said_in & said_out
    said_in, said_out = said_in & ~both, said_out & ~both
    correct = (said_in & member[:, None]).sum(axis=0) + (said_out & ~member[:, None]).sum(axis=0)
    return correct, (said_in | said_out).sum(axis=0)


def one_run_epsilon(
    scores: Num[Any, "m ..."],
    member: Shaped[Any, " m"],
    *,
    guesses: tuple[int, ...] | None = None,
    delta: float = 0.0,
    confidence: float = 0.95,
    method: OneRunMethod | None = None,
) -> OneRunEpsilon:
    """Lower bound on epsilon from membership scores of one training run.

    The examples with the highest scores are guessed to be members, those with the lowest not to be.
    How many to guess is declared in advance. With several numbers the level is split over them
    evenly, and the best bound taken: an uncorrected best over thresholds is no bound.

    Args:
        scores: a score for each example whose membership was drawn, higher for members,
            ``[m, *observables]``.
        member: whether it was in the training set, drawn by fair independent coins.
        guesses: numbers of guesses to try; None for m, m/2, m/4, ... down to about 10.
        delta: delta in [0, 1); above 0 for the Gaussian family.
        confidence: confidence of the bound of each observable.
        method: `BinomialGuesses` or `TradeoffGuesses`; None for the first at delta 0 and the
            second otherwise.

    Returns:
        Bounds of shape ``[*observables]``, at least 0.

    Raises:
        TypeError: when scores are not real numbers.
        ValueError: when samples are not finite, lengths differ, or numbers lie outside their range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> member = draw.random(1000) < 0.5
        >>> scores = 3.0 * member + draw.normal(size=1000)
        >>> print(estimators.one_run_epsilon(scores, member).bound.round(1))
        4.6

    References:
        Steinke, Nasr and Jagielski (2023), Privacy auditing with one (1) training run, the theorem
        for (epsilon, delta) and its code in appendix D, https://arxiv.org/abs/2305.08846;
        Mahloujifar, Melis and Chaudhuri (2024), Auditing f-differential privacy in one run,
        https://arxiv.org/abs/2410.22235.
    """
    values = check_samples(scores, "scores")
    m, shape = values.shape[0], values.shape[1:]
    inside = check_mask(member, "member", (m,))
    if guesses is None:
        guesses = tuple(m // 2**i for i in range(max(1, int(np.log2(max(m, 10) / 10)) + 1)))
    if not guesses or min(guesses) < 1 or max(guesses) > m:
        raise ValueError(f"guesses: expected numbers from 1 to {m}, found {guesses}")
    alpha = 1.0 - check_confidence(confidence)
    flat = values.reshape(m, -1)
    tries: list[OneRunEpsilon] = []
    for number in guesses:
        correct, made = guess_counts(flat, inside, number)
        # Given the guesses only the pure case is exact; the others need a number fixed in advance.
        fixed = delta > 0.0 or isinstance(method, TradeoffGuesses)
        tries.append(
            one_run_epsilon_from_counts(
                correct,
                np.full_like(made, number) if fixed else made,
                examples=m,
                delta=delta,
                confidence=1.0 - alpha / len(guesses),
                method=method,
            )
        )
    bounds = np.stack([attempt.bound for attempt in tries])
    best = bounds.argmax(axis=0)[None]

    def pick(parts: list[np.ndarray]) -> np.ndarray:
        return np.take_along_axis(np.stack(parts), best, axis=0)[0].reshape(shape)

    bound = pick([attempt.bound for attempt in tries])
    undetermined = np.all([attempt.undetermined for attempt in tries], axis=0)
    shifts = [attempt.mu for attempt in tries if attempt.mu is not None]
    return OneRunEpsilon(
        delta=tries[0].delta,
        bound=bound,
        mu=pick(shifts) if shifts else None,
        confidence_interval=ConfidenceInterval(bound, np.full(shape, np.inf)),
        confidence_level=confidence,
        correct=pick([attempt.correct for attempt in tries]),
        guesses=pick([attempt.guesses for attempt in tries]),
        examples=m,
        method=f"{tries[0].method}, {len(guesses)} numbers of guesses",
        assumptions=tries[0].assumptions,
        warnings=(),
        undetermined=np.asarray(undetermined).reshape(shape),
    )
