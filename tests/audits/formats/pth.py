"""Files as torch.save writes them, made by hand, and as little of PyTorch as reads them back.

The gate has no PyTorch: there `standins` takes its place, a strict one that knows nothing
but what a state dict is made of. Where PyTorch is installed, the same tests run with it.
"""

import io
import os
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REAL = find_spec("torch") is not None
STANDINS = Path(__file__).parent / "standins"
CLASSES = {"f8": "DoubleStorage", "f4": "FloatStorage", "f2": "HalfStorage", "i8": "LongStorage"}


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def whole(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def several(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(whole, values)) + b"t"


def tensor(key: str, array: np.ndarray, /, **lies: Any) -> bytes:
    """The pickle of one tensor; ``lies`` replace what it says."""
    strides = tuple(stride // array.itemsize for stride in array.strides)
    storage = lies.get("storage", CLASSES[array.dtype.str[1:]])
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(("
        + text("storage")
        + b"ctorch\n"
        + storage.encode()
        + b"\n"
        + text(lies.get("key", key))
        + text("cpu")
        + whole(lies.get("elements", array.size))
        + b"tQ"
        + whole(lies.get("offset", 0))
        + several(lies.get("shape", array.shape))
        + several(lies.get("strides", strides))
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )


def dict_of(entries: dict[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(name) + value for name, value in entries.items()) + b"u"


def archive(code: bytes, storages: dict[str, bytes], compression: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as out:
        out.writestr("archive/data.pkl", b"\x80\x02" + code + b".")
        out.writestr("archive/byteorder", b"little")
        for key, data in storages.items():
            out.writestr(f"archive/data/{key}", data)
        out.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def saved(arrays: dict[str, np.ndarray], lies: dict[str, dict[str, Any]] | None = None) -> bytes:
    """A state dict as bytes."""
    entries = {
        name: tensor(str(k), array, **(lies or {}).get(name, {}))
        for k, (name, array) in enumerate(arrays.items())
    }
    return archive(
        dict_of(entries), {str(k): array.tobytes() for k, array in enumerate(arrays.values())}
    )


def numbers(populations: dict[str, dict[int, list[float]]]) -> bytes:
    """Dicts of lists of Python's floats, as RULI's results."""
    floats = {
        name: b"}("
        + b"".join(
            whole(example) + b"](" + b"".join(b"G" + struct.pack(">d", one) for one in ones) + b"e"
            for example, ones in examples.items()
        )
        + b"u"
        for name, examples in populations.items()
    }
    return archive(dict_of(floats | {"seed": whole(7)}), {})


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch, or its stand-in, for the process that reads a stranger's files."""
    if not REAL:
        monkeypatch.setenv("PYTHONPATH", str(STANDINS), prepend=os.pathsep)


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
