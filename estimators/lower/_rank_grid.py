"""The default lower bound: exact rank tests at a grid of order statistics."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float

from estimators.lower._directed_bounds import BothWays
from estimators.lower._fixed_event import bound_event, choose_event
from estimators.lower._pilot import levels, orientation, pilot_size, shuffled, tied
from estimators.lower._rank_scan import count_beyond, scan

# Share of the level for events in which P lies above Q, by the pilot's evidence on it.
UP_SHARES = {-2: 0.04, -1: 0.12, 0: 0.5, 1: 0.88, 2: 0.96}
# Columns are worked through in blocks of about this many values a side.
_BLOCK = 4_000_000


@dataclass(frozen=True)
class RankGrid:
    """Rank tests on half-lines of each observable, exact at every sample size.

    Thresholds are order statistics of both samples at ranks fixed by (epsilon, delta) alone; the
    law of the count beyond each under the least favourable pair is known exactly, and the level is
    split over them and over both orientations. A small pilot (``pilot * sqrt(models)`` a side,
    not used again) says which orientation gets most of the level, and finds observables of few
    distinct values: for those it names one event, bounded by its two binomial counts.

    Attributes:
        pilot: size of the pilot in units of ``sqrt(models)``; 0 sets no models aside. Sides of
            fewer than 30 models never have one.
        seed: joins the digest of the samples in drawing the pilot; None leaves the digest alone,
            so that nobody can choose the draw.

    Example:
        >>> from estimators.lower._rank_grid import RankGrid
        >>> RankGrid(pilot=0.0).words()
        'rank grid without a pilot'

    References:
        `estimators.lower._rank_test` for the exact law, `estimators.lower._rank_scan` for the
        inversion.
    """

    pilot: float = 0.8
    seed: int | None = None
    pools: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.pilot <= 100.0:
            raise ValueError(f"pilot: expected a number in [0, 100], found {self.pilot}")
        if self.seed is not None and self.seed < 0:
            raise ValueError(f"seed: expected None or an integer of at least 0, found {self.seed}")

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence within and between the samples; nothing else."""
        return ("models are independent, within and between the two populations",)

    def words(self) -> str:
        """The method in words."""
        if not self.pilot:
            return "rank grid without a pilot"
        drawn = "the samples' digest" if self.seed is None else f"their digest and seed {self.seed}"
        return f"rank grid with a pilot of {self.pilot:g} sqrt(models) a side drawn by {drawn}"

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
    ) -> Float[np.ndarray, "e j"]:
        """Bound on ``sup_R P(R) - e^epsilon Q(R)`` for each observable."""
        return self._solve(p, q, "delta", epsilon, 1.0 - confidence, ("forward",))[0]

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
        """The bound of samples that do not overlap at all."""
        return np.array([_reach(self, n, m, float(e), 1.0 - confidence) for e in epsilon])

    def _both(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        scanned: Literal["epsilon", "delta"],
        fixed: Float[np.ndarray, " e"],
        confidence: float,
    ) -> BothWays:
        alpha = 1.0 - confidence
        (bound,) = self._solve(p, q, scanned, fixed, alpha, ("either",))
        forward, backward = self._solve(p, q, scanned, fixed, alpha / 2.0, ("forward", "backward"))
        if scanned == "delta":
            zero = fixed == 0.0
            forward[zero] = backward[zero] = bound[zero]
        return BothWays(forward, backward, bound)

    def _solve(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        scanned: Literal["epsilon", "delta"],
        fixed: Float[np.ndarray, " e"],
        alpha: float,
        directions: tuple[Literal["forward", "backward", "either"], ...],
    ) -> list[Float[np.ndarray, "e j"]]:
        out = [np.zeros((fixed.size, p.shape[1])) for _ in directions]
        step = max(_BLOCK // max(p.shape[0], q.shape[0]), 1)
        aside = pilot_size(p.shape[0], self.pilot), pilot_size(q.shape[0], self.pilot)
        if min(aside) > 0:
            p, q = shuffled(p, q, self.seed)
        else:
            aside = (0, 0)
        for first in range(0, p.shape[1], step):
            block = slice(first, first + step)
            self._block(
                p[:, block],
                q[:, block],
                aside,
                scanned,
                fixed,
                alpha,
                directions,
                [v[:, block] for v in out],
            )
        return out

    def _block(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        aside: tuple[int, int],
        scanned: Literal["epsilon", "delta"],
        fixed: Float[np.ndarray, " e"],
        alpha: float,
        directions: tuple[Literal["forward", "backward", "either"], ...],
        out: list[Float[np.ndarray, "e j"]],
    ) -> None:
        pilot_p, pilot_q, p, q = p[: aside[0]], q[: aside[1]], p[aside[0] :], q[aside[1] :]
        evidence = np.zeros(p.shape[1], dtype=np.int64)
        letters = np.zeros(p.shape[1], dtype=bool)
        if aside[0]:
            evidence = levels(orientation(pilot_p, pilot_q))
            letters = tied(pilot_p, pilot_q)
        for kind in np.unique(evidence[~letters]):
            columns = np.flatnonzero((evidence == kind) & ~letters)
            counts = count_beyond(p[:, columns], q[:, columns])
            share = UP_SHARES[int(kind)]
            for direction, values in zip(directions, out, strict=True):
                for e, value in enumerate(fixed):
                    if direction == "backward":
                        found = scan(
                            counts.swapped(), scanned, value, "forward", 1.0 - share, alpha
                        )
                    else:
                        found = scan(counts, scanned, value, direction, share, alpha)
                    values[e, columns] = found
        for j in np.flatnonzero(letters):
            sides = (p[:, j], q[:, j], pilot_p[:, j], pilot_q[:, j])
            for direction, values in zip(directions, out, strict=True):
                for e, value in enumerate(fixed):
                    values[e, j] = _letters(*sides, scanned, value, direction, alpha)


@lru_cache(maxsize=1024)
def _reach(method: RankGrid, n: int, m: int, epsilon: float, alpha: float) -> float:
    best = 0.0
    for spread in (0.0, 1.0):
        p, q = 2.0 + spread * np.linspace(0, 1, n), -spread * np.linspace(0, 1, m)
        (found,) = method._solve(
            p[:, None], q[:, None], "delta", np.array([epsilon]), alpha, ("either",)
        )
        best = max(best, float(found[0, 0]))
    return best


def _letters(
    p: Float[np.ndarray, " n"],
    q: Float[np.ndarray, " m"],
    pilot_p: Float[np.ndarray, " r"],
    pilot_q: Float[np.ndarray, " s"],
    scanned: Literal["epsilon", "delta"],
    fixed: float,
    direction: Literal["forward", "backward", "either"],
    alpha: float,
) -> float:
    """One event, chosen on the pilot, for one direction or for both together."""
    if direction == "backward":
        return _letters(q, p, pilot_q, pilot_p, scanned, fixed, "forward", alpha)
    event = choose_event(pilot_p, pilot_q, p.size, q.size, scanned, fixed, direction)
    x, y = int(event.holds(p).sum()), int(event.holds(q).sum())
    return bound_event(x, p.size, y, q.size, event, scanned, fixed, alpha)
