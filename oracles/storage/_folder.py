"""A folder of whole files, on this machine or behind any URL that fsspec knows.

A file in it is either absent, or complete as it was last written: the store builds on nothing else.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from estimators.kinds import check_kind
from oracles.storage.files import write_bytes_atomic
from oracles.storage.locks import locked

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@runtime_checkable
class Folder(Protocol):
    """What the store asks of a folder; a missing file raises FileNotFoundError."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        ...

    def child(self, name: str) -> "Folder":
        """A folder inside."""
        ...

    def exists(self, name: str) -> bool:
        """Whether a file is there."""
        ...

    def read(self, name: str, limit: int | None = None) -> bytes:
        """The bytes of a file; an OSError when there are more than ``limit``."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Puts a file there, whole or not at all."""
        ...

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        ...

    def names(self) -> list[str]:
        """The files and folders inside, sorted; none when the folder is not there."""
        ...


class LocalFolder:
    """A folder of this machine's file system."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.name

    def child(self, name: str) -> "LocalFolder":
        """A folder inside."""
        return LocalFolder(self.path / name)

    def exists(self, name: str) -> bool:
        """Whether a file is there."""
        return (self.path / name).exists()

    def read(self, name: str, limit: int | None = None) -> bytes:
        """The bytes of a file; an OSError when there are more than ``limit``."""
        path = self.path / name
        _check_size(str(path), path.stat().st_size, limit)
        return path.read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Puts a file there, whole or not at all."""
        write_bytes_atomic(self.path / name, data)

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """The files and folders inside, sorted; none when the folder is not there."""
        return sorted(path.name for path in self.path.iterdir()) if self.path.is_dir() else []


class RemoteFolder:
    """A folder behind a URL. Object stores put whole objects; elsewhere a file is renamed."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError:
            raise ValueError(
                f"{url}: folders behind a URL need fsspec; install indist[remote]"
            ) from None
        try:
            self._system, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ValueError(f"{url}: {error}") from None
        self.url = url.rstrip("/")

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.url.rpartition("/")[2]

    def child(self, name: str) -> "RemoteFolder":
        """A folder inside."""
        return RemoteFolder(f"{self.url}/{name}")

    def exists(self, name: str) -> bool:
        """Whether a file is there."""
        self._system.invalidate_cache()
        return self._system.exists(f"{self._root}/{name}")

    def read(self, name: str, limit: int | None = None) -> bytes:
        """The bytes of a file; an OSError when there are more than ``limit``."""
        path = f"{self._root}/{name}"
        if limit is not None:
            _check_size(f"{self.url}/{name}", self._system.size(path), limit)
        return self._system.cat_file(path)

    def write(self, name: str, data: bytes) -> None:
        """Puts a file there, whole or not at all."""
        self._system.makedirs(self._root, exist_ok=True)
        part = f"{self._root}/.{name}.part"
        self._system.pipe_file(part, data)
        self._system.mv(part, f"{self._root}/{name}")

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        if self.exists(name):
            self._system.rm_file(f"{self._root}/{name}")

    def names(self) -> list[str]:
        """The files and folders inside, sorted; none when the folder is not there."""
        self._system.invalidate_cache()
        if not self._system.isdir(self._root):
            return []
        found = self._system.ls(self._root, detail=False)
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)


def open_folder(where: "Path | str | Folder") -> Folder:
    """A folder given as a path or as a URL such as ``s3://bucket/run``.

    Example:
        >>> str(open_folder("runs/demo"))
        'runs/demo'
    """
    if isinstance(where, str) and _URL.match(where):
        return RemoteFolder(where)
    if isinstance(where, (str, Path)):
        return LocalFolder(Path(where))
    check_kind(where, "directory", Folder, "a path or a URL")
    return where


@contextmanager
def writing(folder: Folder, *, shared: bool = False) -> Generator[None]:
    """Keeps other writers out of a folder of this machine: see `locked`; behind a URL it cannot."""
    if isinstance(folder, LocalFolder):
        with locked(folder.path, shared=shared):
            yield
    else:
        yield


def _check_size(name: str, size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise OSError(0, f"{size} bytes are more than the {limit} expected", name)
