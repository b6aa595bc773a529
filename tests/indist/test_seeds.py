"""How many seeds: components of variance, many small audits at once, and the study around them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from indist import audits
from indist.studies.seeds._audits import Bounds, blocks, bounds, determined, gaps, verdicts
from indist.studies.seeds._components import Components, variance_components
from indist.studies.seeds._rows import (
    ComponentsRow,
    NearestRow,
    OmittedRow,
    RankingRow,
    VerdictsRow,
)
from indist.studies.seeds._seeds import Seeds
from oracles import Observations
from tests.indist.helpers import assert_goes_on


def test_components_are_the_textbook_sums_of_squares() -> None:
    values = np.random.default_rng(0).normal(size=(5, 3)) + np.arange(5.0)[:, None]
    grand = sum(float(x) for x in values.ravel()) / 15
    means = [sum(map(float, row)) / 3 for row in values]
    between = 3 * sum((mean - grand) ** 2 for mean in means) / 4
    within = sum(
        (float(x) - mean) ** 2 for row, mean in zip(values, means, strict=True) for x in row
    )
    within /= 10
    found = variance_components(values, confidence=0.95)
    assert found.unlearning == pytest.approx(within)
    assert found.training == pytest.approx((between - within) / 3)
    assert found.share == pytest.approx(within / (within + (between - within) / 3))
    # F tables: the upper 2.5 % points of F(4, 10) and F(10, 4) are 4.468 and 8.844.
    ratio = between / within
    assert found.high == pytest.approx(3 / (ratio / 4.468 + 2), rel=1e-3)
    assert found.low == pytest.approx(3 / (ratio * 8.844 + 2), rel=1e-3)


def test_the_share_lies_in_its_interval() -> None:
    """6 originals, 4 seeds, true share 0.2; exact for normal effects. False alarm: 2e-4."""
    rng, runs = np.random.default_rng(1), 600
    training = rng.normal(size=(runs, 6, 1)) * np.sqrt(0.8)
    values = training + rng.normal(size=(runs, 6, 4)) * np.sqrt(0.2)
    found = [variance_components(layout, confidence=0.9) for layout in values]
    held = sum(components.low <= 0.2 <= components.high for components in found)
    assert binom.ppf(1e-4, runs, 0.9) <= held <= binom.ppf(1 - 1e-4, runs, 0.9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1.0, 1.0], [3.0, 3.0]], Components(2.0, 0.0, 0.0, 0.0, 0.0)),
        ([[1.0, 1.0], [1.0, 1.0]], Components(0.0, 0.0, None, 0.0, 1.0)),
    ],
)
def test_effects_that_are_missing(values: list[list[float]], expected: Components) -> None:
    assert variance_components(np.array(values), confidence=0.95) == expected


def test_originals_that_do_not_differ() -> None:
    found = variance_components(np.array([[0.0, 1.0], [1.0, 0.0]]), confidence=0.95)
    assert (found.training, found.unlearning, found.share, found.high) == (0.0, 0.5, 1.0, 1.0)


def test_one_seed_has_no_components() -> None:
    with pytest.raises(ValueError, match="at least 2 originals and 2 seeds, found 3 and 1"):
        variance_components(np.ones((3, 1)), confidence=0.95)


def seen(margins: np.ndarray) -> Observations:
    """Models whose margin on the one probe of each group is given, ``[models, 2]``."""
    logits = np.stack([margins, np.zeros_like(margins)], axis=2).astype(np.float32)
    groups = np.array(["forget", "test"])
    return Observations(logits, np.zeros(2, dtype=np.int32), groups, groups)


def test_many_audits_are_as_each_alone() -> None:
    rng = np.random.default_rng(2)
    size, most = 150, 3
    pools = {
        name: rng.normal(size=(size * most, 2)).astype(np.float32) + np.float32([shift, 0.0])
        for name, shift in (("submission", 0.0), ("untraining", 0.0), ("unlearning", 4.0))
    }
    cut = {name: blocks(pool.astype(float), size, most) for name, pool in pools.items()}
    pairs = (
        ("submission", "untraining", 0.025),
        ("submission", "unlearning", 0.025),
        ("untraining", "unlearning", 0.05),
    )

    def found(part: slice) -> list[Bounds]:
        return [bounds(cut[a][part], cut[b][part], epsilon=1.0, level=c) for a, b, c in pairs]

    together = found(slice(None))
    told = verdicts((together[0], together[1]), together[2], 0.15)
    for block in range(most):
        parts = {name: seen(pool[size * block :][:size]) for name, pool in pools.items()}
        references = audits.ObservedReferences(parts["untraining"], parts["unlearning"])
        audit = audits.audit(
            parts["submission"], references, epsilon=1.0, tolerance=0.15, observables=None
        )
        compared = (audit.untraining, audit.unlearning, audit.references)
        alone = found(slice(block, block + 1))
        for single, every, comparison in zip(alone, together, compared, strict=True):
            assert single.lower[0] == pytest.approx(comparison.lower, abs=1e-9)
            assert single.upper[0] == pytest.approx(comparison.upper, abs=1e-9)
            # Side by side the pilot of the lower bound is another draw.
            assert every.upper[block] == single.upper[0]
            assert every.lower[block] == pytest.approx(single.lower[0], abs=0.1)
        assert told[block] == audit.verdict
    assert "untraining" in told


def test_blocks_share_no_model() -> None:
    found = blocks(np.arange(22.0).reshape(11, 2), 3, 99)
    assert found.shape == (3, 3, 2)
    assert sorted(found.ravel()) == list(range(18))
    assert len(blocks(np.zeros((11, 2)), 3, 2)) == 2


def test_the_gap_of_two_populations() -> None:
    first = np.array([[[0.9, 0.5], [0.7, 0.5]], [[0.0, 1.0], [0.0, 1.0]]])
    second = np.array([[[0.6, 0.4], [0.6, 0.8]], [[0.5, 0.5], [0.5, 0.5]]])
    assert gaps(first, second) == pytest.approx([(0.2 + 0.1) / 2, 0.5])


def test_an_order_is_known_only_where_models_show_it() -> None:
    rng = np.random.default_rng(3)
    reference, near, far = (
        np.clip(middle + 0.05 * rng.normal(size=(64, 3)), 0, 1) for middle in (0.5, 0.55, 0.7)
    )
    asked = {"draws": 200, "confidence": 0.95, "seed": 0}
    assert determined([near, far], reference, **asked) == -1
    assert determined([far, near], reference, **asked) == 1
    assert determined([near, near], reference, **asked) == 0


FEW: dict[str, Any] = {
    "models": 3,
    "sizes": (1, 2, 8),
    "compared": 16,
    "originals": 4,
    "unlearning_seeds": 2,
    # Of seeds 0 to 2 the one at which 16 models suffice to order the two methods.
    "seed": 1,
    "scenarios": ("logistic-3v8",),
    "methods": ("identity", "random-label"),
}


def test_a_study_goes_on_where_it_stopped(tmp_path: Path) -> None:
    study = Seeds(**FEW)
    rows = list(study.run(tmp_path))
    assert_goes_on(
        study, tmp_path, rows, "logistic-3v8/audits.json", "logistic-3v8/heuristics.json"
    )
    # 24 models in each pool leave open what is true; one model tells A(D∖S) from A(D∖B) here.
    omitted = {row.method: row for row in rows if isinstance(row, OmittedRow)}
    assert (omitted["retrain"].part, omitted["retrain"].models) == ("verdict", 24)
    assert omitted["retrain"].not_applicable.startswith("what is true is open even")
    nearest = {(row.method, row.models): row.counts for row in rows if isinstance(row, NearestRow)}
    assert nearest["retrain", 1].audits == 24
    assert nearest["retrain-behaviour", 8].audits == 3
    for counts in nearest.values():
        assert counts.right + counts.wrong + counts.inconclusive == counts.audits
    # The identity has no randomness of its own: all variance is of the originals.
    components = [row for row in rows if isinstance(row, ComponentsRow)]
    assert [row.share for row in components if row.method == "identity"] == [0.0, 0.0]
    assert [row.models for row in rows if isinstance(row, RankingRow)] == [1, 2]
    assert len(study.table(rows)) == len(rows)
    assert len(study.shown(rows)) == 3
    assert study.answer(rows)[0].startswith("No verdict is known to be the right one")
    with pytest.raises(ValueError, match=r"audits\.json: was made with other settings"):
        next(Seeds(**FEW | {"tolerance": 0.1}).run(tmp_path))


WHERE: dict[str, Any] = {"scenario": "circles"}


def audited(method: str, models: int, right: int, wrong: int, audits: int) -> VerdictsRow:
    counts = Seeds()._counts(right, wrong, audits)
    return VerdictsRow(
        **WHERE, method=method, models=models, truth="untraining", counts=counts, width=0.2
    )


def components(group: str, share: float, low: float, high: float) -> ComponentsRow:
    return ComponentsRow(
        **WHERE, method="npo", models=32, group=group, share=share, low=low, high=high, finding=""
    )


def test_limits_are_those_of_clopper_and_pearson() -> None:
    counts = audited("retrain", 8, 59, 0, 59).counts
    assert counts.right_at_least == pytest.approx(0.05 ** (1 / 59))
    assert counts.wrong_at_most == pytest.approx(1 - 0.05 ** (1 / 59))


def test_answers_follow_from_the_rows() -> None:
    nearest = NearestRow(
        **WHERE, method="retrain", truth="untraining", models=1, counts=Seeds()._counts(90, 10, 100)
    )
    ranking = RankingRow(
        **WHERE,
        method="pairs of heuristics",
        models=1,
        pairs=3,
        audits=9,
        share=0.21,
        low=0.1,
        high=0.3,
        finding="",
    )
    rows = [
        audited("retrain", 64, 30, 0, 64),
        audited("retrain", 128, 64, 0, 64),
        audited("identity", 64, 1, 0, 16),
        audited("identity", 128, 8, 0, 8),
        audited("retrain-behaviour", 128, 5, 2, 8),
        nearest,
        ranking,
        components("forget", 0.7, 0.55, 0.8),
        components("test", 0.3, 0.1, 0.6),
    ]
    words = Seeds().answer(rows)
    assert "retrain in circles 128;" in words[0]
    assert (
        "identity in circles undetermined (8 right, 0 wrong of 8 with 128; a pool of about "
        "7,552 models could show it)"
    ) in words[0]
    assert "retrain-behaviour in circles not reached with 128 (5 right, 2 wrong of 8)" in words[0]
    assert words[1].startswith("Of all 160 audits, of every size, 2 gave a wrong verdict")
    assert "10 of 100 in circles (at most 16.4 %)" in words[2]
    assert "in circles in a share of 0.21 [0.10, 0.30] with 1 model" in words[3]
    assert (
        "median 0.50; it is shown to be the larger part in 1 of 2 cases and the smaller in 0"
        in words[4]
    )
    assert [len(lines) for lines in Seeds().shown(rows).values()] == [3, 1, 1, 1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": ()}, r"sizes: expected to increase from at least 1, found \(\)"),
        ({"sizes": (4, 2)}, r"sizes: expected to increase .*found \(4, 2\)"),
        ({"originals": 1}, r"originals: expected 2 to 256, found 1"),
        ({"originals": 300}, r"originals: expected 2 to 256, found 300"),
        ({"unlearning_seeds": 1}, r"unlearning_seeds: expected at least 2, found 1"),
        ({"methods": ("scrubb",)}, r"method: expected one of identity.*found 'scrubb'"),
        ({"scenarios": ("circle",)}, r"scenario: expected one of .*found 'circle'"),
        ({"models": 0}, r"models: expected at least 1, found 0"),
    ],
)
def test_bad_settings_of_the_study_of_seeds(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Seeds(**settings)
