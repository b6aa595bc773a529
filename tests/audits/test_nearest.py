"""Which reference is nearer: claimed only where bounds on both distances say so."""

import numpy as np
import pytest

from audits.verdict._columns import Block
from audits.verdict._nearest import nearest
from audits.verdict._results import Nearest
from estimators import RankGrid


def found(
    p: np.ndarray, t: np.ndarray, u: np.ndarray, epsilon: float = 0.0, confidence: float = 0.95
) -> Nearest:
    names = tuple(map(str, range(p.shape[1])))
    blocks = {
        "untraining": Block(names, ("",) * len(names), p, t),
        "unlearning": Block(names, ("",) * len(names), p, u),
    }
    return nearest(
        blocks,
        epsilon=epsilon,
        confidence=confidence,
        lower=RankGrid(seed=0, two_sided=False),
        estimates=(0.25, 0.75),
    )


def named(
    shifts: tuple[float, float, float],
    sizes: tuple[int, int, int],
    repeats: int,
    seed: int,
    epsilon: float = 0.0,
) -> list[str | None]:
    rng = np.random.default_rng(seed)
    references: list[str | None] = []
    for _ in range(repeats):
        parts = [rng.normal(size=(models, 3)) for models in sizes]
        for part, shift in zip(parts, shifts, strict=True):
            part[:, 0] += shift
        references.append(found(*parts, epsilon=epsilon).reference)
    return references


def test_far_from_one_it_names_the_other() -> None:
    assert set(named((0.0, 0.0, 3.0), (60, 60, 60), 10, seed=0)) == {"untraining"}
    assert set(named((0.0, 3.0, 0.0), (60, 60, 60), 10, seed=1)) == {"unlearning"}


# At 5 % the test fails by chance with probability 0.0004 (binomial, 150 repeats: more than 16).
# Three equal laws of 256, 32 and 512 models were once told apart in every draw.
@pytest.mark.parametrize("sizes", [(60, 60, 60), (256, 32, 512), (40, 400, 40)])
@pytest.mark.parametrize("shifts", [(0.0, -1.0, 1.0), (0.0, 0.0, 0.0), (0.0, 2.0, 2.0)])
def test_equidistant_references_are_not_told_apart(
    shifts: tuple[float, float, float], sizes: tuple[int, int, int]
) -> None:
    references = named(shifts, sizes, 150, seed=2)
    assert sum(name is not None for name in references) <= 16


def test_exchanging_the_references_exchanges_the_answer() -> None:
    rng = np.random.default_rng(4)
    p, t, u = rng.normal(size=(3, 90, 2)) + np.array([0.0, 0.3, 4.0])[:, None, None]
    assert found(p, t, u, epsilon=0.5).reference == "untraining"
    assert found(p, u, t, epsilon=0.5).reference == "unlearning"
    assert found(p, t, u).difference == -0.5


def test_one_model_says_nothing() -> None:
    one, many = np.zeros((1, 1)), np.linspace(5, 6, 30)[:, None]
    assert found(one, one, many).reference is None
