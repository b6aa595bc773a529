"""The pages of unlearners and scenarios: one each, as their docstrings and the table say."""

from typing import Any

import pandas as pd
import pytest

from indist import oracles
from tests.indist.helpers import DOCS, module_of

RESULTS = pd.read_csv(DOCS / "results" / "algorithms.csv")
EXACT = ("retrain", "sisa", "summation-form")
AWAITED = {"mnist-trigger"}
"""Scenarios that the study has not been run in since they were made; no part of one is there."""


@pytest.fixture(scope="module")
def maker() -> Any:
    return module_of(DOCS / "pages.py")


def test_pages_are_current(maker: Any) -> None:
    """When one is not: python docs/pages.py."""
    found = maker.pages(RESULTS)
    stored = {
        f"{f.parent.name}/{f.name}"
        for d in ("unlearners", "scenarios")
        for f in (DOCS / d).glob("*.md")
    }
    assert stored == set(found)
    for path, text in found.items():
        assert (DOCS / path).read_text() == text, path


def test_the_table_has_every_cell() -> None:
    methods = {*oracles.unlearners.UNLEARNERS, *oracles.ORACLES}
    assert not AWAITED & set(RESULTS["scenario"])
    for scenario in set(oracles.scenarios.SCENARIOS) - AWAITED:
        there = RESULTS[RESULTS["scenario"] == scenario]
        assert set(there["method"]) == methods
    assert (RESULTS["models"].dropna() >= 64).all()


def test_exact_methods_pass_as_untraining_in_the_table() -> None:
    exact = RESULTS[RESULTS["method"].isin(EXACT) & RESULTS["verdict"].notna()]
    assert len(exact) > 2 * len(EXACT)
    assert set(exact["verdict"]) <= {"untraining", "both"}


def test_no_claim_is_contradicted_in_the_table() -> None:
    claimed = RESULTS[RESULTS["claimed_epsilon"].notna()]
    assert len(claimed) >= 6
    assert "contradicted" not in set(claimed["finding"])


def test_false_claims_are_caught_in_the_table() -> None:
    sandwich = pd.read_csv(DOCS / "results" / "sandwich.csv")
    by_claim = {name: set(part["finding"]) for name, part in sandwich.groupby("claim")}
    assert "contradicted" not in by_claim["as it is"]
    assert "contradicted" in by_claim["epsilon divided by ten"]
    assert "contradicted" in by_claim["noise left out"]
