"""What a caller names may be run and read; what only a file names may not.

A folder of references says in which scenario it was made, and a scenario may be a file, which says
where data lie and which code makes the learner. Whoever loads the folder has named the folder
alone. While its files are followed, no other code is imported than what the caller named, and no
file outside the folder that the caller works in is read as a scenario, or as data of one, unless
the caller named that too.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple


class _Named(NamedTuple):
    code: str | None
    scenario: str | None


_BY_CALLER: ContextVar[_Named | None] = ContextVar("named by the caller", default=None)


@contextmanager
def following_files(*, code: str | None, scenario: str | None) -> Generator[None]:
    """While files are followed that the caller did not write.

    Args:
        code: the ``package.module:factory`` that the caller named, if any.
        scenario: the scenario file that the caller named, if any.
    """
    token = _BY_CALLER.set(_Named(code, scenario))
    try:
        yield
    finally:
        _BY_CALLER.reset(token)


def check_code(name: str) -> None:
    """Refuses code that only a file names.

    Raises:
        ValueError: when it is not what the caller named.
    """
    named = _BY_CALLER.get()
    if named is not None and name != named.code:
        raise ValueError(
            f"learner: {name} is code, which is run only when you name it; add --learner {name}"
        )


def check_scenario(file: str) -> None:
    """Refuses a scenario file outside the current folder that only a file names.

    Raises:
        ValueError: when it is not what the caller named.
    """
    named = _BY_CALLER.get()
    if named is not None and file != named.scenario and not _below(Path(file), Path.cwd()):
        raise ValueError(
            f"scenario: {file} lies outside this folder and is read only when you name it; add "
            f"--scenario {file}"
        )


def check_data(file: str, folder: Path, path: str) -> None:
    """Refuses data outside a scenario file's own folder, unless the caller named that file.

    Raises:
        ValueError: when the path leads out of the folder.
    """
    named = _BY_CALLER.get()
    if named is not None and file != named.scenario and not _below(folder / path, folder):
        raise ValueError(
            f"{file}: path {path[:200]!r}: expected it in the folder of the scenario file; data "
            f"elsewhere are read only when you name the file; add --scenario {file}"
        )


def _below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
