"""Progress of medians: known answers, a slow twin, coverage with ties, few models, shared keys."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from estimators import progress
from estimators.curves._progress import SHARES


def test_known_places() -> None:
    rng = np.random.default_rng(0)
    start, end = rng.normal(0.0, 1.0, 400), rng.normal(10.0, 1.0, 400)
    for place in (-5.0, 0.0, 5.0, 10.0, 15.0):
        found = progress(rng.normal(place, 1.0, 400), start, end)
        assert found.estimate == pytest.approx(place / 10.0, abs=0.05)
        assert found.confidence_interval.low <= place / 10.0 <= found.confidence_interval.high
        assert bool(found.nearer) == (place > 5.0)
    # The way back: the reference lies below the original.
    back = progress(rng.normal(7.5, 1.0, 400), end, start)
    assert back.estimate == pytest.approx(0.25, abs=0.05)


def test_it_does_not_depend_on_place_scale_or_direction() -> None:
    rng = np.random.default_rng(1)
    p, o, r = (rng.normal(place, 1.0, 60) for place in (1.0, 0.0, 4.0))
    first, other = progress(p, o, r), progress(3.0 - 2.0 * p, 3.0 - 2.0 * o, 3.0 - 2.0 * r)
    assert first.estimate == pytest.approx(float(other.estimate))
    for name in ("low", "high"):
        ends = [getattr(found.confidence_interval, name) for found in (first, other)]
        assert ends[0] == pytest.approx(float(ends[1]))


def test_interval_is_the_extreme_of_a_fine_grid_of_the_box() -> None:
    rng = np.random.default_rng(2)
    p, o, r = (rng.normal(place, 1.0, 80) for place in (2.0, 0.0, 3.0))
    found = progress(p, o, r)
    sides: list[np.ndarray] = []
    for sample, share in zip((p, o, r), SHARES, strict=True):
        k = max(k for k in range(1, 41) if binom.cdf(k - 1, 80, 0.5) <= share * 0.05 / 2.0)
        ordered = np.sort(sample)
        sides.append(np.linspace(ordered[k - 1], ordered[80 - k], 21))
    ratios = [(a - b) / (c - b) for a, b, c in product(*sides)]
    assert found.confidence_interval.low == pytest.approx(min(ratios))
    assert found.confidence_interval.high == pytest.approx(max(ratios))


def test_nothing_to_make_progress_on_is_an_answer() -> None:
    rng = np.random.default_rng(3)
    p, o, r = rng.normal(size=(3, 100))
    found = progress(p, o, r)
    assert found.nothing
    assert math.isnan(found.estimate)
    assert (found.confidence_interval.low, found.confidence_interval.high) == (-math.inf, math.inf)
    assert not found.nearer
    # Too few models, however far apart they are.
    few = progress(np.zeros(3), np.zeros(3), np.ones(3))
    assert not few.nothing
    assert few.estimate == 0.0
    assert few.confidence_interval.high == math.inf
    # Constant populations apart are known to the point.
    sure = progress(np.ones(40), np.zeros(40), np.full(40, 2.0))
    assert sure.estimate == 0.5
    assert sure.confidence_interval.low == pytest.approx(0.5)
    assert not sure.nearer


def test_observables_keep_their_shape() -> None:
    rng = np.random.default_rng(4)
    found = progress(*(rng.normal(place, 1.0, (50, 2, 3)) for place in (0.0, 0.0, 9.0)))
    assert found.estimate.shape == found.nothing.shape == (2, 3)
    assert len(found.to_dataframe()) == 6
    assert "progress from the original (0) to the reference (1)" in str(found)


def test_bad_input_is_refused() -> None:
    good = np.zeros(10)
    with pytest.raises(ValueError, match="observables"):
        progress(np.zeros((10, 2)), good, good)
    with pytest.raises(ValueError, match="finite"):
        progress(good, good, np.array([math.nan] * 10))
    with pytest.raises(ValueError, match="confidence"):
        progress(good, good, good, confidence=1.0)


# Limits are the nominal 5 % and three standard errors: a false alarm in .00135 of cells.
@pytest.mark.parametrize("models", [8, 16, 64, 512])
@pytest.mark.parametrize("kind", ["normal", "ties", "skewed", "shared"])
def test_coverage(models: int, kind: str) -> None:
    repeats = 2000
    rng = np.random.default_rng(5)
    places = np.array([3.0, 0.0, 4.0])
    size = (3, models, repeats)
    if kind == "shared":
        # Model k of each population has the same key: their noise is one and the same.
        noise = np.repeat(rng.normal(size=size[1:])[None], 3, axis=0)
    elif kind == "skewed":
        noise = rng.exponential(size=size) - math.log(2.0)
    else:
        noise = rng.normal(size=size)
    samples = places[:, None, None] + noise
    if kind == "ties":
        # Rounded to whole numbers: the medians stay at the places.
        samples = np.round(samples)
    p, o, r = samples
    found = progress(p, o, r)
    missed = (found.confidence_interval.low > 0.75) | (found.confidence_interval.high < 0.75)
    assert missed.mean() <= 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / repeats)
    if models >= 64:
        assert not found.nothing.any()
        # It is no interval that holds everything.
        assert np.isfinite(found.confidence_interval.high).all()
