"""What public functions ask for, checked at the door: a sentence, and no error from deep inside."""

from typing import Any

from estimators.kinds import check_kind
from oracles._population import Population
from oracles._scenario import Scenario


def check_scenario(found: Any, name: str = "scenario") -> None:
    """A scenario.

    Raises:
        TypeError: for anything else.
    """
    check_kind(found, name, Scenario, "a scenario, as oracles.scenarios.load makes it")


def check_population(found: Any, name: str) -> None:
    """A population.

    Raises:
        TypeError: for anything else.
    """
    made = "oracles.train, oracles.unlearn and the parts of oracles.references are"
    check_kind(found, name, Population, f"a population, as {made}")
