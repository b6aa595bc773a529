"""One writer at a time in a folder, and what writers that were killed have left there.

A lock is held by a process and not by a file: it ends with the process, however that ends, so that
no run waits for one that is gone.
"""

import errno
import os
import re
import shutil
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = [
    "LOCK",
    "FolderInUseError",
    "locked",
    "sweep",
]

LOCK = ".indist-lock"
"""The file of a folder that its writer holds locked, and removes when it is done."""

# What `write_bytes_atomic` writes to before it renames, and where a report is put together.
_LEFT = re.compile(r"^\..+\.[0-9a-f]{8}\.part$|^\.report-[a-z0-9_]{8}$")
_BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}


class FolderInUseError(ValueError):
    """Another process writes to the folder; the message says which, in one sentence."""


@contextmanager
def locked(folder: Path, *, shared: bool = False, nested: bool = False) -> Generator[None]:
    """Keeps other writers out of a folder, and clears away what killed ones have left in it.

    Where nothing can be written, and on the file systems of some clusters, which have no locks,
    this does nothing.

    Args:
        folder: the folder; made when it is not there.
        shared: whether others that ask for a shared lock may write too, as the processes of one job
            do; nothing is cleared away then.
        nested: clear away what lies in folders below too, but for those that have a lock of their
            own.

    Raises:
        FolderInUseError: when another process, or another part of this one, holds the folder.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with locked(folder), locked(folder):
        ...     pass
        Traceback (most recent call last):
        oracles.storage.locks.FolderInUseError: ...: process ... writes to it; ...
    """
    path, is_new = folder / LOCK, not folder.exists()
    try:
        descriptor = _open_locked(path, shared)
    except OSError:
        # Whoever writes is told why, by what cannot be written.
        descriptor = None
    if descriptor is None:
        yield
        return
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()} {socket.gethostname()}".encode())
        if not shared:
            sweep(folder, nested=nested)
        yield
    finally:
        if not shared or _can_lock_alone(descriptor):
            path.unlink(missing_ok=True)
            if is_new:
                # Left empty, it was made for nothing.
                with suppress(OSError):
                    folder.rmdir()
        os.close(descriptor)


def sweep(folder: Path, *, nested: bool = False) -> None:
    """Removes what writers that were killed have left in a folder; only for who holds its lock.

    Args:
        folder: the folder.
        nested: folders below too, but for those that have a lock of their own.
    """
    for path in folder.iterdir():
        if path.is_symlink():
            continue
        if _LEFT.match(path.name):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        elif nested and path.is_dir() and not (path / LOCK).exists():
            sweep(path, nested=True)


def _open_locked(path: Path, shared: bool) -> int:
    """The file, open and locked; OSError where that cannot be done here at all."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor, shared)
        except OSError as error:
            holder = _holder(path)
            os.close(descriptor)
            if error.errno not in _BUSY:
                raise
            raise FolderInUseError(
                f"{path.parent}: {holder} writes to it; wait for it or give another folder"
            ) from None
        if _is_current(descriptor, path):
            return descriptor
        # The writer before removed the file between its being opened and its being locked.
        os.close(descriptor)


def _lock(descriptor: int, shared: bool) -> None:
    """Locks an open file at once, or raises OSError."""
    if sys.platform == "win32":
        # Windows has no shared locks of this kind; those who would share go without.
        if not shared:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _can_lock_alone(descriptor: int) -> bool:
    try:
        _lock(descriptor, shared=False)
    except OSError:
        return False
    return True


def _is_current(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    try:
        number, _, machine = path.read_text(errors="replace").partition(" ")
    except OSError:
        return "another process"
    return f"process {number} on {machine}" if number.isdecimal() else "another process"
