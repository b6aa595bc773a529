"""A data set in one ``.npz`` file of NumPy, never unpickled."""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from pydantic import Field

from oracles.data._loaded import (
    COLUMN,
    INPUTS,
    LABELS,
    LIMITS,
    DataLimits,
    Loaded,
    Raw,
    assemble,
    check_size,
)
from oracles.data._toml_table import TomlTable
from oracles.storage.arrays import npz_header, npz_names, read_npz


class Npz(TomlTable):
    """Arrays in a ``.npz`` file, as `numpy.savez` writes it.

    Attributes:
        kind: ``npz``.
        path: the file.
        inputs: name of the inputs, ``[examples, ...]``.
        labels: name of the labels, ``[examples]``, whole numbers.
        scale: what inputs are divided by, as 255 for pixels.
    """

    kind: Literal["npz"] = "npz"
    path: str
    inputs: str = "x"
    labels: str = "y"
    scale: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    def read(
        self, folder: Path, columns: Collection[str] = (), limits: DataLimits = LIMITS
    ) -> Loaded:
        """The data set.

        Args:
            folder: where a relative path begins.
            columns: names of boolean arrays, ``[examples]``.
            limits: the most it may hold.

        Returns:
            Examples and columns.

        Raises:
            FileError: a ValueError whose one sentence names the file, the array, what was found and
                what was expected.
        """
        path = folder / self.path
        if self.inputs in npz_names(path):
            header = npz_header(path, self.inputs)
            check_size(path, header.shape, header.dtype.itemsize, limits)
        forms = {**dict.fromkeys(columns, COLUMN), self.labels: LABELS, self.inputs: INPUTS}
        arrays = {
            name: Raw(path, name, values) for name, values in read_npz(path, forms, limits).items()
        }
        chosen = {name: arrays[name] for name in columns}
        return assemble(arrays[self.inputs], arrays[self.labels], chosen, self.scale, limits)
