"""Columns: what was looked at of each model of one population, or of two side by side."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from oracles import PROBE_GROUPS, Observations

MEDIAN_MARGIN = "median margin on "
"""How the names of columns begin that are a probe group's."""
MEAN_MARGIN = "mean margin of the "
"""How the names of columns begin that are a person's."""


def example_column(example: str) -> str:
    """What the margin of one example is called."""
    return f"margin of example {example}"


def person_column(person: str, count: int, group: str) -> str:
    """What the mean margin of so many examples of a person is called.

    Example:
        >>> person_column("Ada", 3, "forget")
        'mean margin of the 3 examples of person Ada in forget'
    """
    return f"{MEAN_MARGIN}{count} example{'s' * (count > 1)} of person {person} in {group}"


class Observables(NamedTuple):
    """Scalar functions of each model's observation.

    Attributes:
        names: what each column is, in words.
        groups: the probe group each column is read on; "all" for a column of several groups.
        values: ``[models, observables]``, finite.
        examples: the id of the probe that a column is the margin of, or the person whose examples'
            mean margin it is, or "" for other columns.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    values: Float[np.ndarray, "models observables"]
    examples: tuple[str, ...]

    def only(self, columns: list[int]) -> "Observables":
        """Some of the columns."""
        names, groups, examples = (
            tuple(entries[column] for column in columns)
            for entries in (self.names, self.groups, self.examples)
        )
        return Observables(names, groups, self.values[:, columns], examples)

    @staticmethod
    def join(parts: "list[Observables]") -> "Observables":
        """The columns of several, beside one another."""
        names, groups, values, examples = zip(*parts, strict=True)
        return Observables(
            tuple(name for part in names for name in part),
            tuple(group for part in groups for group in part),
            np.concatenate(values, axis=1),
            tuple(example for part in examples for example in part),
        )


class Block(NamedTuple):
    """Columns of two populations to be compared, on the models that may be used for them.

    Attributes:
        names: of the columns.
        examples: as in `Observables`.
        first: ``[models of P, columns]``.
        second: ``[models of Q, columns]``.
    """

    names: tuple[str, ...]
    examples: tuple[str, ...]
    first: Float[np.ndarray, "n columns"]
    second: Float[np.ndarray, "m columns"]

    @staticmethod
    def of(first: Observables, second: Observables) -> "Block":
        """A block of all models."""
        return Block(first.names, first.examples, first.values, second.values)


def median_margins(observations: Observations) -> Observables:
    """The median margin of each model on each probe group present.

    The margin of a probe is ln p_y - ln sum_{j != y} p_j, in nats: its label's log-odds. A median
    is moved little by a few odd probes, and by none of them beyond its own order.

    Args:
        observations: what was seen of a population.

    Returns:
        One column a probe group, in the order of `oracles.PROBE_GROUPS`.

    Example:
        >>> import numpy as np
        >>> from oracles import Observations
        >>> seen = Observations(
        ...     np.log(np.array([[[3.0, 1.0]], [[1.0, 3.0]]], np.float32)),
        ...     np.zeros(1, np.int32), np.array(["forget"]), np.array(["a"]))
        >>> columns = median_margins(seen)
        >>> columns.names, columns.values.round(2).tolist()
        (('median margin on forget',), [[1.1], [-1.1]])
    """
    present = tuple(group for group in PROBE_GROUPS if (observations.groups == group).any())
    margins = observations.margins
    values = np.stack(
        [np.median(margins[:, observations.groups == group], axis=1) for group in present], axis=1
    )
    names = tuple(f"{MEDIAN_MARGIN}{group}" for group in present)
    return Observables(names, present, values, ("",) * len(present))
