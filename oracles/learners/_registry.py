"""Learners by name, and those of the user by entry point."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from oracles._learner import Learner
from oracles._probes import Examples
from oracles.learners._plain import cnn, logistic, mlp, transformer
from oracles.learners._special import (
    descent_to_delete,
    langevin,
    naive_bayes,
    noisy_fine_tuning,
    objective_noise,
    private,
    rewind_to_delete,
    sisa,
)

Factory = Callable[..., Learner]
"""``factory(train, classes, **settings)``."""

LEARNERS: Mapping[str, Factory] = {
    "mlp": mlp,
    "cnn": cnn,
    "logistic": logistic,
    "transformer": transformer,
    "sisa": sisa,
    "naive-bayes": naive_bayes,
    "private": private,
    "objective-noise": objective_noise,
    "langevin": langevin,
    "descent-to-delete": descent_to_delete,
    "rewind-to-delete": rewind_to_delete,
    "noisy-fine-tuning": noisy_fine_tuning,
}
"""Name to factory."""


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
    factory = _imported(name) if ":" in name else LEARNERS.get(name)
    if factory is None:
        raise ValueError(
            f"learner: expected one of {', '.join(LEARNERS)} or package.module:factory, "
            f"found {name!r}"
        )
    try:
        accepted = inspect.signature(factory).parameters.values()
    except ValueError as error:
        raise ValueError(f"learner {name}: {error}") from None
    known = [entry.name for entry in accepted if entry.kind == entry.KEYWORD_ONLY]
    if not any(entry.kind == entry.VAR_KEYWORD for entry in accepted):
        for setting in settings:
            if setting not in known:
                listed = ", ".join(known) or "none"
                raise ValueError(f"{name}: expected settings {listed}, found {setting!r}")
    try:
        made = factory(train, classes, **settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"learner {name}: {error}") from None
    if not isinstance(made, Learner):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"learner {name}: expected a Learner, found {type(made).__name__}")
    return made


def _imported(name: str) -> Factory:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"learner: expected an importable package.module:factory, found {name!r} ({error})"
        ) from None
    if not callable(found):
        raise ValueError(f"learner: expected {name!r} to be callable, found {type(found).__name__}")
    return found  # pyright: ignore[reportReturnType]
