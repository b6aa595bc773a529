import numpy as np
import pytest
from scipy.stats import spearmanr

from estimators import datamodel, linear_datamodeling_score
from tests.estimators.pairs import limit


def world(seed: int, models: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    included = rng.random((models, 30)) < 0.7
    effects = np.random.default_rng(0).normal(size=(30, 8)) * (np.arange(30)[:, None] < 6)
    return included, included @ effects + noise * rng.normal(size=(models, 8))


def test_dual_solution_is_the_primal_one() -> None:
    included, margin = world(1, 80, 1.0)
    found = datamodel(included, margin, penalty=2.0)
    mask, values = included - included.mean(axis=0), margin - margin.mean(axis=0)
    primal = np.linalg.solve(mask.T @ mask + 2.0 * np.eye(30), mask.T @ values)
    np.testing.assert_allclose(found.coefficients, primal, atol=1e-10)
    np.testing.assert_allclose(
        found.predict(included), mask @ primal + margin.mean(axis=0), atol=1e-10
    )


def test_no_penalty_is_least_squares() -> None:
    included, margin = world(2, 200, 0.5)
    design = np.column_stack([np.ones(200), included])
    wanted = np.linalg.lstsq(design, margin, rcond=None)[0][1:]
    found = datamodel(included, margin, penalty=0.0)
    np.testing.assert_allclose(found.coefficients, wanted, atol=1e-8)


def test_more_examples_than_models_and_constant_columns() -> None:
    included, margin = world(3, 12, 0.5)
    included[:, 3] = True
    found = datamodel(included, margin, penalty=0.0)
    assert np.isfinite(found.coefficients).all()
    assert (np.abs(found.coefficients[3]) < 1e-9).all()
    np.testing.assert_allclose(found.predict(included), margin, atol=1e-6)


def test_penalty_is_chosen_by_generalised_cross_validation() -> None:
    included, margin = world(4, 60, 2.0)
    chosen = datamodel(included, margin).penalty
    mask, values = included - included.mean(axis=0), margin - margin.mean(axis=0)

    def error(penalty: float) -> float:
        hat = mask @ np.linalg.solve(mask.T @ mask + penalty * np.eye(30), mask.T)
        left = np.eye(60) - hat
        return float(((left @ values) ** 2).sum() / np.trace(left) ** 2)

    assert all(error(chosen) <= error(chosen * factor) for factor in (0.3, 3.0))


def test_score_is_spearmans_and_reaches_its_ceiling() -> None:
    included, margin = world(5, 600, 1.0)
    held, seen = world(6, 400, 1.0)
    truth = world(6, 400, 0.0)[1]
    again = truth + np.random.default_rng(7).normal(size=seen.shape)
    predicted = datamodel(included, margin).predict(held)
    score = linear_datamodeling_score(predicted, seen, replicate=again)
    for target in range(8):
        wanted = spearmanr(predicted[:, target], seen[:, target]).statistic
        assert score.by_target[target] == pytest.approx(wanted, abs=1e-12)
    assert score.ceiling is not None
    # The world is linear: what is left to the ceiling is estimation error, about p/K of a variance.
    assert score.ceiling - 0.05 < score.estimate < score.ceiling + 0.03
    assert score.confidence_interval.low < score.estimate < score.confidence_interval.high
    assert "noise ceiling" in str(score)


def test_the_jackknife_covers() -> None:
    hits, repeats = 0, 150
    rng = np.random.default_rng(8)
    first = rng.normal(size=(40_000, 1))
    truth = float(spearmanr(first, first + rng.normal(size=first.shape)).statistic)
    for _ in range(repeats):
        signal = rng.normal(size=(80, 1))
        ends = linear_datamodeling_score(
            signal, signal + rng.normal(size=(80, 1))
        ).confidence_interval
        hits += bool(ends.low <= truth <= ends.high)
    # Nominal 95 %; four binomial standard errors below it 1 time in 30,000.
    assert hits / repeats > 1 - limit(repeats, errors=4)


def test_constant_targets_score_nothing_and_are_said() -> None:
    rng = np.random.default_rng(9)
    score = linear_datamodeling_score(rng.normal(size=(50, 2)), np.tile([[1.0, 2.0]], (50, 1)))
    assert score.estimate == 0.0
    assert "2 targets have the same outcome" in score.warnings[0]
    assert score.ceiling is None
    assert score.undetermined


def test_constant_predictions_are_undetermined_and_said() -> None:
    draw = np.random.default_rng(12)
    seen = draw.normal(size=(50, 3))
    score = linear_datamodeling_score(np.zeros((50, 3)), seen)
    ends = score.confidence_interval
    assert (score.estimate, float(ends.low), float(ends.high)) == (0.0, -1.0, 1.0)
    assert score.undetermined
    assert "3 targets have the same prediction in all models" in score.warnings[0]
    assert "undetermined" in str(score)
    some = linear_datamodeling_score(seen * [1.0, 0.0, 1.0], seen)
    assert not some.undetermined
    assert some.estimate == pytest.approx(2 / 3)
    assert "1 targets have the same prediction" in some.warnings[0]


def test_predictions_take_a_mask_and_nothing_else() -> None:
    included, margin = world(13, 50, 1.0)
    fit = datamodel(included, margin)
    np.testing.assert_array_equal(fit.predict(included * 1), fit.predict(included))
    wrong = included * 1.0
    wrong[3, 2] = np.nan
    with pytest.raises(ValueError, match="included: expected booleans or 0 and 1, found nan"):
        fit.predict(wrong)
    with pytest.raises(
        ValueError, match=r"included: expected booleans \[50, \d+\], found \[50, 2\]"
    ):
        fit.predict(included[:, :2])


def test_bad_input() -> None:
    included, margin = world(10, 50, 1.0)
    with pytest.raises(ValueError, match="expected at least 3 models, found 2"):
        datamodel(included[:2], margin[:2])
    with pytest.raises(ValueError, match="penalty: expected a number of at least 0, found -1"):
        datamodel(included, margin, penalty=-1.0)
    with pytest.raises(ValueError, match="outcome: expected .* as the predictions"):
        linear_datamodeling_score(margin, margin[:, :2])
    with pytest.raises(ValueError, match="predicted: expected at least 40 models, found 30"):
        linear_datamodeling_score(margin[:30], margin[:30])
    with pytest.raises(ValueError, match="replicate: expected finite numbers"):
        linear_datamodeling_score(margin, margin, replicate=np.where(margin > 1, np.nan, margin))
