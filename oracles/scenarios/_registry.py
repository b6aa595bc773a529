"""Scenarios by name, and from files that describe the user's own data."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import PurePath
from typing import Any, Protocol, runtime_checkable

from estimators.checks import check_seed
from estimators.kinds import check_kind, check_name
from oracles._scenario import Scenario
from oracles.scenarios._cancer_source import CancerSource
from oracles.scenarios._circles import Circles
from oracles.scenarios._digits_class import DigitsClass
from oracles.scenarios._digits_memorized import DigitsMemorized, DigitsTypical
from oracles.scenarios._digits_random_labels import DigitsRandomLabels
from oracles.scenarios._digits_subclass import DigitsSubclass
from oracles.scenarios._digits_swap import DigitsSwap
from oracles.scenarios._digits_trigger import DigitsTrigger
from oracles.scenarios._from_file import from_file
from oracles.scenarios._logistic_3v8 import Logistic3v8
from oracles.scenarios._mnist_trigger import MnistTrigger
from oracles.scenarios._sequences import Sequences


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
    "cancer-source": CancerSource,
    "circles": Circles,
    "digits-class": DigitsClass,
    "digits-memorized": DigitsMemorized,
    "digits-random-labels": DigitsRandomLabels,
    "digits-subclass": DigitsSubclass,
    "digits-swap": DigitsSwap,
    "digits-trigger": DigitsTrigger,
    "digits-typical": DigitsTypical,
    "logistic-3v8": Logistic3v8,
    "mnist-trigger": MnistTrigger,
    "sequences": Sequences,
}
"""Name to settings class."""


def load(
    name: str | PurePath,
    *,
    seed: int,
    learner: str | None = None,
    learner_settings: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Scenario:
    """Builds a scenario by name, or from a file that describes your own data.

    Args:
        name: a key of `SCENARIOS`, or the path of a scenario file, which ends in ``.toml``.
        seed: seed of the data split and of the choice of S; no default.
        learner: another learner than the scenario's own, as `oracles.learners.make` takes it.
        learner_settings: its settings.
        **settings: knobs of that scenario, such as ``discovery=0.5``.

    Returns:
        The scenario, equal on every machine for equal arguments.

    Raises:
        ValueError: for an unknown name or knob (those that exist are listed), a bad value, or a
            file that cannot be read.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("digits-trigger", discovery=0.5, seed=0)
        >>> len(scenario.forget), len(scenario.behaviour), len(scenario.train)
        (30, 60, 1297)
    """
    seed = check_seed(seed)
    check_kind(name, "scenario", (str, PurePath), "a name or the path of a .toml file")
    name = str(name)
    scenario = _build(name, seed, settings)
    if learner is None:
        return scenario
    return scenario.with_learner(learner, **(learner_settings or {}))


def _build(name: str, seed: int, settings: Mapping[str, Any]) -> Scenario:
    if name.endswith(".toml"):
        return from_file(name, seed=seed, settings=settings)
    check_name(name, "scenario", SCENARIOS, also=" or a .toml file")
    kind = SCENARIOS[name]
    known = [field.name for field in fields(kind)]
    for knob in settings:
        check_name(knob, name, known, "knobs")
    return kind(seed=seed, **settings).build()
