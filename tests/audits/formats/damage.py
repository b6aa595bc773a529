"""Damage to right files: what is changed is drawn elsewhere, how it is changed is here."""

import io
import json
import struct
import zipfile
import zlib
from contextlib import suppress
from typing import Any

Files = dict[str, bytes]

_NO_ARCHIVE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OSError)
KINDS = ("cut", "flip", "insert", "delete", "number", "swap", "remove", "value")
NUMBERS = [b"0", b"-1", b"1", b"2", b"7", b"1000000000", b"99999999999999999999", b"1e308", b"nan"]


def damaged(files: Files, kind: str, which: int, where: float, data: bytes, value: Any) -> Files:
    """Files by name with one thing changed, in one of them or between two."""
    names = sorted(files)
    name = names[which % len(names)]
    if kind == "swap":
        other = names[int(where * (len(names) - 1))]
        return files | {name: files[other], other: files[name]}
    if kind == "remove":
        return {one: held for one, held in files.items() if one != name} or files
    if kind == "value":
        texts = [one for one in names if one.endswith(".json")]
        if texts:
            text = texts[which % len(texts)]
            said = value
            with suppress(ValueError, RecursionError):
                said = changed(json.loads(files[text]), which // len(texts), value)
            return files | {text: json.dumps(said).encode()}
    return files | {name: bent(files[name], kind, which, where, data)}


def changed(held: Any, which: int, value: Any) -> Any:
    """JSON with one value of it replaced, at any depth."""
    if not isinstance(held, dict | list) or not held:
        return value
    keys: list[Any] = sorted(held) if isinstance(held, dict) else list(range(len(held)))
    key, deeper = keys[which % len(keys)], which // len(keys)
    # A short list or object is not always gone through to its end.
    part = changed(held[key], deeper // 2, value) if deeper % 2 else value
    if isinstance(held, dict):
        return held | {key: part}
    return [part if place == key else old for place, old in enumerate(held)]


def bent(raw: bytes, kind: str, which: int, where: float, data: bytes) -> bytes:
    """Bytes with one thing changed; members of an archive, with its sums made right again."""
    if raw[:4] == b"PK\x03\x04" and which % 4:
        inner: Files = {}
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                inner = {name: archive.read(name) for name in archive.namelist()}
        except (*_NO_ARCHIVE, NotImplementedError, RuntimeError):
            # Damaged before.
            return raw
        if not inner:
            return raw
        name = sorted(inner)[which % len(inner)]
        inner[name] = bent(inner[name], kind, which // 4, where, data)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for one, held in inner.items():
                archive.writestr(one, held)
        return buffer.getvalue()
    at = int(where * len(raw))
    if kind == "number":
        digits = [k for k, byte in enumerate(raw[:4000]) if chr(byte).isdigit()]
        at = digits[which % len(digits)] if digits else at
        return raw[:at] + data + raw[at + 1 :]
    if kind == "cut":
        return raw[:at]
    if kind == "flip":
        return raw[:at] + bytes(byte ^ 1 << which % 8 for byte in raw[at : at + 1]) + raw[at + 1 :]
    if kind == "delete":
        return raw[:at] + raw[at + 1 + which % 16 :]
    return raw[:at] + data + raw[at:]
