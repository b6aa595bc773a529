"""The main job on real data: what is true by construction is what the verdict says.

Each verdict of retraining is right with probability 0.95 at least (the audit's confidence) if the
sizes decide at all; the seeds are literal, so the outcome is the same on every run of one backend.
"""

import pytest

from indist import audits, oracles


def _audits(
    name: str, discovery: float, methods: tuple[str, ...]
) -> tuple[dict[str, audits.Audit], oracles.References]:
    scenario = oracles.scenarios.load(name, seed=0, discovery=discovery)
    references = oracles.references(scenario, models=256, seed=0)
    results: dict[str, audits.Audit] = {}
    for method in methods:
        made = oracles.unlearn(scenario, references.original, method=method, seed=1)
        results[method] = audits.audit(made, references, seed=0)
    return results, references


def test_partial_discovery_on_digits_with_a_trigger() -> None:
    results, _ = _audits("digits-trigger", 0.5, ("identity", "retrain", "retrain-behaviour"))
    assert {name: found.verdict for name, found in results.items()} == {
        "identity": "neither",
        "retrain": "untraining",
        "retrain-behaviour": "unlearning",
    }
    assert all(found.separation == "separated" for found in results.values())
    assert results["retrain"].nearest.reference == "untraining"
    assert results["retrain-behaviour"].nearest.reference == "unlearning"


@pytest.mark.parametrize(
    "name", ["circles", pytest.param("digits-trigger", marks=pytest.mark.slow)]
)
def test_full_discovery_makes_the_question_vacuous(name: str) -> None:
    results, _ = _audits(name, 1.0, ("retrain", "identity"))
    assert all(found.separation == "coincide" for found in results.values())
    assert results["retrain"].verdict == "both"
    assert results["identity"].verdict == "neither"
    assert "vacuous" in results["retrain"].sentence
