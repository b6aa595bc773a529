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
from contextlib import contextmanager
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
def locked(folder: Path, *, shared: bool = False) -> Generator[None]:
    """Keeps other writers out of a folder, and clears away what killed ones have left in it.

    The file systems of some clusters have no locks: there this does nothing.

    Args:
        folder: the folder; made when it is not there.
        shared: whether others that ask for a shared lock may write too, as the processes of one job
            do; nothing is cleared away then.

    Raises:
        FolderInUseError: when another process, or another part of this one, holds the folder.
        OSError: when the folder cannot be made or written to.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with locked(folder), locked(folder):
        ...     pass
        Traceback (most recent call last):
        oracles.storage.locks.FolderInUseError: ...: process ... writes to it; ...
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            has_locks = _lock(descriptor, shared)
        except OSError as error:
            holder = _holder(path)
            os.close(descriptor)
            if error.errno not in _BUSY:
                raise
            raise FolderInUseError(
                f"{folder}: {holder} writes to it; wait for it or give another folder"
            ) from None
        if _is_current(descriptor, path):
            break
        # The writer before removed the file between its being opened and its being locked.
        os.close(descriptor)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()} {socket.gethostname()}".encode())
        if has_locks and not shared:
            sweep(folder)
        yield
    finally:
        if not has_locks or not shared or _can_lock_alone(descriptor):
            path.unlink(missing_ok=True)
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Removes what writers that were killed have left in a folder; only for who holds its lock."""
    for path in folder.iterdir():
        if _LEFT.match(path.name) and not path.is_symlink():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _lock(descriptor: int, shared: bool) -> bool:
    """Locks an open file at once, or raises OSError; False where the file system has no locks."""
    if sys.platform == "win32":
        # Windows has no shared locks of this kind; those who would share go without.
        if not shared:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        return not shared
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            return False
        raise
    return True


def _can_lock_alone(descriptor: int) -> bool:
    try:
        return _lock(descriptor, shared=False)
    except OSError:
        return False


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
