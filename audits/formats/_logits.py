"""One array of logits from an ``.npz`` or ``.safetensors`` file, its header checked first."""

from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import Float
from safetensors import SafetensorError, safe_open

from audits._reading import Limits, refuse, safetensors_array, safetensors_header
from oracles.storage.arrays import Form, check_bytes, npz_header, npz_names, read_npz

NAME = "logits"
_FORM = Form("f", "[models, probes, classes]", (3,))


def read_logits(path: Path, limits: Limits) -> Float[np.ndarray, "models probes classes"]:
    """The array ``logits`` of a file, as float32.

    Args:
        path: a file whose name ends in ``.npz`` or ``.safetensors``.
        limits: the most it may hold.

    Returns:
        ``[models, probes, classes]``; that the numbers are finite is for `check_finite` to say.

    Raises:
        SubmissionError: on another array, type or shape, a truncated or damaged file, or anything
            pickled.
    """
    read = _from_npz if path.suffix == ".npz" else _from_safetensors
    raw = read(path, limits)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(raw, dtype=np.float32)


def check_finite(path: Path, logits: np.ndarray, ids: np.ndarray) -> None:
    """Refuses numbers that are not finite, and names the first one's model and probe."""
    finite = np.isfinite(logits).all(axis=2)
    if not finite.all():
        model, probe = (int(k) for k in np.argwhere(~finite)[0])
        where = logits[model, probe]
        value = where[~np.isfinite(where)][0]
        models = len(set(np.argwhere(~finite)[:, 0].tolist()))
        refuse(
            path,
            f"array {NAME!r}: expected finite float32 numbers, found {value} in model {model} at "
            f"probe {str(ids[probe])!r} ({models} of {len(logits)} models hold such numbers)",
        )


def check_shape(path: Path, shape: tuple[int, ...], limits: Limits) -> None:
    """Refuses shapes other than [models, probes, classes] within the limits."""
    if len(shape) != 3:
        refuse(path, f"array {NAME!r}: expected shape {_FORM.shape}, found {list(shape)[:8]}")
    least = {"models": 1, "probes": 1, "classes": 2}
    for (name, low), found in zip(least.items(), shape, strict=True):
        high = getattr(limits, name)
        if not low <= found <= high:
            refuse(path, f"array {NAME!r}: expected {low} to {high} {name}, found {found}")


def _from_safetensors(path: Path, limits: Limits) -> np.ndarray:
    header = safetensors_header(path, limits)
    _check_names(path, list(header))
    check_shape(path, header[NAME].shape, limits)
    try:
        with cast(Any, safe_open)(path, framework="numpy") as file:
            return safetensors_array(path, file, NAME, header[NAME])
    except (SafetensorError, OSError) as error:
        refuse(path, f"cannot be read ({error})")


def _from_npz(path: Path, limits: Limits) -> np.ndarray:
    _check_names(path, list(npz_names(path)))
    header = npz_header(path, NAME)
    check_shape(path, header.shape, limits)
    check_bytes(path, header.nbytes, limits)
    return read_npz(path, {NAME: _FORM}, limits)[NAME]


def _check_names(path: Path, names: list[str]) -> None:
    if names != [NAME]:
        listed = ", ".join(repr(name[:40]) for name in names[:4]) or "none"
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        refuse(path, f"expected one array named {NAME!r}, found {listed}{more}")
