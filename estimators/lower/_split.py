"""A split that chooses one observable among many, so that only one pays."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from estimators.exact._frontier import half_line_counts
from estimators.lower._fixed_event import expected_bound
from estimators.lower._held_out import HeldOut, LearnedScore, ScoreChooser
from estimators.lower._rank_test import Direction
from estimators.lower._target import Target


@dataclass(frozen=True)
class Split(HeldOut):
    """Some models choose the observable, the others bound it.

    The observable chosen is the one with the greatest expected bound over its half-lines, in both
    orientations, at the sizes of the other part. Its rank tests on the other models have the whole
    level: nothing is paid for the observables passed over, however many.

    Attributes:
        fraction: share of each side that chooses, in (0, 1).
        swap: the two parts take turns, each at half the level.
        seed: joins the digest of the samples in drawing the split; None leaves the digest alone,
            so that nobody can choose the draw.

    Raises:
        ValueError: when a setting lies outside its range.

    Example:
        >>> from estimators.lower._split import Split
        >>> Split(fraction=0.2, seed=1).words()
        'one observable chosen on 20% of the models drawn by their digest and seed 1; rank tests'

    References:
        `estimators.lower._held_out.HeldOut` for validity.
    """

    fraction: float = 0.2
    swap: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        self._check()

    def words(self) -> str:
        """The method in words."""
        return f"one observable chosen on {self._drawn()}; rank tests"

    def _learn(
        self, p: Float[np.ndarray, "r j"], q: Float[np.ndarray, "s j"], n: int, m: int
    ) -> ScoreChooser:
        above_p, above_q = half_line_counts(p, q)
        held_p = np.concatenate([above_p, p.shape[0] - above_p])
        held_q = np.concatenate([above_q, q.shape[0] - above_q])
        rates = (held_p + 0.5) / (p.shape[0] + 1.0), (held_q + 0.5) / (q.shape[0] + 1.0)

        def score_for(target: Target, direction: Direction) -> LearnedScore:
            return _column(_best_column(*rates, n, m, target, direction))

        return score_for


def _column(index: int) -> LearnedScore:
    def score(values: Float[np.ndarray, "n j"]) -> Float[np.ndarray, " n"]:
        return values[:, index]

    return score


def _best_column(
    rate_p: Float[np.ndarray, "v j"],
    rate_q: Float[np.ndarray, "v j"],
    n: int,
    m: int,
    target: Target,
    direction: Direction,
) -> int:
    """The observable that holds the event of the greatest expected bound."""
    if direction == "backward":
        rate_p, rate_q, n, m = rate_q, rate_p, m, n
    shares = (0.5, 1.0, 0.0) if direction == "either" else (1.0,)
    expected = [
        expected_bound(rate_p, rate_q, share, n, m, target)[2].max(axis=0) for share in shares
    ]
    return int(np.argmax(np.max(expected, axis=0)))
