"""A folder of a few files, written whole or not at all, some of them for their owner alone."""

import os
import secrets
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from oracles.storage.files import refuse

_OWNER_ONLY, _EVERYBODY = 0o600, 0o666


def write_folder(folder: Path, files: Mapping[str, bytes], secret: Collection[str]) -> None:
    """Writes files into a hidden folder beside the one asked for, and renames that.

    A folder that holds something cannot be renamed over, also where two write at once.

    Args:
        folder: one that is not there, or is empty.
        files: name to content.
        secret: names of the files that only their owner may read.

    Raises:
        FileError: when the folder holds something, is none, or is the current one.
        OSError: as the file system does; nothing is left behind.
    """
    target = folder.resolve()
    check_new_folder(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir()
        for name, content in files.items():
            _write(part / name, content, _OWNER_ONLY if name in secret else _EVERYBODY)
        if target.is_dir():
            target.rmdir()
        part.rename(target)
    except OSError as error:
        if target.is_dir() and any(target.iterdir()):
            check_new_folder(folder)
        # Nobody knows the temporary name.
        error.filename = str(folder)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_new_folder(folder: Path) -> None:
    """Refuses a folder that coins may not be written to, before anything is drawn.

    Raises:
        FileError: when it holds something, is no folder, or is the current one.
    """
    if folder.resolve() == Path.cwd():
        refuse(folder, "expected a new folder, found the current one")
    if folder.exists() and not folder.is_dir():
        refuse(folder, "expected a new folder, found a file")
    if folder.is_dir() and any(folder.iterdir()):
        refuse(
            folder,
            "holds something already; give a new folder: coins are drawn once and never replaced",
        )


def _write(path: Path, content: bytes, mode: int) -> None:
    # The mode is given when the file is made: at no time can others open it.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
