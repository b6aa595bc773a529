"""Learners by name, and those of the user by entry point."""

import importlib
import inspect
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from estimators.kinds import check_declared, check_kind, check_name
from oracles._learner import Learner
from oracles._named import check_code
from oracles._probes import Examples
from oracles.learners._settings import (
    CnnSettings,
    DescentToDeleteSettings,
    LangevinSettings,
    LogisticSettings,
    MlpSettings,
    NaiveBayesSettings,
    NoisyFineTuningSettings,
    ObjectiveNoiseSettings,
    PrivateSettings,
    ResNetSettings,
    RewindToDeleteSettings,
    SisaSettings,
    TransformerSettings,
    WideResNetSettings,
)

Factory = Callable[..., Learner]
"""What a user's entry point is: ``factory(train, classes, **settings)``."""

LEARNERS: Mapping[str, type[Any]] = {
    "mlp": MlpSettings,
    "cnn": CnnSettings,
    "resnet": ResNetSettings,
    "wide-resnet": WideResNetSettings,
    "logistic": LogisticSettings,
    "transformer": TransformerSettings,
    "sisa": SisaSettings,
    "naive-bayes": NaiveBayesSettings,
    "private": PrivateSettings,
    "objective-noise": ObjectiveNoiseSettings,
    "langevin": LangevinSettings,
    "descent-to-delete": DescentToDeleteSettings,
    "rewind-to-delete": RewindToDeleteSettings,
    "noisy-fine-tuning": NoisyFineTuningSettings,
}
"""Name to settings class, a `LearnerSettings`."""


def make(name: str, train: Examples, classes: int, **settings: Any) -> Learner:
    """Makes a learner by name.

    Args:
        name: a key of `LEARNERS`, or the entry point ``package.module:factory`` of the user's own,
            which is imported and called: any flax module with any optax chain.
        train: the training set D, whose shape and size a learner may need.
        classes: number of classes.
        **settings: of that learner, such as ``hidden=(64, 64)``.

    Returns:
        The learner.

    Raises:
        ValueError: for an unknown name or setting (those that exist are listed), a value that the
            learner refuses, or an entry point that cannot be imported or makes no `Learner`.

    Example:
        >>> from indist import oracles
        >>> world = oracles.scenarios.load("circles", seed=0)
        >>> oracles.learners.make("logistic", world.train, world.classes, steps=10).steps
        10
    """
    made = built(name, train, classes, **settings)
    _check_trains(made, name, train, classes)
    return made


def built(name: str, train: Examples, classes: int, **settings: Any) -> Learner:
    """`make` without the look at whether the learner's shapes fit the training set."""
    check_kind(name, "learner", str, "the name of a learner")
    if ":" in name:
        factory, known = _imported(name)
    else:
        check_name(name, "learner", LEARNERS, also=" or package.module:factory")
        factory, known = _built_in(LEARNERS[name])
    for setting in settings if known is not None else ():
        check_name(setting, name, known or [], "settings")
    try:
        made = factory(train, classes, **settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"learner {name}: {error}") from None
    if not isinstance(made, Learner):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"learner {name}: expected a Learner, found {type(made).__name__}")
    return made


def _check_trains(learner: Learner, name: str, train: Examples, classes: int) -> None:
    """Refuses a learner whose shapes do not fit the training set, without any training."""
    every = np.ones(len(train), dtype=bool)

    def program(key: Any) -> Any:
        plan = learner.draw_plan(key, every)
        return learner.logits(learner.train(key, train.inputs, train.labels, plan), train.inputs)

    try:
        made = jax.eval_shape(program, jax.eval_shape(lambda: jax.random.key(0)))
    # What a module's own code may raise is not known.
    except Exception as error:
        why, shape = str(error).strip().partition("\n")[0], list(train.inputs.shape)
        raise ValueError(
            f"learner {name}: cannot train on inputs of shape {shape} ({type(error).__name__}: "
            f"{why[:200]})"
        ) from error
    if made.shape != (len(train), classes):
        raise ValueError(
            f"learner {name}: expected logits of shape {[len(train), classes]}, found "
            f"{list(made.shape)}"
        )


def _built_in(kind: type[Any]) -> tuple[Factory, list[str]]:
    """A settings class as a factory, and the names of its settings."""
    declared = {name: p.annotation for name, p in inspect.signature(kind).parameters.items()}

    def factory(train: Examples, classes: int, **settings: Any) -> Learner:
        for name, value in settings.items():
            # One layer may be said as its width alone.
            if declared[name] == Sequence[int] and isinstance(value, int):
                settings[name] = value = (value,)
            check_declared(value, name, declared[name])
        return kind(**settings).build(train, classes)

    return factory, list(declared)


@contextmanager
def _folder_searched() -> Generator[None]:
    """The current folder, searched last while code that somebody named in it is imported.

    At no other time: a file there must not be taken for a module that a library looks for.
    """
    folder = str(Path.cwd())
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _imported(name: str) -> tuple[Factory, list[str] | None]:
    """A user's factory, and the names of its settings, None when it takes any."""
    check_code(name)
    module, _, attribute = name.partition(":")
    try:
        with _folder_searched():
            factory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        why, top = str(error), module.partition(".")[0]
        if top in sys.stdlib_module_names:
            why += f"; Python's own module {top!r} was found: give a file of yours another name"
        raise ValueError(
            f"learner: expected an importable package.module:factory, found {name!r} ({why})"
        ) from None
    if not callable(factory):
        found = type(factory).__name__
        raise ValueError(f"learner: expected {name!r} to be callable, found {found}")
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError as error:
        raise ValueError(f"learner {name}: {error}") from None
    if any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters):
        return factory, None  # pyright: ignore[reportReturnType]
    known = [parameter.name for parameter in parameters if parameter.kind == parameter.KEYWORD_ONLY]
    return factory, known  # pyright: ignore[reportReturnType]
