"""Bounds that stay valid while models are added: a betting e-process against each null."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int, Num
from scipy.special import logsumexp

from estimators._results import ConfidenceInterval, Interval
from estimators._table import long_table
from estimators.checks import check_confidence, check_epsilon, check_pair
from estimators.lower._chosen_event import choose_half_lines
from estimators.lower._method import INDEPENDENT_SAMPLES, OneSidedMethod
from estimators.lower._target import DeltaAt, Target

if TYPE_CHECKING:
    import pandas as pd

# The bets, as shares of the largest that cannot lose everything; all have the same prior weight.
BETS = 0.9 / 1.6 ** np.arange(10)
STEPS = 30
FIRST = 8
GROWTH = 1.25
TRIED_EPSILONS = np.concatenate([np.arange(0.0, 8.0, 0.01), np.arange(8.0, 50.01, 0.25)])
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Anytime(OneSidedMethod):
    """A betting e-process on pairs of models, valid at any stopping time.

    The models are taken in pairs, in the order given. With an event R_t chosen on the pairs before,
    ``W_t = 1{X_t in R_t} - e^epsilon 1{Y_t in R_t}`` has mean at most delta if delta is the truth.
    Betting shares of the wealth that W_t exceeds d makes

        sum_s w_s prod_t (1 + s (W_t - d) / (e^epsilon + d))

    a nonnegative supermartingale when d is at least the truth; by Ville's inequality it ever
    reaches ``1/alpha`` with probability at most alpha. The bound is the least d not so rejected.
    So one may look after every pair, add models until the question is decided, and stop: the error
    stays. The price is a looser bound at any one size. See `anytime_delta_bound` for the whole
    path.

    Models beyond the smaller sample are not used.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> p, q = draw.normal(2.0, 1.0, 500), draw.normal(0.0, 1.0, 500)
        >>> result = estimators.delta_lower_bound(p, q, epsilon=0.0, method=estimators.Anytime())
        >>> bool(0.5 < result.bound < 0.6827)
        True

    References:
        Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting,
        https://arxiv.org/abs/2010.09686; Ville (1939), Etude critique de la notion de collectif.
    """

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence; and the order of the models is that in which they came."""
        return (
            INDEPENDENT_SAMPLES,
            "the order of the models does not depend on what was observed of them",
        )

    def words(self) -> str:
        """The method in words."""
        return "betting e-process on pairs of models, valid at any stopping time"

    def warn(self, p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]) -> tuple[str, ...]:
        """Says how many models were not used."""
        unused = abs(p.shape[0] - q.shape[0])
        return (f"{unused} models without a partner were not used",) if unused else ()

    def forward(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> Float[np.ndarray, "e j"]:
        """Bound after the last pair; on epsilon, the first of a fixed grid that is not rejected."""
        counts = event_counts(p, q, target)[-1]
        if isinstance(target, DeltaAt):
            return solve_delta(counts, np.exp(target.numbers)[:, None], alpha)
        return solve_epsilon(counts, target.numbers, alpha)

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The bound when every bet is won."""
        pairs = max(min(n, m) - FIRST, 0)
        counts = np.zeros((epsilon.size, 1, 4), dtype=np.int64)
        counts[..., 2] = pairs
        alpha = _levels(epsilon, confidence)
        return solve_delta(counts, np.exp(epsilon)[:, None], alpha)[:, 0]


def _levels(epsilon: Float[np.ndarray, " e"], confidence: float) -> Float[np.ndarray, "e 1"]:
    """Half of the level for a direction, all of it at epsilon 0, where the directions coincide."""
    return (1.0 - confidence) / np.where(epsilon > 0.0, 2.0, 1.0)[:, None]


def event_counts(
    p: Float[np.ndarray, "n j"],
    q: Float[np.ndarray, "m j"],
    target: Target,
    *,
    path: bool = False,
) -> Int[np.ndarray, "t e j 4"]:
    """How often each outcome of a pair was seen, with events chosen on the pairs before.

    Args:
        p: models of P in their order.
        q: models of Q in theirs.
        target: what the events are chosen for.
        path: whether to return the counts after every pair, or after the last alone.

    Returns:
        Counts of (neither, Q alone, P alone, both) in the event.
    """
    pairs = min(p.shape[0], q.shape[0])
    p, q = p[:pairs], q[:pairs]
    total = np.zeros((target.numbers.size, p.shape[1], 4), dtype=np.int64)
    trail = [np.zeros((min(FIRST, pairs), *total.shape), dtype=np.int64)] if path else []
    start = FIRST
    while start < pairs:
        stop = min(pairs, max(start + 1, int(GROWTH * start)))
        events = choose_half_lines(p[:start], q[:start], start, start, target, score=1.0)
        in_p = (p[start:stop, None] > events.threshold) == events.above
        in_q = (q[start:stop, None] > events.threshold) == events.above
        seen = (2 * in_p + in_q)[..., None] == np.arange(4)
        if path:
            trail.append(total + seen.cumsum(axis=0))
        total = total + seen.sum(axis=0)
        start = stop
    return np.concatenate(trail) if path else total[None]


def log_wealth(
    counts: Int[np.ndarray, "*shape 4"], factor: Any, delta: Any
) -> Float[np.ndarray, "*shape"]:
    """Logarithm of the mixture's wealth against the null ``P(R) - factor Q(R) <= delta``.

    Args:
        counts: outcomes of the pairs, see `event_counts`.
        factor: the factors ``e^epsilon``.
        delta: the nulls.

    Returns:
        Log wealth, 0 before the first pair.
    """
    neither, q_alone, p_alone, both = (counts[..., k] for k in range(4))
    width = factor + delta
    parts: list[np.ndarray] = []
    for bet in BETS:
        # Each outcome multiplies the wealth by 1 + bet (W - delta) / width; the width comes later.
        total = neither * np.log(width - bet * delta) + q_alone * np.log(width * (1.0 - bet))
        total = total + p_alone * np.log(width + bet * (1.0 - delta))
        parts.append(total + both * np.log(width + bet * (1.0 - factor - delta)))
    stake = counts.sum(axis=-1) * np.log(width) + np.log(BETS.size)
    return np.asarray(logsumexp(np.stack(parts), axis=0) - stake)


def solve_delta(
    counts: Int[np.ndarray, "*shape 4"], factor: Any, alpha: Any
) -> Float[np.ndarray, "*shape"]:
    """Least delta whose null is not rejected: the wealth falls as delta grows.

    Args:
        counts: outcomes of the pairs.
        factor: the factors ``e^epsilon``, broadcast with the counts.
        alpha: level, broadcast likewise.

    Returns:
        Bounds in [0, 1], rounded down.
    """
    low = np.zeros(counts.shape[:-1])
    high = np.ones(counts.shape[:-1])
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        rejected = log_wealth(counts, factor, middle) >= -np.log(alpha)
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    return low


def solve_epsilon(
    counts: Int[np.ndarray, "d j 4"], delta: Float[np.ndarray, " d"], alpha: float
) -> Float[np.ndarray, "d j"]:
    """Last epsilon of the grid before the first that is not rejected.

    Args:
        counts: outcomes of the pairs, one row a delta.
        delta: the deltas.
        alpha: level.

    Returns:
        Bounds of at least 0.
    """
    running = np.ones(counts.shape[:-1], dtype=bool)
    passed = np.zeros(counts.shape[:-1])
    for epsilon in TRIED_EPSILONS:
        running &= log_wealth(counts, np.exp(epsilon), delta[:, None]) >= -np.log(alpha)
        if not running.any():
            break
        passed[running] = epsilon
    return passed


@dataclass(frozen=True, eq=False)
class AnytimeBound(Interval):
    """Lower bounds on delta after every pair of models, valid at any stopping time.

    Attributes:
        epsilon: the epsilons, a number or [E].
        path: bound after each pair, ``[pairs, *observables]`` or ``[pairs, E, *observables]``,
            never falling; the best so far.
        bound: the last of the path.
        confidence_interval: ``bound`` and 1.
        confidence_level: probability that the bound holds after every pair at once, separately
            for each epsilon and observable.
        pairs: pairs of models used.
    """

    epsilon: Float[np.ndarray, "..."]
    path: Float[np.ndarray, "t ..."]
    bound: Float[np.ndarray, "..."]
    pairs: int

    def _title(self) -> str:
        return (
            f"lower bound on delta after {self.pairs} pairs of models, at any stopping time, "
            f"confidence {self.confidence_level:g}; {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each epsilon and observable: the bound after the last pair."""
        if self.epsilon.ndim:
            return long_table({"bound": self.bound}, grid=("epsilon", self.epsilon))
        table = long_table({"bound": self.bound})
        table.insert(0, "epsilon", float(self.epsilon))
        return table

    def pairs_until(self, delta: float) -> Int[np.ndarray, "..."]:
        """Pairs after which the bound first exceeds a given delta.

        Args:
            delta: the number to exceed.

        Returns:
            Numbers of pairs of the bound's shape, -1 where it never does.
        """
        over = self.path > delta
        return np.asarray(np.where(over.any(axis=0), over.argmax(axis=0) + 1, -1))


def anytime_delta_bound(
    p: Num[Any, "n ..."], q: Num[Any, "m ..."], *, epsilon: Any, confidence: float = 0.95
) -> AnytimeBound:
    """Lower bounds on delta after every pair of models; stop whenever you like.

    With probability at least ``confidence`` no bound of the path exceeds the divergence. Called
    again with more models behind the old ones, the function returns the same path, longer: nothing
    needs to be kept between calls. See `Anytime` for the process.

    Args:
        p: models of P in the order in which they came, ``[n, *observables]``.
        q: models of Q likewise.
        epsilon: numbers in [0, 50], a scalar or [E].
        confidence: probability that no bound of the path fails.

    Returns:
        The path and its last bound, in [0, 1].

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples are not finite or their observables differ, or numbers lie outside
            their range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> p, q = draw.normal(3.0, 1.0, 200), draw.normal(0.0, 1.0, 200)
        >>> result = estimators.anytime_delta_bound(p, q, epsilon=0.0)
        >>> bool(20 < result.pairs_until(0.2) < 80)
        True

    References:
        Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting.
    """
    first, second = check_pair(p, q)
    given = check_epsilon(epsilon)
    epsilons = np.atleast_1d(given)
    alpha = _levels(epsilons, check_confidence(confidence))
    pairs, shape = min(first.shape[0], second.shape[0]), first.shape[1:]
    first, second = first.reshape(first.shape[0], -1), second.reshape(second.shape[0], -1)
    path = np.zeros((pairs, epsilons.size, first.shape[1]))
    step = max(1, _CHUNK // (pairs * epsilons.size))
    for start in range(0, first.shape[1], step):
        block = slice(start, start + step)
        # At epsilon 0 the directions coincide, and forward alone has the whole level.
        for ours, theirs, used in (
            (first, second, epsilons >= 0.0),
            (second, first, epsilons > 0.0),
        ):
            target = DeltaAt(epsilons[used])
            counts = event_counts(ours[:, block], theirs[:, block], target, path=True)
            found = solve_delta(counts, np.exp(target.numbers)[:, None], alpha[used])
            path[:, used, block] = np.maximum(path[:, used, block], found)
    path = np.maximum.accumulate(path, axis=0).reshape(pairs, *given.shape, *shape)
    method = Anytime()
    return AnytimeBound(
        epsilon=given,
        path=path,
        bound=np.asarray(path[-1]),
        confidence_interval=ConfidenceInterval(np.asarray(path[-1]), np.ones(path.shape[1:])),
        confidence_level=confidence,
        pairs=pairs,
        method=method.words(),
        assumptions=method.assumptions,
        warnings=method.warn(first, second),
    )
