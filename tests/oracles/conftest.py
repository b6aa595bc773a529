"""Small worlds that many tests share."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import optax
import pytest

from indist import oracles


def quick(scenario: oracles.Scenario, steps: int = 30) -> oracles.Scenario:
    """The same world with a learner that trains in a moment."""
    learner = oracles.Learner(
        oracles.MLP((8, scenario.classes)), partial(optax.sgd, 0.1, momentum=0.9), steps, 32
    )
    return replace(scenario, learner=learner)


@pytest.fixture(scope="session")
def circles() -> oracles.Scenario:
    return quick(oracles.scenarios.load("circles", seed=0))


@pytest.fixture(scope="session")
def circles_references(circles: oracles.Scenario) -> oracles.References:
    return oracles.references(circles, models=6, seed=0)


Home = tuple[oracles.Scenario, oracles.References]

_FEW_STEPS: dict[str, dict[str, Any]] = {
    "sisa": {"steps": 30, "hidden": 8},
    "private": {"steps": 5},
    "langevin": {"steps": 50},
    "noisy-fine-tuning": {"steps": 20, "noisy_steps": 5, "free_steps": 20},
}


@pytest.fixture(scope="session")
def home(
    circles: oracles.Scenario, circles_references: oracles.References
) -> Callable[[str], Home]:
    """The world of a method: circles, with the learner that the method is about."""

    @cache
    def world(learner: str | None) -> Home:
        if learner is None:
            return circles, circles_references
        scenario = circles.with_learner(learner, **_FEW_STEPS.get(learner, {}))
        return scenario, oracles.references(scenario, models=6, seed=0)

    return lambda method: world(getattr(oracles.unlearners.UNLEARNERS[method], "learner", None))
