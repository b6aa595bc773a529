"""A data set in IDX files, the format of MNIST, plain or gzipped.

A file is two zero bytes, a byte for the number type, a byte for the number of axes, each axis in
four bytes, and the numbers, all big-endian (LeCun, Cortes and Burges, the MNIST database).
"""

import gzip
import struct
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import numpy as np
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
from oracles.storage.arrays import Form, Header, check_form
from oracles.storage.files import file_size, refuse

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
# What deflate makes of one byte at most.
_MOST_UNPACKED = 1032


class Idx(TomlTable):
    """IDX files in a folder: one for the inputs, one for the labels, one for each column.

    Attributes:
        kind: ``idx``.
        path: the folder.
        inputs: file of the inputs, ``[examples, ...]``.
        labels: file of the labels, ``[examples]``, whole numbers.
        scale: what inputs are divided by, as 255 for pixels.
    """

    kind: Literal["idx"] = "idx"
    path: str
    inputs: str = "train-images-idx3-ubyte.gz"
    labels: str = "train-labels-idx1-ubyte.gz"
    scale: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    def read(
        self, folder: Path, columns: Collection[str] = (), limits: DataLimits = LIMITS
    ) -> Loaded:
        """The data set.

        Args:
            folder: where a relative path begins.
            columns: names of files of 0 and 1, ``[examples]``.
            limits: the most each file may hold.

        Returns:
            Examples and columns.

        Raises:
            FileError: a ValueError whose one sentence names the file, what was found and what was
                expected.
        """
        where = folder / self.path

        def raw(name: str, form: Form) -> Raw:
            return Raw(where / name, "", _read_idx(where / name, form, limits))

        chosen = {name: raw(name, COLUMN) for name in columns}
        return assemble(
            raw(self.inputs, INPUTS), raw(self.labels, LABELS), chosen, self.scale, limits
        )


def _read_idx(path: Path, form: Form, limits: DataLimits) -> np.ndarray:
    size = file_size(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as stream:
            start = stream.read(4)
            if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES:
                refuse(path, f"expected an IDX file, found one that begins with {start.hex()!r}")
            axes = stream.read(4 * start[3])
            if len(axes) < 4 * start[3]:
                refuse(path, f"expected {start[3]} axes, found the file truncated")
            shape = struct.unpack(f">{start[3]}I", axes)
            header = Header(np.dtype(_TYPES[start[2]]), shape, "C")
            check_form(path, "", header, form)
            check_size(path, shape, header.dtype.itemsize, limits)
            # A header may claim more than there is: no memory is taken before this is known.
            available = _MOST_UNPACKED * size if packed else size - 4 - len(axes)
            if header.nbytes > available:
                refuse(path, f"expected {header.nbytes} bytes of numbers, found it truncated")
            data = stream.read(header.nbytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        refuse(path, f"cannot be read ({getattr(error, 'strerror', None) or error})")
    if len(data) != header.nbytes:
        found = "more" if len(data) > header.nbytes else str(len(data))
        refuse(path, f"expected {header.nbytes} bytes of numbers by its header, found {found}")
    return np.frombuffer(data, header.dtype).reshape(shape)
