"""Methods that learn one score on some models and bound it on the others."""

from abc import abstractmethod
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from estimators.checks import check_seed, check_within
from estimators.lower._method import DirectedBounds, LowerBoundMethod, separate_samples
from estimators.lower._pilot import drawn_by, shuffled
from estimators.lower._rank_grid import grid_bounds
from estimators.lower._rank_test import Direction
from estimators.lower._target import DeltaAt, Target

# A function that gives each model a number, learned from other models.
LearnedScore = Callable[[Float[np.ndarray, "n j"]], Float[np.ndarray, " n"]]
# What a learner returns: it chooses the score for a question at one number, and a direction.
ScoreChooser = Callable[[Target, Direction], LearnedScore]


def fitted_share(models: int, fraction: float) -> int:
    """Models of one side that a score is learned on; 0 when too few would be left to count.

    Args:
        models: models of that side.
        fraction: share for learning, in (0, 1).

    Returns:
        At least 2 of them, or 0.
    """
    size = max(int(round(fraction * models)), 2)
    return size if models - size >= 2 else 0


def held_out_bound(
    fitted: tuple[Float[np.ndarray, " r"], Float[np.ndarray, " s"]],
    rest: tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]],
    target: Target,
    direction: Direction,
    alpha: float,
) -> float:
    """Rank tests of one score on models that it was not learned on.

    Args:
        fitted: scores of the models it was learned on; they serve as the pilot.
        rest: scores of the others, P's and Q's.
        target: what to bound, at one number.
        direction: the direction.
        alpha: level.

    Returns:
        A bound of at least 0.
    """
    p, q = (np.concatenate(sides)[:, None] for sides in zip(fitted, rest, strict=True))
    pilot_sizes = fitted[0].size, fitted[1].size
    # The score was learned so that its half-lines are the events.
    (found,) = grid_bounds(p, q, pilot_sizes, target, ((direction, alpha),), two_sided=False)
    return float(found[0, 0])


@lru_cache(maxsize=1024)
def _held_out_reach(n: int, m: int, fit_n: int, fit_m: int, epsilon: float, alpha: float) -> float:
    found: list[float] = []
    # A learned score may have either sign.
    for (p, q), sign in product(separate_samples(n, m), (1.0, -1.0)):
        sides = np.split(sign * p[:, 0], [fit_n]), np.split(sign * q[:, 0], [fit_m])
        fitted, rest = zip(*sides, strict=True)
        found.append(held_out_bound(fitted, rest, DeltaAt(epsilon), "either", alpha))
    return max(found)


class HeldOut(LowerBoundMethod):
    """The part of `Split` and `Witness` that they share: who learns, who is counted, at what level.

    *Validity.* Given the models that the score was learned on, the score is a fixed function of a
    model, and the others' scores are independent draws from its two laws: every bound on them is a
    bound on the score, and by data processing on the models. With ``swap`` the two parts take
    turns, each at half the level, and the greater bound counts (a union bound).
    """

    pools: ClassVar[bool] = True
    fraction: float
    swap: bool

    @abstractmethod
    def _learn(
        self, p: Float[np.ndarray, "r j"], q: Float[np.ndarray, "s j"], n: int, m: int
    ) -> ScoreChooser:
        """Scores learned from these models, for n and m others to be counted."""

    def _check(self) -> None:
        check_within("(0, 1)", fraction=self.fraction)
        if self.seed is not None:
            check_seed(self.seed)

    def _drawn(self) -> str:
        turns = ", in turns at half the level each" if self.swap else ""
        return f"{self.fraction:.0%} of the models drawn by {drawn_by(self.seed)}{turns}"

    def solve(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> DirectedBounds:
        """See `LowerBoundMethod.solve`."""
        levels: dict[Direction, float] = {
            "either": alpha,
            "forward": alpha / 2,
            "backward": alpha / 2,
        }
        best = {direction: np.zeros(target.numbers.size) for direction in levels}
        sizes = fitted_share(p.shape[0], self.fraction), fitted_share(q.shape[0], self.fraction)
        if not min(sizes):
            return DirectedBounds(best["forward"], best["backward"], best["either"])
        p, q = shuffled(p, q, self.seed)
        turns = [((p[: sizes[0]], q[: sizes[1]]), (p[sizes[0] :], q[sizes[1] :]))]
        if self.swap:
            turns.append((turns[0][1], turns[0][0]))
        for (fit_p, fit_q), (rest_p, rest_q) in turns:
            score_for = self._learn(fit_p, fit_q, rest_p.shape[0], rest_q.shape[0])
            for direction, level in levels.items():
                for e, question in enumerate(target.each()):
                    score = score_for(question, direction)
                    fitted = score(fit_p), score(fit_q)
                    rest = score(rest_p), score(rest_q)
                    found = held_out_bound(fitted, rest, question, direction, level / len(turns))
                    best[direction][e] = max(best[direction][e], found)
        bound, same = best["either"], target.symmetric
        forward = np.where(same, bound, best["forward"])
        backward = np.where(same, bound, best["backward"])
        return DirectedBounds(forward, backward, bound)

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The bound of scores that do not overlap at all, with ties and without, of each turn."""
        sizes = fitted_share(n, self.fraction), fitted_share(m, self.fraction)
        if not min(sizes):
            return np.zeros(epsilon.size)
        turns = [sizes, (n - sizes[0], m - sizes[1])] if self.swap else [sizes]
        alpha = (1.0 - confidence) / len(turns)
        found = [[_held_out_reach(n, m, *turn, float(e), alpha) for e in epsilon] for turn in turns]
        return np.max(found, axis=0)
