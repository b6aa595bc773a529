import numpy as np
import pytest

from audits.verdict._nearest import nearest


def named(
    shifts: tuple[float, float, float], models: int, repeats: int, seed: int, epsilon: float = 0.0
) -> list[str | None]:
    rng = np.random.default_rng(seed)
    found: list[str | None] = []
    for repeat in range(repeats):
        parts = [rng.normal(size=(models, 3)) for _ in shifts]
        for part, shift in zip(parts, shifts, strict=True):
            part[:, 0] += shift
        result = nearest(*parts, epsilon=epsilon, confidence=0.95, seed=repeat)
        found.append(result.reference)
    return found


def test_far_from_one_it_names_the_other() -> None:
    assert set(named((0.0, 0.0, 2.0), 60, 10, seed=0)) == {"untraining"}
    assert set(named((0.0, 2.0, 0.0), 60, 10, seed=1)) == {"unlearning"}


# A bootstrap is right for many models only, hence a limit of 10 % for a nominal 5 %; at 5 % the
# test fails by chance with probability 0.001 (binomial, 150 repeats).
@pytest.mark.parametrize("shifts", [(0.0, -1.0, 1.0), (0.0, 0.0, 0.0), (0.0, 2.0, 2.0)])
def test_equidistant_references_are_seldom_told_apart(shifts: tuple[float, float, float]) -> None:
    found = named(shifts, 60, 150, seed=2)
    assert sum(name is not None for name in found) <= 0.10 * len(found)


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [0.0, 1.0])
@pytest.mark.parametrize("models", [30, 200])
@pytest.mark.parametrize("shifts", [(0.0, -0.5, 0.5), (0.0, -2.0, 2.0), (0.0, 2.0, 2.0)])
def test_equidistant_references_at_full_size(
    shifts: tuple[float, float, float], models: int, epsilon: float
) -> None:
    found = named(shifts, models, 400, seed=3, epsilon=epsilon)
    # 5 % and three binomial standard errors, 0.1 % false alarms each.
    assert sum(name is not None for name in found) <= 0.083 * len(found)


def test_exchanging_the_references_changes_the_sign() -> None:
    rng = np.random.default_rng(4)
    p, t, u = rng.normal(size=(3, 40, 2)) + np.array([0.0, 0.3, 1.0])[:, None, None]
    one = nearest(p, t, u, epsilon=0.5, confidence=0.9, seed=7)
    other = nearest(p, u, t, epsilon=0.5, confidence=0.9, seed=7)
    assert one.difference == -other.difference
    assert one.low <= one.difference <= one.high


def test_one_model_says_nothing() -> None:
    one, many = np.zeros((1, 1)), np.linspace(5, 6, 30)[:, None]
    result = nearest(one, one, many, epsilon=0.0, confidence=0.95, seed=0)
    assert result.reference is None
    assert (result.low, result.high) == (-1.0, 1.0)


def test_the_seed_fixes_the_interval() -> None:
    rng = np.random.default_rng(5)
    parts = rng.normal(size=(3, 30, 2))
    runs = [nearest(*parts, epsilon=0.0, confidence=0.95, seed=11) for _ in range(2)]
    assert runs[0] == runs[1]
