"""The level that references share where they lie far apart, and what would break the rule."""

import math

import numpy as np
import pytest

from audits import GroupMedians, ObservedReferences, audit
from audits.verdict._columns import Block
from audits.verdict._sharing import SHARE, least_separation, shared_level
from estimators import RankGrid, pooled_delta_upper_bound
from estimators.exact import chance_of_rejection
from estimators.exact._exact_test import rejected_counts
from oracles import Observations
from tests.audits.conftest import World

FAR = {"forget": 12.0}


def block(t: np.ndarray, u: np.ndarray) -> Block:
    return Block(("a",) * t.shape[1], ("",) * t.shape[1], t, u)


def test_chance_of_rejection_is_that_of_the_region_on_a_fine_grid() -> None:
    n, m, c, tested, alpha = 30, 20, 1.5, 0.2, 0.05
    region = rejected_counts(n, m, c, tested, alpha)
    x, y = np.arange(n + 1), np.arange(m + 1)
    for difference in (0.2, 0.25, 0.4):
        q = np.linspace(0.0, (1.0 - difference) / c, 4001)[:, None]
        p = c * q + difference

        def law(count: np.ndarray, total: int, rate: np.ndarray) -> np.ndarray:
            ways = np.array([math.comb(total, int(k)) for k in count])
            return ways * rate**count * (1.0 - rate) ** (total - count)

        below = np.cumsum(law(x, n, np.minimum(p, 1.0)), axis=1)
        held = np.where(region >= 0, below[:, np.maximum(region, 0)], 0.0)
        slow = float((law(y, m, q) * held).sum(axis=1).max())
        found = chance_of_rejection(n, m, c, tested, alpha, difference)
        assert slow <= found <= min(1.5 * slow, alpha)


def test_chance_falls_with_the_difference_and_starts_at_the_level() -> None:
    chances = [chance_of_rejection(64, 128, 1.0, 0.2, 0.05, 0.2 + 0.05 * k) for k in range(8)]
    assert chances[0] == 0.05
    assert all(b < a for a, b in zip(chances, chances[1:], strict=False))


@pytest.mark.parametrize("epsilon", [0.0, 1.0])
def test_condition_of_the_proof_holds_between_its_cells(epsilon: float) -> None:
    sizes, tolerance, alpha = (50, 60, 90), 0.2, 0.05
    needed = least_separation(*sizes, epsilon, tolerance, alpha)
    assert needed is not None
    factor = math.exp(epsilon)
    s = 1.0 - factor * (1.0 - needed)
    level = (1.0 - SHARE) * alpha

    def chance(reference: int, difference: float) -> float:
        if difference <= tolerance:
            return level
        return max(
            chance_of_rejection(n, m, factor, tolerance, level, difference)
            for n, m in ((sizes[0], reference), (reference, sizes[0]))
        )

    for h in np.linspace(tolerance, s - tolerance, 47):
        # A hair's breadth for s, which was rounded on its way through the distance.
        both = chance(sizes[1], float(h)) + chance(sizes[2], float(s - h) - 1e-9)
        assert both <= alpha + 1e-9, h


def test_two_brackets_of_the_proof_sum_to_what_it_says() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        t, u, p = rng.random(3)
        c = 1.0 + 3.0 * rng.random()
        summed = ((1.0 - p) - c * (1.0 - t)) + (p - c * u)
        assert summed == pytest.approx(1.0 - c * (1.0 - (t - u)))


def test_references_midway_do_not_share_and_far_ones_do() -> None:
    rng = np.random.default_rng(1)
    t, u = (rng.random((400, 1)) < 0.3) * 1.0, (rng.random((400, 1)) < 0.7) * 1.0
    settings = {
        "epsilon": 0.0,
        "tolerance": 0.2,
        "alpha": 0.05,
        "method": RankGrid(seed=0, two_sided=False),
    }
    sharing, levels = shared_level(block(t, u), 400, **settings)
    assert sharing is not None
    assert not sharing.shared
    rest = 0.05 * (1.0 - SHARE)
    assert levels == (rest / 2.0, rest)
    sharing, levels = shared_level(block(t, t + 5.0), 400, **settings)
    assert sharing is not None
    assert sharing.shared
    assert levels == (rest,)
    # No distance would do: twice the tolerance is beyond the greatest sum of both brackets.
    assert shared_level(block(t, t + 5.0), 400, **(settings | {"tolerance": 0.6})) == (
        None,
        (0.025,),
    )


def test_submission_midway_matches_both_rarely_enough() -> None:
    # 2,000 audits of one binary observable with T, P, U at .3, .5002 and .7004: both false matches.
    # The false alarm rate of the limit, alpha and three standard errors, is .0013.
    rng, alpha, repeats = np.random.default_rng(2), 0.05, 2000
    region = rejected_counts(96, 96, 1.0, 0.2, alpha * (1.0 - SHARE) / 2.0)
    t, p, u = (rng.binomial(96, rate, repeats) for rate in (0.3, 0.5002, 0.7004))

    def matched(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        ways = [(first, second), (second, first), (96 - first, 96 - second)]
        ways.append((96 - second, 96 - first))
        return np.all([a <= region[b] for a, b in ways], axis=0)

    # Never far enough apart, so that each of the two has half of the level.
    needed = least_separation(96, 96, 96, 0.0, 0.2, alpha)
    assert needed is not None
    assert needed > 0.45
    wrong = (matched(p, t) | matched(p, u)).mean()
    assert wrong <= alpha + 3.0 * math.sqrt(alpha * (1.0 - alpha) / repeats)


def test_audit_says_how_the_level_was_shared_and_uses_it(world: World) -> None:
    references = ObservedReferences(world(1, models=120), world(2, FAR, models=120))
    found = audit(world(3, models=120), references, observables=(GroupMedians(),), seed=0)
    assert found.sharing is not None
    assert found.sharing.shared
    assert found.untraining.confidence == pytest.approx(1.0 - 0.05 * (1.0 - SHARE))
    assert "nearly all of the level serves each of them" in " ".join(str(found).split())
    columns = [_medians(found.observations[name]) for name in ("submission", "untraining")]
    bound = pooled_delta_upper_bound(
        *columns, epsilon=1.0, confidence=found.untraining.confidence, at=(0.2,)
    ).bound
    assert found.untraining.upper == float(bound)
    near = ObservedReferences(world(1, models=120), world(2, {"forget": 1.0}, models=120))
    apart = audit(world(3, models=120), near, observables=(GroupMedians(),), seed=0)
    assert apart.sharing is not None
    assert not apart.sharing.shared
    assert apart.untraining.confidence == pytest.approx(1.0 - 0.025 * (1.0 - SHARE))
    assert "each has half of it" in " ".join(str(apart).split())


GROUPS = ("forget", "behaviour", "near", "test")


def _medians(seen: Observations) -> np.ndarray:
    return np.stack([np.median(seen.margins[:, seen.groups == g], axis=1) for g in GROUPS], axis=1)


def test_calibrated_tolerance_never_shares(world: World) -> None:
    references = ObservedReferences(world(1, models=120), world(2, FAR, models=120))
    found = audit(world(3, models=120), references, tolerance="calibrated", seed=0)
    assert found.sharing is None
    # Either bound could make a claim false, on whichever side of the truth the tolerance falls.
    assert found.untraining.confidence == 0.9875
