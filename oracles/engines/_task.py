"""Tasks: what an engine carries out to make the models of a population, each from its index."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import flax.linen as nn
import numpy as np
from jaxtyping import Int

Program = Callable[[Any, Any], Any]
"""``program(own, shared)`` of one model: its own arguments and those common to all models."""


@runtime_checkable
class Task(Protocol):
    """How the models of one population are made; whole in itself, so that a worker can be sent it.

    Model k depends on the recipe and k alone.
    """

    @property
    def title(self) -> str:
        """What is being made, for the progress bar."""
        ...

    @property
    def recipe(self) -> Mapping[str, Any]:
        """All that the bits of the models depend on, as JSON values; ``width`` among it."""
        ...

    @property
    def module(self) -> nn.Module:
        """What is made, which may say how many of it a CPU should make at a time."""
        ...

    def program(self) -> Program:
        """Of one model: ``(own, shared)`` to a tree of arrays; one object for equal tasks."""
        ...

    def arguments(self, models: Int[np.ndarray, " width"]) -> Any:
        """The own arguments of given models, models first."""
        ...

    def shared(self) -> Any:
        """The arguments common to all models."""
        ...

    def arrays(self, models: Int[np.ndarray, " some"], made: Any) -> Mapping[str, np.ndarray]:
        """What is kept of some models, from what the program made of them; models first."""
        ...
