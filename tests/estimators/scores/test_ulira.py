from typing import Any, Literal

import numpy as np
import pytest
from scipy import stats

from estimators.scores._ulira import ulira, ulira_log_ratios, ulira_per_example, ulira_value


def plain_gaussian(at: float, fit: np.ndarray, floor: float) -> float:
    return float(stats.norm.logpdf(at, fit.mean(), max(fit.std(ddof=1), floor)))


def plain_kernel(at: float, fit: np.ndarray, floor: float) -> float:
    # Six models are the smaller side.
    width = max(fit.std(ddof=1), floor) * 6**-0.2
    return float(np.log(np.mean([stats.norm.pdf(at, x, width) for x in fit])))


@pytest.mark.parametrize("density", ["gaussian", "kde"])
def test_agrees_with_fits_that_leave_one_out(density: Literal["gaussian", "kde"]) -> None:
    draw = np.random.default_rng(3)
    p, q = draw.normal(1, 1, (6, 3)), draw.normal(0, 2, (9, 3))
    log = plain_gaussian if density == "gaussian" else plain_kernel
    ours, theirs = ulira_log_ratios(p, q, density=density)
    for j in range(3):
        a, b = p[:, j], q[:, j]
        floor = 1e-3 * (max(a.max(), b.max()) - min(a.min(), b.min()))
        for i in range(6):
            plain = log(a[i], np.delete(a, i), floor) - log(a[i], b, floor)
            assert ours[i, j] == pytest.approx(plain)
        for i in range(9):
            plain = log(b[i], a, floor) - log(b[i], np.delete(b, i), floor)
            assert theirs[i, j] == pytest.approx(plain)


def test_two_gaussians_give_the_known_accuracy() -> None:
    draw = np.random.default_rng(5)
    p, q = draw.normal(1.4, 1, (400, 60)), draw.normal(0, 1, (400, 60))
    # 4 standard errors of 60 x 800 scores, and the fit's own loss of about 1 / N.
    truth = stats.norm.cdf(0.7)
    assert ulira_value(p, q) == pytest.approx(truth, abs=4 * np.sqrt(0.18 / 48000) + 0.002)
    power = stats.norm.cdf(1.4 - stats.norm.isf(0.05))
    # The threshold is an order statistic of 400: 4 standard errors of 60 of them.
    assert ulira_value(p, q, fpr=0.05) == pytest.approx(power, abs=4 * 0.05 / np.sqrt(60) + 0.005)


def in_sample_accuracy(p: np.ndarray, q: np.ndarray) -> float:
    """What some published code does: score the models that the densities were fitted to."""
    total = 0.0
    for a, b in zip(p.T, q.T, strict=True):
        ratio = stats.norm(a.mean(), a.std(ddof=1)), stats.norm(b.mean(), b.std(ddof=1))
        total += np.mean(ratio[0].logpdf(a) > ratio[1].logpdf(a)) / 2
        total += np.mean(ratio[0].logpdf(b) < ratio[1].logpdf(b)) / 2
    return total / p.shape[1]


def null_values(models: int) -> tuple[float, float]:
    draw = np.random.default_rng(7)
    p, q = draw.normal(size=(models, 300)), draw.normal(size=(models, 300))
    return float(ulira_value(p, q)), in_sample_accuracy(p, q)


def test_equal_populations_look_equal_only_out_of_sample() -> None:
    ours, theirs = null_values(64)
    # An example's accuracy has a deviation of about 0.05: 4 standard errors of 300 examples.
    assert ours < 0.5 + 4 * 0.05 / np.sqrt(300)
    assert theirs > 0.52


@pytest.mark.slow
@pytest.mark.parametrize("models", [64, 128, 256, 512])
def test_null_at_full_size(models: int) -> None:
    ours, _ = null_values(models)
    assert abs(ours - 0.5) < 0.03 * np.sqrt(64 / models)


def test_correctness_bits_and_constants_give_no_nan() -> None:
    # Zero deviation is NaN in published code that fits Gaussians to 0/1 correctness.
    p, q = np.ones((8, 3)), np.ones((8, 3))
    q[:, 1] = 0.0
    q[0, 2] = 0.0
    for density in ("gaussian", "kde"):
        each = ulira_per_example(p, q, density=density)
        assert np.isfinite(each).all()
        assert each[0] == 0.5
        assert each[1] == 1.0


def test_variant_and_negatives_are_repeated() -> None:
    draw = np.random.default_rng(11)
    p, q = draw.normal(1, 1, (12, 4)), draw.normal(size=(12, 4))
    result = ulira(p, q, seed=0, density="kde", negatives="unlearned elsewhere")
    assert result.negatives == "unlearned elsewhere"
    assert "kde, negatives unlearned elsewhere" in str(result)
    assert result.estimate == pytest.approx(result.per_example.mean())
    assert len(result.examples()) == 4
    ends = result.confidence_interval
    assert ends.low < result.estimate < ends.high
    rare = ulira(p, q, seed=0, fpr=0.01)
    assert rare.warnings == ("12 negatives cannot show an FPR of 0.01",)
    assert rare.ideal == 0.01


def test_refuses_bad_input() -> None:
    ones = np.ones((5, 2))
    with pytest.raises(ValueError, match="reference: expected at least 3 models, found 2"):
        ulira_value(ones, ones[:2])
    with pytest.raises(ValueError, match=r"fpr: expected a number in \(0, 1\), found 0"):
        ulira_value(ones, ones, fpr=0.0)


@pytest.mark.parametrize("density", ["gaussian", "kde"])
def test_confidences_have_squares(density: Any) -> None:
    ours, theirs = np.random.default_rng(0).normal(size=(2, 6, 3))
    ours[2, 1] = 1e308
    for given in ((ours, theirs), (theirs, ours)):
        with pytest.raises(ValueError, match=r": expected numbers in \[-1e150, 1e150\], found "):
            ulira_value(*given, density=density)
