"""Weights of coins, from what one model says of each coin example: a declared grid of them."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from estimators.checks import check_all_within, check_within

# Each takes time, and a share of the level.
_MOST_PAIRS = 100
# The standard deviation of a normal law by its median distance from the median.
_NORMAL_SPREAD = 1.4826
# So small a part of the greatest distance is that of ties that were rounded apart.
_ROUNDED = 1e-12


@dataclass(frozen=True)
class CoinWeights:
    r"""What is declared of weights before any score is seen.

    Scores of one model are centred at their median and measured in their spread, z: the smaller one
    of their standard deviation and of 1.4826 times the median distance from the median, which agree
    where scores are normal, so that a few far ones decide nothing. Where the median distance is no
    more than 1e-12 of the greatest one, it is taken for rounding, and z is by the standard
    deviation: a score that is so far out hides what all others say, see `hiding`.
    A weight is $w = \mathrm{clip}(z - a, \pm b)$ for every pair of ``centres`` a and ``clips`` b:
    a small b looks at signs, a great one at the scores themselves. A share of the level belongs to
    the main pair (0, 1), a small one to the same turned around, for scores that are lower where an
    example was trained on, and the rest to the other pairs alike.

    Attributes:
        centres: values of a, in standard deviations; 0 among them.
        clips: values of b, in standard deviations; 1 among them; at most 100 pairs with centres.
        main: share of the pair (0, 1), in (0, 1).
        turned: share of that pair turned around, in (0, 1).

    Raises:
        ValueError: when a setting lies outside of its range, or the main pair is not there.
    """

    centres: tuple[float, ...] = (-1.0, -0.5, 0.0, 0.5, 1.0)
    clips: tuple[float, ...] = (0.25, 1.0, 3.0)
    main: float = 0.5
    turned: float = 0.02

    def __post_init__(self) -> None:
        check_within("(0, 1)", main=self.main, turned=self.turned)
        check_within("(0, 1)", shares=self.main + self.turned)
        check_all_within("(-inf, inf)", centres=self.centres)
        check_all_within("[1e-6, 1e6]", clips=self.clips)
        if len(self.centres) * len(self.clips) > _MOST_PAIRS:
            raise ValueError(
                f"centres and clips: expected at most {_MOST_PAIRS} pairs, found "
                f"{len(self.centres)} and {len(self.clips)}"
            )
        if 0.0 not in self.centres or 1.0 not in self.clips:
            raise ValueError(
                "centres and clips: expected 0 among the centres and 1 among the clips, found "
                f"{self.centres} and {self.clips}"
            )
        for name in ("centres", "clips"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: expected each once, found {values}")

    @property
    def _pairs(self) -> list[tuple[float, float, float]]:
        """(a, b, orientation) of each, the main pair first and then the turned one."""
        rest = [(a, b, 1.0) for a in self.centres for b in self.clips if (a, b) != (0.0, 1.0)]
        return [(0.0, 1.0, 1.0), (0.0, 1.0, -1.0), *rest]

    @property
    def shares(self) -> Float[np.ndarray, " weights"]:
        """Share of the level of each, the main pair first; they add up to 1 at most."""
        others = len(self._pairs) - 2
        rest = (1.0 - self.main - self.turned) / max(others, 1)
        return np.array([self.main, self.turned, *[rest] * others])

    def of(self, scores: Float[np.ndarray, " m"], steps: int) -> Int[np.ndarray, "weights m"]:
        """Weights of each coin, whole numbers.

        Args:
            scores: of one model, finite.
            steps: the greatest weight, so that weights have as many steps on either side of 0.

        Example:
            >>> CoinWeights((0.0,), (1.0,)).of(np.array([-9.0, 0.0, 9.0]), 100)[:2].tolist()
            [[-100, 0, 100], [100, 0, -100]]
        """
        z = _standardised(scores)
        return np.stack(
            [
                (sign * np.round(np.clip(z - a, -b, b) * (steps / b))).astype(np.int64)
                for a, b, sign in self._pairs
            ]
        )

    def hiding(self, scores: Float[np.ndarray, " m"]) -> int | None:
        """Which score is so far out that what the others say is lost beside it, or None.

        Args:
            scores: of one model, finite.

        Example:
            >>> CoinWeights().hiding(np.array([1.0, 2.0, 3.0, 1e300]))
            3
            >>> CoinWeights().hiding(np.array([1.0, 2.0, 3.0, 1e6])) is None
            True
        """
        # Halves, so that no difference leaves the range of numbers.
        centre = float(np.median(scores / 2.0))
        distances = np.abs(scores / 2.0 - centre)
        typical, greatest = float(np.median(distances)), float(distances.max())
        hidden = typical * _NORMAL_SPREAD <= _ROUNDED * greatest
        # Ties that were rounded apart say nothing that could be lost.
        return int(distances.argmax()) if hidden and typical > _ROUNDED * abs(centre) else None


def _standardised(scores: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Scores about their median in units of their spread; all 0 where there is none."""
    greatest = float(np.abs(scores).max())
    if greatest == 0.0 or np.ptp(scores / greatest) == 0.0:
        return np.zeros(scores.shape)
    # Halves of the greatest, so that neither differences nor squares leave the range of numbers.
    scaled = scores / greatest / 2.0
    centred = scaled - float(np.median(scaled))
    centred = centred / float(np.abs(centred).max())
    typical = _NORMAL_SPREAD * float(np.median(np.abs(centred)))
    spread = math.sqrt(float(centred.var()))
    return centred / (min(typical, spread) if typical > _ROUNDED else spread)
