"""The built-in scenarios: small frozen settings, each of which builds one world.

Example:
    >>> from indist import oracles
    >>> sorted(oracles.scenarios.SCENARIOS)
    ['circles', 'digits-class', 'digits-random-labels', 'digits-trigger']
    >>> oracles.scenarios.load("circles", discovery=0.25, seed=0).discovery
    0.25
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Protocol, runtime_checkable

from oracles._scenario import Scenario
from oracles.scenarios._circles import Circles
from oracles.scenarios._digits_class import DigitsClass
from oracles.scenarios._digits_random_labels import DigitsRandomLabels
from oracles.scenarios._digits_trigger import DigitsTrigger

__all__ = [
    "SCENARIOS",
    "Circles",
    "DigitsClass",
    "DigitsRandomLabels",
    "DigitsTrigger",
    "ScenarioSettings",
    "load",
]


@runtime_checkable
class ScenarioSettings(Protocol):
    """What the registry asks of a scenario's settings: a seed, a discovery fraction, `build`."""

    @property
    def seed(self) -> int:
        """Seed of the data split and of the choice of S."""
        ...

    @property
    def discovery(self) -> float:
        """The discovery fraction γ = |S| / |B| asked for."""
        ...

    def build(self) -> Scenario:
        """The scenario."""
        ...


SCENARIOS: Mapping[str, type[Any]] = {
    "circles": Circles,
    "digits-class": DigitsClass,
    "digits-random-labels": DigitsRandomLabels,
    "digits-trigger": DigitsTrigger,
}
"""Name to settings class."""


def load(name: str, *, seed: int, **settings: Any) -> Scenario:
    """Builds a scenario by name.

    Args:
        name: a key of `SCENARIOS`.
        seed: seed of the data split and of the choice of S; no default.
        **settings: knobs of that scenario, such as ``discovery=0.5``.

    Returns:
        The scenario, equal on every machine for equal arguments.

    Raises:
        ValueError: for an unknown name or knob (those that exist are listed), or a bad value.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("digits-trigger", discovery=0.5, seed=0)
        >>> len(scenario.forget), len(scenario.behaviour), len(scenario.train)
        (30, 60, 1297)
    """
    if name not in SCENARIOS:
        raise ValueError(f"scenario: expected one of {', '.join(SCENARIOS)}, found {name!r}")
    kind = SCENARIOS[name]
    known = [field.name for field in fields(kind)]
    for knob in settings:
        if knob not in known:
            raise ValueError(f"{name}: expected knobs {', '.join(known)}, found {knob!r}")
    return kind(seed=seed, **settings).build()
