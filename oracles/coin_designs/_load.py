"""Reading a design: its coins must open the commitment that was published."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from estimators.kinds import check_kind
from oracles.coin_designs._design import (
    COINS_FILE,
    DESIGN_FILE,
    DETAILS,
    MOST_CANDIDATES,
    CoinDesign,
)
from oracles.coin_designs.settings import MOST_SCORES
from oracles.storage.files import file_size, refuse
from oracles.storage.shards import first_problem

_LARGEST_FILE = 2**28
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=1, le=MOST_SCORES)]


class _Candidate(BaseModel):
    """One entry of ``candidates`` in ``design.json``."""

    model_config = _STRICT
    candidate: str
    found: bool
    text: str | None = None
    label: str | None = None
    group: str | None = None
    person: str | None = None


class _PublicFile(BaseModel):
    """What ``design.json`` holds."""

    model_config = _STRICT
    format: Literal["indist-coin-design"]
    version: Literal[1]
    models: _Count
    shared: bool
    seeded: bool
    settings: dict[str, Any]
    scenario: dict[str, Any] | None
    candidates: Annotated[list[_Candidate], Field(min_length=1, max_length=MOST_CANDIDATES)]
    commitment: _Digest


class _SealedFile(BaseModel):
    """What ``coins.json`` holds."""

    model_config = _STRICT
    format: Literal["indist-coins"]
    version: Literal[1]
    nonce: _Digest
    coins: Annotated[list[Annotated[str, Field(pattern=r"^[01]+$")]], Field(min_length=1)]


_Kind = TypeVar("_Kind", bound=BaseModel)


def load_design(directory: Path | str) -> CoinDesign:
    """Reads a design that `CoinDesign.save` wrote, and checks that its coins are those promised.

    ``training.csv`` is not read: whoever trains may have it alone.

    Args:
        directory: the folder, with ``design.json`` and ``coins.json`` in it.

    Returns:
        The design.

    Raises:
        FileError: when a file is missing or does not fit, or coins, nonce or anything in
            ``design.json`` is other than the commitment says; the message names file, field, what
            was expected and what was found.
    """
    check_kind(directory, "directory", (str, Path), "a path")
    folder = Path(directory)
    public, sealed = folder / DESIGN_FILE, folder / COINS_FILE
    return _opened(_text(public), _text(sealed), public, sealed)


def open_design(public: Mapping[str, Any], sealed: Mapping[str, Any]) -> CoinDesign:
    """A design from what its two files hold, as an audit's record keeps it; see `load_design`.

    Args:
        public: what ``design.json`` holds.
        sealed: what ``coins.json`` holds.

    Returns:
        The design.

    Raises:
        FileError: when either does not fit, or the coins are not those of the commitment.
    """
    texts = json.dumps(public).encode(), json.dumps(sealed).encode()
    return _opened(*texts, Path("design"), Path("coins"))


def _opened(
    public_text: bytes, sealed_text: bytes, design_path: Path, coins_path: Path
) -> CoinDesign:
    public = _valid(public_text, _PublicFile, design_path)
    sealed = _valid(sealed_text, _SealedFile, coins_path)
    count = len(public.candidates)
    rows = 1 if public.shared else public.models
    if len(sealed.coins) != rows:
        refuse(
            coins_path,
            f"field coins: expected {rows}, as {DESIGN_FILE} says, found {len(sealed.coins)}",
        )
    for k, row in enumerate(sealed.coins):
        if len(row) != count:
            refuse(
                coins_path,
                f"field coins.{k}: expected {count} digits, one a candidate, found {len(row)}",
            )
    if public.shared and public.models == 1:
        refuse(design_path, "field shared: expected false for one model, found true")
    bits = [np.frombuffer(row.encode(), dtype=np.uint8) == ord("1") for row in sealed.coins]
    try:
        design = CoinDesign(
            candidates=tuple(entry.candidate for entry in public.candidates),
            found=np.array([entry.found for entry in public.candidates]),
            coins=np.stack(bits),
            models=public.models,
            nonce=sealed.nonce,
            settings=public.settings,
            details=_details(design_path, public.candidates),
            scenario=public.scenario,
            seeded=public.seeded,
        )
    except (TypeError, ValueError) as error:
        refuse(design_path, f"field {error}")
    if design.commitment != public.commitment:
        refuse(
            design_path,
            f"field commitment: expected that of this design and {COINS_FILE}, "
            f"{design.commitment}, found {public.commitment}: something was changed after the "
            "coins were drawn",
        )
    return design


def _details(path: Path, candidates: list[_Candidate]) -> dict[str, tuple[str, ...]]:
    """The columns that the first candidate has, which all others must have too."""
    columns: dict[str, tuple[str, ...]] = {}
    for name in DETAILS:
        texts = [getattr(entry, name) for entry in candidates]
        there = [text is not None for text in texts]
        if any(there) and not all(there):
            refuse(
                path,
                f"field candidates.{there.index(False)}.{name}: expected a text, as other "
                "candidates have one, found none",
            )
        if all(there):
            columns[name] = tuple(texts)
    return columns


def _text(path: Path) -> bytes:
    if (size := file_size(path)) > _LARGEST_FILE:
        refuse(path, f"expected at most {_LARGEST_FILE:,} bytes, found {size:,}")
    try:
        return path.read_bytes()
    except OSError as error:
        refuse(path, f"cannot be read ({error.strerror or error})")


def _valid(text: bytes, kind: type[_Kind], path: Path) -> _Kind:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        refuse(path, first_problem(error))
