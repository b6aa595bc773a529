"""Tables as files: CSV for everyone, Parquet beside it where pyarrow is installed."""

import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING

from oracles.storage.files import write_bytes_atomic

if TYPE_CHECKING:
    import pandas as pd


def parquet_available() -> bool:
    """Whether Parquet can be written."""
    return importlib.util.find_spec("pyarrow") is not None


def csv_bytes(table: "pd.DataFrame") -> bytes:
    r"""A table as CSV in UTF-8; a missing number is an empty field.

    Example:
        >>> import pandas as pd
        >>> csv_bytes(pd.DataFrame({"a": [1, 2], "b": [0.5, float("nan")]}))
        b'a,b\n1,0.5\n2,\n'
    """
    return table.to_csv(index=False, lineterminator="\n").encode()


def write_table(table: "pd.DataFrame", stem: Path) -> list[Path]:
    """Writes ``stem.csv``, and ``stem.parquet`` where pyarrow is installed, each whole or not.

    Args:
        table: what to write, without its index.
        stem: path without a suffix.

    Returns:
        The paths written.
    """
    text, binary = (stem.with_name(f"{stem.name}.{kind}") for kind in ("csv", "parquet"))
    write_bytes_atomic(text, csv_bytes(table))
    if not parquet_available():
        # One from an earlier run would say something else.
        binary.unlink(missing_ok=True)
        return [text]
    buffer = io.BytesIO()
    table.to_parquet(buffer, engine="pyarrow", index=False)
    write_bytes_atomic(binary, buffer.getvalue())
    return [text, binary]
