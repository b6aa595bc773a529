"""CIFAR-10 and CIFAR-100 in their binary version.

A row of CIFAR-10 is a byte for the label and 3,072 for the pixels; one of CIFAR-100 has a byte for
the coarse label and one for the fine. Pixels are 32 rows of 32, first all red, then green, then
blue (Krizhevsky, Learning multiple layers of features from tiny images, 2009).
"""

from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from oracles.data._loaded import LIMITS, DataLimits, Loaded, Raw, assemble, check_size
from oracles.data._toml_table import TomlTable
from oracles.storage.arrays import check_range
from oracles.storage.files import FileError, file_size, refuse

_PIXELS = 3 * 32 * 32


class _Layout(NamedTuple):
    """Where a row holds its label."""

    bytes_before: int
    column: int
    classes: int


_LAYOUTS = {"label": _Layout(1, 0, 10), "coarse": _Layout(2, 0, 20), "fine": _Layout(2, 1, 100)}


class CifarBinary(TomlTable):
    """CIFAR's binary files: pictures ``[examples, 32, 32, 3]``.

    Attributes:
        kind: ``cifar-binary``.
        path: the folder.
        inputs: names of the files, ``*`` for any letters; read in the order of their names.
        labels: ``label`` for CIFAR-10, ``fine`` or ``coarse`` for CIFAR-100.
        scale: what inputs are divided by, as 255 for pixels.
    """

    kind: Literal["cifar-binary"] = "cifar-binary"
    path: str
    inputs: str = "data_batch_*.bin"
    labels: Literal["label", "fine", "coarse"] = "label"
    scale: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    def read(
        self, folder: Path, columns: Collection[str] = (), limits: DataLimits = LIMITS
    ) -> Loaded:
        """The data set.

        Args:
            folder: where a relative path begins.
            columns: must be empty, as these files hold none.
            limits: the most they may hold together.

        Returns:
            Examples.

        Raises:
            FileError: a ValueError whose one sentence names the file, what was found and what was
                expected.
        """
        where, layout = folder / self.path, _LAYOUTS[self.labels]
        for name in columns:
            refuse(where, f"expected indices or a label, found column {name!r}: CIFAR has none")
        rows = self._rows(where, layout, limits)
        labels = rows[:, layout.column]
        check_range(where, self.labels, labels, 0, layout.classes - 1)
        pixels = rows[:, layout.bytes_before :].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return assemble(
            Raw(where, self.inputs, pixels), Raw(where, self.labels, labels), {}, self.scale, limits
        )

    def _rows(self, where: Path, layout: _Layout, limits: DataLimits) -> np.ndarray:
        try:
            files = sorted(file for file in where.iterdir() if fnmatchcase(file.name, self.inputs))
            if not files:
                refuse(where, f"expected files named {self.inputs}, found none")
            width, total = layout.bytes_before + _PIXELS, 0
            for file in files:
                size = file_size(file)
                if not size or size % width:
                    refuse(file, f"expected rows of {width} bytes, found {size} bytes in all")
                total += size // width
            check_size(where, (total, width), 1, limits)
            return np.frombuffer(b"".join(map(Path.read_bytes, files)), np.uint8).reshape(-1, width)
        except FileError:
            raise
        except (OSError, ValueError) as error:
            refuse(where, f"cannot be read ({getattr(error, 'strerror', None) or error})")
