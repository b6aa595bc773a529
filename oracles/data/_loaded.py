"""What every loader returns, and the checks that all of them make."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from estimators.checks import check_counts
from oracles._probes import Examples
from oracles.storage.arrays import (
    MOST_DIMS,
    Form,
    check_bytes,
    check_finite,
    check_range,
    refuse_array,
)
from oracles.storage.files import refuse

INPUTS = Form("biuf", "[examples, ...]", range(2, MOST_DIMS + 1))
LABELS = Form("iu", "[examples]", (1,))
COLUMN = Form("biu", "[examples]", (1,))


@dataclass(frozen=True)
class DataLimits:
    """The most that a data set may be, checked in its headers before any number is read.

    By default as much as a submission: 4 GiB are 350 thousand pictures of CIFAR's size.

    Attributes:
        array_bytes: bytes of one file, and of the inputs as float32.
        examples: examples.
        classes: classes, the largest label and one.

    Raises:
        ValueError: when one of them is below 1.
    """

    array_bytes: int = 4 * 2**30
    examples: int = 10_000_000
    classes: int = 200_000

    def __post_init__(self) -> None:
        check_counts(**vars(self))


LIMITS = DataLimits()


class Loaded(NamedTuple):
    """A data set in memory.

    Attributes:
        examples: inputs and labels.
        columns: boolean columns by name, one value for each example.
    """

    examples: Examples
    columns: Mapping[str, Any]


@runtime_checkable
class Source(Protocol):
    """What every kind of data set does: it reads itself."""

    def read(self, folder: Path, columns: Collection[str] = (), limits: DataLimits = ...) -> Loaded:
        """The data set, with some of its boolean columns."""
        ...


class Raw(NamedTuple):
    """An array as a file holds it.

    Attributes:
        path: the file.
        name: its name in the file, empty when the file holds nothing else.
        values: its numbers.
    """

    path: Path
    name: str
    values: np.ndarray


def check_size(path: Path, shape: tuple[int, ...], itemsize: int, limits: DataLimits) -> None:
    """Refuses inputs of too many examples or bytes, by their header.

    Raises:
        FileError: when there are more.
    """
    if shape and shape[0] > limits.examples:
        refuse(path, f"expected at most {limits.examples} examples, found {shape[0]}")
    check_bytes(path, math.prod(shape) * max(itemsize, 4), limits)


def assemble(
    inputs: Raw, labels: Raw, columns: Mapping[str, Raw], scale: float | None, limits: DataLimits
) -> Loaded:
    """Checks what was read, and brings it to the types that models take.

    Whole numbers wider than a byte stay whole (tokens, int32) unless there is a ``scale``;
    everything else becomes float32.

    Args:
        inputs: ``[examples, ...]``.
        labels: ``[examples]``, whole numbers.
        columns: booleans, or 0 and 1.
        scale: what inputs are divided by; None leaves them.
        limits: the largest label.

    Returns:
        The data set.

    Raises:
        FileError: when lengths differ, an input is not finite, a label lies outside the classes, or
            a column holds something else than 0 and 1.
    """
    size = len(inputs.values)
    for path, name, values in (labels, *columns.values()):
        if (path, name) == inputs[:2]:
            refuse_array(path, name, "expected it used once, found it named as inputs too")
        if len(values) != size:
            refuse_array(path, name, f"expected {size}, one for each example, found {len(values)}")
    check_range(*labels, 0, limits.classes - 1)
    for raw in columns.values():
        check_range(*raw, 0, 1)
    return Loaded(
        Examples(_as_inputs(inputs, scale), labels.values.astype(np.int32)),
        {name: raw.values.astype(bool) for name, raw in columns.items()},
    )


def _as_inputs(raw: Raw, scale: float | None) -> np.ndarray:
    if raw.values.dtype.kind in "iu" and raw.values.itemsize > 1 and scale is None:
        check_range(*raw, -(2**31), 2**31 - 1)
        return raw.values.astype(np.int32)
    with np.errstate(over="ignore", invalid="ignore"):
        values = raw.values.astype(np.float32)
        if scale is not None:
            values /= np.float32(scale)
    check_finite(raw.path, raw.name, values)
    return values
