"""Claims against samples: what is contradicted, how often wrongly, and how it reads."""

import math

import numpy as np
import pytest

from audits.claims._certify import ClaimMeasured, certify, claim_of
from estimators import delta_lower_bound, delta_upper_bound, epsilon_lower_bound
from oracles.mechanisms import Claim, Gaussian, RandomisedResponse

GAUSSIAN = Gaussian(1.0)


def draw(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    return GAUSSIAN.sample(np.random.default_rng(seed), n)


def test_claims_at_a_delta_or_an_epsilon() -> None:
    assert claim_of("gaussian", {"mu": "1.0"}, delta=1e-5) == GAUSSIAN.claim(1e-5)
    claim = claim_of("gaussian", {"mu": 1.0}, epsilon=0.0)
    assert (claim.epsilon, claim.delta) == (0.0, GAUSSIAN.delta(0.0))
    for both in ({}, {"delta": 1e-5, "epsilon": 1.0}):
        with pytest.raises(ValueError, match="delta and epsilon: expected exactly one of them"):
            claim_of("gaussian", {"mu": 1.0}, **both)


def test_the_sandwich_holds_the_truth() -> None:
    p, q = draw(0, 1_000)
    claim = GAUSSIAN.claim_at(0.5)
    found = certify(p, q, claim=claim)
    assert found.finding == "not contradicted"
    assert not found.contradicted
    assert 0.15 < found.delta_lower < claim.delta < found.delta_upper < 0.33
    assert 0.2 < found.epsilon_lower < claim.epsilon
    assert found.delta_lower < found.delta_reach < 1
    assert (found.n_p, found.n_q, found.confidence_level) == (1_000, 1_000, 0.95)


def test_numbers_are_those_of_the_estimators() -> None:
    p, q = draw(3, 300)
    wide = [np.stack([x, x[::-1] * 0 + 1, -x], axis=1) for x in (p, q)]
    found = certify(*wide, epsilon=0.5, delta=0.1, confidence=0.9)
    each = 1 - 0.1 / 3
    lower = delta_lower_bound(*wide, epsilon=0.5, confidence=each).bound
    np.testing.assert_array_equal(found.by_observable, lower)
    assert found.delta_lower == lower.max()
    assert found.delta_upper == delta_upper_bound(*wide, epsilon=0.5, confidence=0.9).bound.max()
    assert found.epsilon_lower == epsilon_lower_bound(*wide, delta=0.1, confidence=each).bound.max()
    assert found.finding == "no claim"
    assert found.observables == ("observable 0", "observable 1", "observable 2")
    named = certify(*wide, epsilon=0.5, observables=("a", "b", "c"))
    assert named.observables == ("a", "b", "c")
    assert named.epsilon_lower is None


@pytest.mark.parametrize("swap", [False, True])
def test_a_false_claim_is_contradicted_both_ways_round(swap: bool) -> None:
    p, q = draw(1, 500)
    claim = Claim(0.5, 1e-5)
    found = certify(q, p, claim=claim) if swap else certify(p, q, claim=claim)
    assert found.contradicted
    assert found.delta_lower > 1e-5
    assert found.epsilon_lower > 0.5
    assert found.sentence.startswith(
        "The claim (epsilon 0.5, delta 1e-05) is contradicted: with 95 % confidence, delta at "
        "epsilon 0.5 is at least 0."
    )


def test_what_no_data_could_contradict_is_said_so() -> None:
    p, q = np.zeros(10), np.ones(10)
    found = certify(p, q, claim=Claim(0.0, 0.9))
    assert found.finding == "cannot be contradicted"
    assert found.delta_reach <= 0.9
    assert "cannot be contradicted by 10 and 10 models: however far apart" in found.sentence
    far = certify(p, q, claim=Claim(80.0, 0.0))
    assert far.finding == "cannot be contradicted"
    assert far.delta_lower is None
    assert math.isfinite(far.epsilon_lower)
    nothing = certify(p, q, claim=Claim(math.inf, 1.0))
    assert nothing.finding == "cannot be contradicted"
    assert nothing.to_dataframe().empty
    assert certify(np.zeros(200), np.ones(200), claim=Claim(0.0, 0.9)).contradicted


def _wrong(observables: int, n: int, repeats: int) -> float:
    answers = RandomisedResponse(1.0)
    wrong = 0
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        # Independent noisy views beside the one that attains the claim.
        p, q = answers.sample(rng, n)
        views = [
            np.column_stack([x, x[:, None] + rng.normal(size=(n, observables - 1))]) for x in (p, q)
        ]
        wrong += certify(*views, claim=answers.claim_at(0.3)).contradicted
    return wrong / repeats


def test_true_claims_are_rarely_contradicted() -> None:
    # At most 5 %, with 3.5 sigma: false alarm 0.2 % at 12 repeats (4 or more of them).
    assert _wrong(2, 40, 12) <= 0.05 + 3.5 * math.sqrt(0.05 * 0.95 / 12)


@pytest.mark.slow
@pytest.mark.parametrize(("observables", "n"), [(1, 60), (4, 100)])
def test_true_claims_are_rarely_contradicted_at_full_size(observables: int, n: int) -> None:
    # At most 5 %, with 3 sigma: false alarm 0.13 % a case.
    assert _wrong(observables, n, 100) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 100)


def test_it_reads_as_a_sandwich() -> None:
    p, q = draw(0, 400)
    found = certify(p, q, claim=GAUSSIAN.claim(1e-3))
    table = found.to_dataframe()
    assert list(table.columns) == ["quantity", "kind", "value"]
    assert list(table["kind"]) == [
        "measured lower bound",
        "claim",
        f"measured upper bound ({found.events})",
        "measured lower bound",
        "claim",
    ]
    assert (table["value"].diff()[1:3] > 0).all()
    text = str(found)
    assert found.sentence in text
    assert "That does not prove the claim." in text
    assert "half-lines" in text
    assert all(f"assumes: {part}" in text for part in found.claim.assumptions)
    assert isinstance(found, ClaimMeasured)
    assert "<table" in found._repr_html_()
    bare = certify(p, q, delta=0.1)
    assert bare.sentence == "Measured on 400 and 400 models, each bound at 95 % confidence."
    assert list(bare.to_dataframe()["quantity"]) == ["epsilon at delta 0.1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "expected a claim, an epsilon or a delta to measure at, found none"),
        ({"claim": Claim(1.0, 0.1), "epsilon": 1.0}, "expected none beside a claim"),
        ({"epsilon": -1.0}, "epsilon"),
        ({"delta": 1.0}, "delta"),
        ({"epsilon": 1.0, "confidence": 1.0}, "confidence"),
        ({"epsilon": 1.0, "observables": ("a", "b")}, "observables: expected 1 names, found 2"),
    ],
)
def test_bad_input(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        certify(np.zeros(5), np.ones(5), **arguments)


def test_samples_must_fit() -> None:
    with pytest.raises(ValueError, match="expected the same observables"):
        certify(np.zeros((5, 2)), np.ones(5), epsilon=1.0)
    with pytest.raises(ValueError, match="p: expected finite numbers"):
        certify(np.array([np.nan]), np.ones(5), epsilon=1.0)
