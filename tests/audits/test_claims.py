"""What stands beside a verdict: each claim at its level, and a line for each in the docs."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from audits import Audit, GroupMedians, ObservedReferences, audit, verify
from audits.verdict._least_alpha import LEVELS, least_alpha
from estimators import within_tolerance
from oracles import Observations
from oracles.mechanisms import gaussian_mu
from tests.audits.conftest import World

ROOT = Path(__file__).parents[2]
MEDIANS = (GroupMedians(),)
FAR = {"forget": 12.0, "behaviour": 12.0}


def of_margins(margins: np.ndarray) -> Observations:
    """Models of one probe of S with these margins."""
    logits = np.stack([margins, np.zeros_like(margins)], axis=1)[:, None, :].astype(np.float32)
    return Observations(logits, np.zeros(1, np.int32), np.array(["forget"]), np.array(["forget/0"]))


def of_places(
    rng: np.random.Generator, places: tuple[float, ...], *, models: int, **settings: Any
) -> Audit:
    """An audit at epsilon 0 of normal margins at three places: submission, T and A(D∖B)."""
    seen = [of_margins(rng.normal(size=models) + place) for place in places]
    references = ObservedReferences(seen[1], seen[2])
    return audit(seen[0], references, epsilon=0.0, observables=MEDIANS, **settings)


def test_every_claim_names_a_test_that_is_there() -> None:
    text = (ROOT / "docs" / "statistics" / "verdict.md").read_text(encoding="utf-8")
    table = text[text.index("## Everything beside the verdict") :]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 18
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for path, test in named:
            assert re.search(rf"^def {test}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), row


# 5 % of 300 is 15; more than 27 have probability .001.
def test_references_at_the_tolerance_are_seldom_said_to_coincide() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.random((2, 128, 300, 1))
    called = within_tolerance(
        (p < 0.5002).astype(float), (q < 0.3).astype(float), epsilon=0.0, tolerance=0.2
    )
    assert called.sum() <= 27


# 5 % of 25 is 1.25; more than 5 have probability .0006. `benchmarks/claims.py calibrated` has more.
def test_calibrated_audits_err_rarely() -> None:
    rng = np.random.default_rng(1)
    apart = gaussian_mu(0.0, 0.3)
    errors = 0
    for seed in range(25):
        places = (apart, 0.0, 4.0)
        found = of_places(rng, places, models=48, tolerance="calibrated", seed=seed)
        assert found.references.confidence == pytest.approx(0.975)
        tolerance = found.declaration.tolerance
        for comparison, gap in ((found.untraining, apart), (found.unlearning, 4.0 - apart)):
            distance = 2.0 * norm.cdf(gap / 2.0) - 1.0
            match, differ = comparison.decision == "match", comparison.decision == "differ"
            errors += bool((match and distance > tolerance) or (differ and distance <= tolerance))
    assert errors <= 5


def test_least_level_is_the_first_below_which_the_verdict_falls() -> None:
    for place, level in enumerate(LEVELS):
        holds = LEVELS[: place + 1]
        found = least_alpha("neither", 0.05, lambda a, k=holds: "neither" if a in k else "both")
        assert found == level
    assert least_alpha("inconclusive", 0.05, lambda _: "inconclusive") is None
    assert least_alpha("both", 0.05, lambda _: "neither") == 0.05
    # A level that is not below the declared one is no finding.
    assert least_alpha("both", 0.0005, lambda _: "both") == 1e-4
    assert all(low < high for high, low in pairwise(LEVELS))


# Just within the tolerance "neither" is false: 1 % of 30 verdicts is .3, more than 3 with a
# least level of .01 have probability .0002.
def test_least_levels_of_false_verdicts_are_seldom_small() -> None:
    rng = np.random.default_rng(2)
    just_within = gaussian_mu(0.0, 0.199)
    small = 0
    for seed in range(30):
        found = of_places(rng, (just_within, 0.0, 9.0), models=100, seed=seed)
        least = found.least_alpha
        small += found.verdict == "neither" and least is not None and least <= 0.01
    assert small <= 3


@pytest.fixture(scope="module")
def far(world: World) -> Audit:
    references = ObservedReferences(world(1, models=80), world(2, FAR, models=80))
    return audit(world(3, models=80), references, observables=MEDIANS, seed=0)


def test_clear_verdict_stands_at_small_levels(far: Audit) -> None:
    assert far.verdict == "inconclusive" or far.least_alpha is not None
    text = " ".join(str(far).split())
    if far.least_alpha is not None and far.least_alpha < 0.05:
        assert "the same verdict would be reached at every level tried down to" in text


def test_coinciding_references_have_an_error_of_their_own(world: World) -> None:
    same = ObservedReferences(world(1, models=200), world(2, models=200))
    found = audit(world(3, models=200), same, observables=MEDIANS, seed=0)
    assert found.separation == "coincide"
    assert "That the references coincide is another claim, wrong with probability" in found.scope
    assert (
        "another claim"
        not in audit(
            world(3, models=60),
            ObservedReferences(world(1), world(2, FAR)),
            observables=MEDIANS,
            seed=0,
        ).scope
    )


@pytest.mark.parametrize("seen", [True, False, None])
def test_report_says_who_could_see_the_references(
    seen: bool | None, world: World, tmp_path: Path
) -> None:
    references = ObservedReferences(world(1), world(2, FAR))
    found = audit(world(3), references, observables=MEDIANS, seed=0, references_seen=seen)
    assert found.declaration.references_seen is seen
    assert any("fitted to them passes" in text for text in found.warnings) == bool(seen)
    found.report(tmp_path / "out")
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    words = {
        None: "nobody has said whether the submitter could see them",
        True: "the submitter could see them before handing in",
        False: "declared to have been kept from the submitter until hand-in",
    }
    assert words[seen] in text
    assert "That nobody has fitted the submission to these references." in text
    assert verify(tmp_path / "out") == []


def test_seed_is_drawn_anew_and_recorded(world: World, tmp_path: Path) -> None:
    references = ObservedReferences(world(1), world(2, FAR))
    first, other = (audit(world(3), references, observables=MEDIANS) for _ in range(2))
    assert first.declaration.seed != other.declaration.seed
    first.report(tmp_path / "out")
    assert verify(tmp_path / "out") == []
    with pytest.raises(ValueError, match="already holds another result"):
        other.report(tmp_path / "out")


def test_grades_stand_in_the_table(world: World) -> None:
    away = {"forget": 0.0, "behaviour": 12.0}
    references = ObservedReferences(
        world(1, away, models=80), world(2, models=80), world(4, FAR, models=80)
    )
    found = audit(world(3, {"forget": 6.0}, models=80), references, observables=MEDIANS, seed=0)
    table = found.to_dataframe()
    row = table[
        (table["first"] == "submission")
        & (table["second"] == "untraining")
        & (table["observable"] == "median margin on forget")
    ].iloc[0]
    assert row["shift"] == pytest.approx(6.0, abs=1.0)
    assert row["auc"] > 0.99
    assert row["auc_low"] < row["auc"] <= row["auc_high"]
    assert row["progress_low"] < row["progress"] < row["progress_high"]
    assert row["progress"] == pytest.approx(0.5, abs=0.1)
    shifts = table["shift"].to_numpy()
    assert np.isnan(shifts[(table["first"] != "submission").to_numpy()]).all()
    # One model, and models without any spread.
    flat = ObservedReferences(of_margins(np.zeros(40)), of_margins(np.full(40, 5.0)))
    flat_found = audit(of_margins(np.ones(40)), flat, observables=MEDIANS, seed=0)
    assert {row.shift for row in flat_found.shifts} == {None}
    assert "no spread" in str(flat_found)


@pytest.mark.parametrize("epsilon", [0.0, 25.5, 50.0])
def test_every_epsilon_of_the_range_is_audited(epsilon: float, world: World) -> None:
    references = ObservedReferences(world(1, models=12), world(2, FAR, models=12))
    found = audit(world(3, models=12), references, epsilon=epsilon, observables=MEDIANS, seed=0)
    assert found.untraining.curve.epsilon.max() <= 50.0
    assert epsilon in found.untraining.curve.epsilon


def test_a_look_has_its_part_of_alpha_for_all_that_is_claimed(world: World) -> None:
    references = ObservedReferences(
        world(1, models=64), world(2, FAR, models=64), world(4, FAR, models=64)
    )
    whole, look = (
        audit(world(3, models=64), references, observables=MEDIANS, seed=0, looks=looks)
        for looks in (None, (64, 128))
    )
    for one, other in zip(whole.shifts, look.shifts, strict=True):
        assert one.auc_high - one.auc_low < other.auc_high - other.auc_low or one.auc in (0.0, 1.0)
    assert whole.over_unlearned is not None
    assert look.over_unlearned is not None
    assert whole.over_unlearned.high < look.over_unlearned.high


def test_few_models_are_not_said_to_have_nothing_to_make_progress_on(world: World) -> None:
    references = ObservedReferences(
        world(1, models=8), world(2, FAR, models=8), world(4, FAR, models=8)
    )
    found = audit(world(3, models=8), references, observables=MEDIANS, seed=0)
    (row,) = (
        row for row in found.progress if (row.start, row.reference, row.group)
        == ("original", "untraining", "forget")
    )  # fmt: skip
    assert row.estimate is not None
    assert row.low is None
    assert "(too few models)" in str(found)
    assert max(map(len, str(found).splitlines())) <= 100
