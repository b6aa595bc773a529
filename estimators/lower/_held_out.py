"""Methods that learn one score on some models and bound it on the others."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float

from estimators.lower._directed_bounds import BothWays
from estimators.lower._pilot import shuffled
from estimators.lower._rank_grid import RankGrid

Scanned = Literal["epsilon", "delta"]
Way = Literal["forward", "backward", "either"]
Score = Callable[[Float[np.ndarray, "n j"]], Float[np.ndarray, " n"]]
# What a learner returns: the score to use for each parameter, its fixed partner and direction.
Chooser = Callable[[Scanned, float, Way], Score]


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
    scanned: Scanned,
    fixed: float,
    way: Way,
    alpha: float,
) -> float:
    """Rank tests of one score on models that it was not learned on.

    Args:
        fitted: scores of the models it was learned on; they serve as the pilot.
        rest: scores of the others, P's and Q's.
        scanned: the parameter to bound.
        fixed: the value of the other one.
        way: the direction.
        alpha: level.

    Returns:
        A bound of at least 0.
    """
    p, q = (np.concatenate(sides)[:, None] for sides in zip(fitted, rest, strict=True))
    out = [np.zeros((1, 1))]
    aside = fitted[0].size, fitted[1].size
    RankGrid()._block(p, q, aside, scanned, np.array([fixed]), alpha, (way,), out)
    return float(out[0][0, 0])


@lru_cache(maxsize=1024)
def _reach(n: int, m: int, fit_n: int, fit_m: int, epsilon: float, alpha: float) -> float:
    fitted = np.linspace(2.0, 3.0, fit_n), np.linspace(-1.0, 0.0, fit_m)
    rest = np.linspace(2.0, 3.0, n - fit_n), np.linspace(-1.0, 0.0, m - fit_m)
    return held_out_bound(fitted, rest, "delta", epsilon, "either", alpha)


class HeldOut(ABC):
    """The part of `Split` and `Witness` that they share: who learns, who is counted, at what level.

    *Validity.* Given the models that the score was learned on, the score is a fixed function of a
    model, and the others' scores are independent draws from its two laws: every bound on them is a
    bound on the score, and by data processing on the models. With ``swap`` the two parts take
    turns, each at half the level, and the greater bound counts (a union bound).
    """

    pools: ClassVar[bool] = True
    fraction: float
    swap: bool
    seed: int | None

    @abstractmethod
    def _learn(
        self, p: Float[np.ndarray, "r j"], q: Float[np.ndarray, "s j"], n: int, m: int
    ) -> Chooser:
        """Scores learned from these models, for n and m others to be counted."""

    def _check(self) -> None:
        if not 0.0 < self.fraction < 1.0:
            raise ValueError(f"fraction: expected a number in (0, 1), found {self.fraction}")
        if self.seed is not None and self.seed < 0:
            raise ValueError(f"seed: expected None or an integer of at least 0, found {self.seed}")

    def _drawn(self) -> str:
        by = "the samples' digest" if self.seed is None else f"their digest and seed {self.seed}"
        turns = ", in turns at half the level each" if self.swap else ""
        return f"{self.fraction:.0%} of the models drawn by {by}{turns}"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence within and between the samples; nothing else."""
        return ("models are independent, within and between the two populations",)

    def warn(self, p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]) -> tuple[str, ...]:
        """No remarks."""
        del p, q
        return ()

    def lower(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"],
        confidence: float,
    ) -> Float[np.ndarray, " e"]:
        """Bound on ``sup_R P(R) - e^epsilon Q(R)``."""
        return self._solve(p, q, "delta", epsilon, {"forward": 1.0 - confidence})["forward"]

    def delta_bounds(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"],
        confidence: float,
    ) -> BothWays:
        """Lower bounds on delta at each epsilon."""
        return self._both(p, q, "delta", epsilon, confidence)

    def epsilon_bounds(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        delta: Float[np.ndarray, " d"],
        confidence: float,
    ) -> BothWays:
        """Lower bounds on epsilon at each delta."""
        return self._both(p, q, "epsilon", delta, confidence)

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The bound of scores that do not overlap at all."""
        sizes = fitted_share(n, self.fraction), fitted_share(m, self.fraction)
        if not min(sizes):
            return np.zeros(epsilon.size)
        alpha = (1.0 - confidence) / (2.0 if self.swap else 1.0)
        return np.array([_reach(n, m, *sizes, float(e), alpha) for e in epsilon])

    def _both(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        scanned: Scanned,
        fixed: Float[np.ndarray, " e"],
        confidence: float,
    ) -> BothWays:
        alpha = 1.0 - confidence
        levels: dict[Way, float] = {"either": alpha, "forward": alpha / 2, "backward": alpha / 2}
        found = self._solve(p, q, scanned, fixed, levels)
        if scanned == "delta":
            for way in ("forward", "backward"):
                found[way] = np.where(fixed == 0.0, found["either"], found[way])
        return BothWays(found["forward"], found["backward"], found["either"])

    def _solve(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        scanned: Scanned,
        fixed: Float[np.ndarray, " e"],
        levels: dict[Way, float],
    ) -> dict[Way, Float[np.ndarray, " e"]]:
        best: dict[Way, Float[np.ndarray, " e"]] = {way: np.zeros(fixed.size) for way in levels}
        a, b = fitted_share(p.shape[0], self.fraction), fitted_share(q.shape[0], self.fraction)
        if not min(a, b):
            return best
        p, q = shuffled(p, q, self.seed)
        turns = [((p[:a], q[:b]), (p[a:], q[b:]))]
        if self.swap:
            turns.append((turns[0][1], turns[0][0]))
        for (fit_p, fit_q), (rest_p, rest_q) in turns:
            chooser = self._learn(fit_p, fit_q, rest_p.shape[0], rest_q.shape[0])
            for way, level in levels.items():
                for e, value in enumerate(fixed):
                    score = chooser(scanned, float(value), way)
                    found = held_out_bound(
                        (score(fit_p), score(fit_q)),
                        (score(rest_p), score(rest_q)),
                        scanned,
                        float(value),
                        way,
                        level / len(turns),
                    )
                    best[way][e] = max(best[way][e], found)
        return best
