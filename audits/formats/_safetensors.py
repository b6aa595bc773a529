"""Parameters in safetensors: one file a model, or one file with the models stacked.

By name they are the learner's parameters, such as ``kernel_0`` or ``params/Dense_0/kernel``, or the
mapping says which is which.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors import SafetensorError, safe_open

from audits._reading import (
    Limits,
    TensorHeader,
    refuse,
    safetensors_array,
    safetensors_header,
)
from audits.formats._content import Content, run_content
from audits.formats._fit import ParameterFiles
from audits.formats._mapping import Mapping

KIND = "safetensors"


def read(path: Path, mapping: Mapping, limits: Limits) -> Content:
    """Checks the header of every file; numbers are read when a model is run.

    Args:
        path: a file, or a folder of ``.safetensors`` files.
        mapping: ``parameters``, a map, where names are not the learner's; ``select.stacked`` true
            where every array of the one file has the models first.
        limits: the most that a file may hold.

    Returns:
        Models to be run: rows of a stacked file, else files in the order of their names.

    Raises:
        SubmissionError: on a damaged file, or another number of models in an array.
    """
    mapping.check_used(KIND, "parameters", select=("stacked",))
    if mapping.parameters == "order":
        refuse(mapping.file, "field parameters: expected a map, as safetensors keep no order")
    stacked = "stacked" in mapping.select and mapping.selected(path, "stacked", bool, "it")
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    if not 1 <= len(files) <= limits.models:
        refuse(path, f"expected 1 to {limits.models} models, found {len(files)}")
    if stacked and len(files) > 1:
        refuse(path, f"expected one file of stacked models, found {len(files)}")
    headers = [safetensors_header(file, limits) for file in files]
    if stacked:
        names = tuple(map(str, range(_leading(files[0], headers[0], limits))))
    else:
        names = tuple(file.name for file in files)

    def arrays() -> Iterator[dict[str, np.ndarray]]:
        for index in range(len(names)):
            place = 0 if stacked else index
            yield _arrays(files[place], headers[place], index if stacked else None)

    return run_content(path, ParameterFiles(path, names, arrays, mapping, limits), mapping)


def _leading(file: Path, header: dict[str, TensorHeader], limits: Limits) -> int:
    models = {array.shape[:1] for array in header.values()}
    if len(models) != 1 or models == {()}:
        refuse(file, f"expected as many models first in every array, found {sorted(models)[:4]}")
    ((count,),) = models
    if not 1 <= count <= limits.models:
        refuse(file, f"expected 1 to {limits.models} models, found {count}")
    return count


def _arrays(file: Path, header: dict[str, TensorHeader], row: int | None) -> dict[str, np.ndarray]:
    try:
        with cast(Any, safe_open)(file, framework="numpy") as opened:
            return {
                name: safetensors_array(file, opened, name, array, row)
                for name, array in header.items()
            }
    except (SafetensorError, OSError) as error:
        refuse(file, f"cannot be read ({error})")
