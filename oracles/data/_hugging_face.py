"""A Hugging Face dataset as ``save_to_disk`` writes it, read by pyarrow alone.

Such a folder holds ``state.json``, which lists files, and the files: streams of Arrow batches.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError

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
from oracles.data._pictures import decoded
from oracles.data._toml_table import TomlTable
from oracles.storage.arrays import MOST_DIMS, Header, check_bytes, check_form, refuse_array
from oracles.storage.files import FileError, file_size, refuse

_STATE = "state.json"
_LARGEST_STATE = 16 * 2**20


class _File(BaseModel):
    filename: str = Field(pattern=r"^[^/\\\x00]+\.arrow$")


class _State(BaseModel):
    """What is read of ``state.json``."""

    files: list[_File] = Field(alias="_data_files", min_length=1, max_length=100_000)
    indices: list[Any] | None = Field(alias="_indices_data_files", default=None)


class HuggingFace(TomlTable):
    """A dataset that ``datasets.Dataset.save_to_disk`` wrote.

    Inputs are numbers, lists of numbers of equal lengths, or PNG and JPEG pictures of one size,
    grey ``[height, width]`` or in colour ``[height, width, 3]``.

    Attributes:
        kind: ``huggingface``.
        path: the folder, of one split.
        inputs: column of the inputs.
        labels: column of the labels, whole numbers.
        scale: what inputs are divided by, as 255 for pixels.
    """

    kind: Literal["huggingface"] = "huggingface"
    path: str
    inputs: str = "image"
    labels: str = "label"
    scale: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    def read(
        self, folder: Path, columns: Collection[str] = (), limits: DataLimits = LIMITS
    ) -> Loaded:
        """The data set.

        Args:
            folder: where a relative path begins.
            columns: names of boolean columns.
            limits: the most its files may hold together; as they are, since ``save_to_disk``
                never compresses them.

        Returns:
            Examples and columns.

        Raises:
            FileError: a ValueError whose one sentence names the file, the column, what was found
                and what was expected; also when pyarrow is missing.
        """
        where = folder / self.path
        files = [where / file.filename for file in _read_state(where).files]
        check_bytes(where, sum(map(file_size, files)), limits)
        names = list(dict.fromkeys([self.inputs, self.labels, *columns]))
        tables = [_read_arrow(file, names) for file in files]
        count = sum(table.num_rows for table in tables)
        if not 1 <= count <= limits.examples:
            refuse(where, f"expected 1 to {limits.examples} examples, found {count}")
        raw: dict[str, Raw] = {}
        for name in names:
            values = [
                (file, chunk)
                for file, table in zip(files, tables, strict=True)
                for chunk in table.column(name).chunks
                if len(chunk)
            ]
            raw[name] = Raw(where, name, _stack(where, name, values, count, limits))
        for name, form in [
            (self.inputs, INPUTS),
            (self.labels, LABELS),
            *((c, COLUMN) for c in columns),
        ]:
            found = raw[name].values
            check_form(where, name, Header(found.dtype, found.shape, "C"), form)
        chosen = {name: raw[name] for name in columns}
        return assemble(raw[self.inputs], raw[self.labels], chosen, self.scale, limits)


def _read_state(where: Path) -> _State:
    if (where / "dataset_dict.json").exists():
        refuse(where, "expected the folder of one split, found that of several; add its name")
    path = where / _STATE
    size = file_size(path)
    if size > _LARGEST_STATE:
        refuse(path, f"expected at most {_LARGEST_STATE} bytes, found {size}")
    try:
        state = _State.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        refuse(path, "expected the list of files that save_to_disk writes, found something else")
    if state.indices:
        refuse(path, "expected whole files, found a selection of rows; call flatten_indices first")
    return state


def _read_arrow(path: Path, names: Sequence[str]) -> Any:
    """Some columns of a stream, every offset in them checked."""
    try:
        import pyarrow as pa
    except ImportError:
        refuse(path, "Arrow files need pyarrow; install indist[parquet]")
    try:
        # Read, not mapped: if a mapped file were cut short meanwhile, this process would end.
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
            found = reader.schema.names
            for name in names:
                if found.count(name) != 1:
                    listed = ", ".join(repr(column[:40]) for column in found[:8]) or "none"
                    refuse(path, f"column {name!r}: expected once, found columns {listed}")
            table = reader.read_all().select(names)
        table.validate(full=True)
    except FileError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError, EOFError) as error:
        why = " ".join(str(error).split())[:200]
        refuse(path, f"expected a stream of Arrow batches, found one that cannot be read ({why})")
    return table


def _stack(
    where: Path, name: str, chunks: list[tuple[Path, Any]], count: int, limits: DataLimits
) -> np.ndarray:
    """The chunks of a column as one array, its examples first."""
    stacked: np.ndarray | None = None
    done = 0
    for file, chunk in chunks:
        values = _numbers(file, name, chunk, limits)
        if stacked is None:
            check_size(where, (count, *values.shape[1:]), values.itemsize, limits)
            stacked = np.empty((count, *values.shape[1:]), values.dtype)
        shape, dtype = stacked.shape[1:], stacked.dtype
        if (values.shape[1:], values.dtype) != (shape, dtype):
            refuse_array(
                file,
                name,
                f"expected examples of shape {list(shape)} and type {dtype} like the "
                f"first, found {list(values.shape[1:])} and {values.dtype}",
            )
        stacked[done : done + len(values)] = values
        done += len(values)
    assert stacked is not None
    return stacked


def _numbers(path: Path, name: str, values: Any, limits: DataLimits) -> np.ndarray:
    """A chunk of a column: numbers, lists of numbers, or pictures."""
    import pyarrow as pa

    shape = [len(values)]
    while True:
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        if values.null_count:
            refuse_array(path, name, f"expected no gaps, found {values.null_count}")
        kind = values.type
        if pa.types.is_fixed_size_list(kind):
            shape.append(kind.list_size)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            lengths = values.value_lengths().to_numpy()
            if lengths.size == 0 or (lengths != lengths[0]).any():
                ends = f"{lengths.min()} to {lengths.max()}" if lengths.size else "none"
                refuse_array(path, name, f"expected lists of one length, found {ends}")
            shape.append(int(lengths[0]))
        else:
            break
        values = values.flatten()
        if len(shape) > MOST_DIMS:
            refuse_array(path, name, f"expected lists at most {MOST_DIMS - 1} deep, found deeper")
    if pa.types.is_struct(kind) and len(shape) == 1 and kind.get_field_index("bytes") >= 0:
        pictures = values.field("bytes")
        if pictures.null_count or not pa.types.is_binary(pictures.type):
            refuse_array(path, name, "expected pictures stored inside, found only their paths")
        return decoded(path, name, pictures.to_pylist(), limits)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        refuse_array(path, name, f"expected numbers or pictures, found {str(kind)[:60]}")
    return values.to_numpy(zero_copy_only=False).reshape(shape)
