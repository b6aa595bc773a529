"""Whether the folder of a result may be written to, asked before the result is computed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audits.report._folder import ADVICE, check_free, held_result, refuse_another
from oracles.storage.folders import check_folder

__all__ = ["check_folder_of_results", "check_result_folder"]


def check_result_folder(
    directory: Path, record: str, known: Mapping[str, Any] | None = None, *, replace: bool = False
) -> None:
    """Refuses a folder that holds other files, or a result that is surely another one.

    Args:
        directory: where the result is to be written.
        record: name of the file with all numbers.
        known: what is known of its numbers before they are computed, by path, as in
            ``{"declaration.epsilon": 1.0}``.
        replace: take the folder whatever it holds.

    Raises:
        ValueError: otherwise, when it holds other files or another result.
    """
    if replace:
        return
    held = check_free(directory, record)
    if held is None:
        return
    if any(_field(directory / held, path) != value for path, value in (known or {}).items()):
        refuse_another(directory, held)


def check_folder_of_results(directory: Path, *, replace: bool = False) -> None:
    """Refuses a folder for several results that holds anything but folders of results.

    Args:
        directory: the folder.
        replace: take the folder whatever it holds.

    Raises:
        ValueError: otherwise, when it holds other files.
    """
    if replace or not directory.is_dir():
        return
    results = [path.name for path in directory.iterdir() if held_result(path) is not None]
    check_folder(directory, own=[*map(_literal, results)], advice=ADVICE)


def _literal(name: str) -> str:
    """A pattern that fits this name alone."""
    return name.translate({ord(sign): f"[{sign}]" for sign in "[*?"})


def _field(path: Path, name: str) -> Any:
    """A field of a stored record, or None where there is no such field."""
    try:
        content: Any = json.loads(path.read_bytes())
    except ValueError:
        return None
    if isinstance(content, dict):
        content = content.get("predicate", content)
    for part in name.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content
