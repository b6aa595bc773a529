import numpy as np
import pytest
from scipy import stats

from estimators.scores._lira import lira_scores, rmia_scores


@pytest.mark.parametrize("variance", ["each", "shared"])
def test_lira_agrees_with_plain_fits(variance: str) -> None:
    draw = np.random.default_rng(3)
    included = draw.random((20, 4)) < 0.5
    shadows, target = draw.normal(size=(20, 4)) + included, draw.normal(size=(3, 4))
    found = lira_scores(target, shadows, included, variance=variance)  # pyright: ignore[reportArgumentType]
    arms = [[shadows[included[:, j] == side, j] for j in range(4)] for side in (True, False)]
    shared = [
        np.sqrt(sum(((a - a.mean()) ** 2).sum() for a in arm) / sum(len(a) - 1 for a in arm))
        for arm in arms
    ]
    for i in range(3):
        for j in range(4):
            logs = []
            for arm, one in zip(arms, shared, strict=True):
                deviation = one if variance == "shared" else arm[j].std(ddof=1)
                logs.append(stats.norm.logpdf(target[i, j], arm[j].mean(), deviation))
            assert found[i, j] == pytest.approx(logs[0] - logs[1])


def test_lira_with_constant_shadows_is_finite() -> None:
    included = np.arange(8)[:, None] % 2 == np.zeros((1, 2))
    found = lira_scores(np.ones((1, 2)), np.ones((8, 2)), included)
    assert (found == 0).all()


def plain_rmia(
    x: np.ndarray, z: np.ndarray, sx: np.ndarray, sz: np.ndarray, a: float | None, gamma: float
) -> np.ndarray:
    found = np.zeros(x.shape)
    for k in range(x.shape[0]):
        for i in range(x.shape[1]):
            for j in range(z.shape[1]):
                base, other = sx[:, i].mean(), sz[:, j].mean()
                if a is not None:
                    base, other = (0.5 * ((1 + a) * p + (1 - a)) for p in (base, other))
                ratio = (x[k, i] / base) / (z[k, j] / other)
                found[k, i] += (ratio >= gamma) / z.shape[1]
    return found


@pytest.mark.parametrize(("offline", "gamma"), [(None, 1.0), (0.3, 1.0), (0.3, 2.0)])
def test_rmia_agrees_with_the_plain_definition(offline: float | None, gamma: float) -> None:
    draw = np.random.default_rng(5)
    x, z = draw.uniform(0.1, 1, (3, 4)), draw.uniform(0.1, 1, (3, 9))
    sx, sz = draw.uniform(0.1, 1, (6, 4)), draw.uniform(0.1, 1, (6, 9))
    found = rmia_scores(x, z, sx, sz, offline=offline, gamma=gamma)
    np.testing.assert_allclose(found, plain_rmia(x, z, sx, sz, offline, gamma))


@pytest.mark.parametrize("offline", [None, 0.0, 0.3, 1.0])
def test_an_example_like_the_population_beats_it(offline: float | None) -> None:
    half = np.full((1, 1), 0.5)
    assert rmia_scores(half, half, half, half, offline=offline) == 1.0


def test_refuses_bad_input() -> None:
    ones, inside = np.ones((4, 2)), np.array([[True, False]] * 4)
    with pytest.raises(ValueError, match="included: expected at least 2 models in both arms"):
        lira_scores(ones, ones, inside)
    with pytest.raises(ValueError, match="expected the same examples"):
        lira_scores(ones[:, :1], ones, inside)
    with pytest.raises(ValueError, match="target: expected numbers in"):
        rmia_scores(0 * ones, ones, ones, ones)
    with pytest.raises(ValueError, match="expected the same models"):
        rmia_scores(ones, ones[:3], ones, ones)
    with pytest.raises(ValueError, match="expected the same examples"):
        rmia_scores(ones, ones, ones[:, :1], ones)
    with pytest.raises(ValueError, match="offline: expected a number in"):
        rmia_scores(ones, ones, ones, ones, offline=2.0)
    with pytest.raises(ValueError, match="gamma: expected a number over 0"):
        rmia_scores(ones, ones, ones, ones, gamma=0.0)


def test_confidences_have_squares() -> None:
    shadows, included = np.random.default_rng(0).normal(size=(8, 1)), np.arange(8)[:, None] < 4
    huge = np.array([[1e308]])
    with pytest.raises(ValueError, match=r"target: expected numbers in \[-1e150, 1e150\]"):
        lira_scores(huge, shadows, included)
    with pytest.raises(ValueError, match=r"shadows: expected numbers in \[-1e150, 1e150\]"):
        lira_scores(shadows[:1], np.where(shadows == shadows[3], huge, shadows), included)
