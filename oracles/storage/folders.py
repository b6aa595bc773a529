"""Whether a folder may be written to: it is new, or holds what the same command writes there."""

from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path

from oracles.storage._folder import Folder, open_folder
from oracles.storage.files import FileError

__all__ = ["check_folder"]


def check_folder(
    where: Folder | Path | str,
    *,
    marks: Collection[str] = (),
    own: Collection[str] = (),
    advice: str = "give a new folder",
) -> None:
    """Refuses a folder that holds files of another kind, before anything is computed for it.

    Hidden files do not count: file managers leave some, and so do writers that were killed.

    Args:
        where: the folder, a path or a URL; one that is not there, or is empty, is taken.
        marks: names of files, one of which is enough to tell a folder of the expected kind.
        own: names, or patterns of names, of what such a folder may hold before it has a mark.
        advice: what the message says to do.

    Raises:
        FileError: when the folder has no mark, and holds a file or folder that is not its own.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> check_folder(folder)
        >>> (folder / "letter.txt").touch()
        >>> check_folder(folder)
        Traceback (most recent call last):
        oracles.storage.files.FileError: ...: holds other files; give a new folder
        >>> check_folder(folder, own=["*.txt"])
    """
    folder = open_folder(where)
    names = [name for name in folder.names() if not name.startswith(".")]
    if any(name in marks for name in names):
        return
    if not all(any(fnmatchcase(name, pattern) for pattern in own) for name in names):
        raise FileError(f"{folder}: holds other files; {advice}")
