"""A table filled cell by cell: each finished cell is a file, and a run goes on where it stopped."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from indist.studies._rows import Record
from oracles.storage.digests import digest_json
from oracles.storage.files import write_json_atomic


def finished_cell(path: Path, settings: Mapping[str, Any], make: Callable[[], Record]) -> Record:
    """What a cell holds: read where it is stored, else made and stored.

    Args:
        path: the cell's file.
        settings: all that its content depends on.
        make: makes the content, of JSON values.

    Returns:
        The content.

    Raises:
        ValueError: when the file is damaged, or was made with other settings.
    """
    digest = digest_json(dict(settings))
    if path.exists():
        try:
            stored = json.loads(path.read_text())
            found, content = stored["settings_digest"], dict(stored["row"])
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{path}: expected a finished cell; remove it to make it anew"
            ) from None
        if found != digest:
            raise ValueError(f"{path}: was made with other settings; give another folder")
        return content
    content = make()
    write_json_atomic(path, {"settings_digest": digest, "settings": dict(settings), "row": content})
    return content
