"""A table filled cell by cell: each finished cell is a file, and a run goes on where it stopped."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from oracles.storage.digests import digest_json
from oracles.storage.files import write_json_atomic

Row = dict[str, Any]


def finished_cell(path: Path, settings: Mapping[str, Any], make: Callable[[], Row]) -> Row:
    """The row of a cell: read where it is stored, else made and stored.

    Args:
        path: the cell's file.
        settings: all that its row depends on.
        make: makes the row, of JSON values.

    Returns:
        The row.

    Raises:
        ValueError: when the file is damaged, or was made with other settings.
    """
    digest = digest_json(dict(settings))
    if path.exists():
        try:
            stored = json.loads(path.read_text())
            found, row = stored["settings_digest"], dict(stored["row"])
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{path}: expected a finished cell; remove it to make it anew"
            ) from None
        if found != digest:
            raise ValueError(f"{path}: was made with other settings; give another folder")
        return row
    row = make()
    write_json_atomic(path, {"settings_digest": digest, "settings": dict(settings), "row": row})
    return row
