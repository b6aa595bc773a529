"""Drawing coins: fair, independent, and once."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from estimators.checks import check_counts, check_seed, check_within
from estimators.kinds import check_kind
from oracles.coin_designs._design import CoinDesign, plain
from oracles.coin_designs.settings import CoinSettings


def draw_coins(
    candidates: Sequence[str],
    *,
    found: Bool[np.ndarray, " candidates"] | Sequence[bool] | float = 0.5,
    models: int = 1,
    shared: bool = False,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    details: Mapping[str, Sequence[str]] | None = None,
    scenario: Mapping[str, Any] | None = None,
) -> CoinDesign:
    """Draws a fair coin for each candidate, for each model or once for all.

    The bits are those of SHAKE-256 over 256 random bits of the operating system: as good as fair
    and independent coins to everybody who cannot invert it. Coins, nonce and d are read from
    streams of different names, so that none tells of another.

    Args:
        candidates: a unique name for each.
        found: whether each is among those that are found, which must not depend on the coins; or
            the chance, in (0, 1], with which that is drawn for each of them.
        models: K, how many models are to be trained.
        shared: whether all of them are trained on one draw; otherwise each has coins of its own,
            which shows more.
        seed: None, unless coins are for a test, a demonstration or a study, which are to be the
            same again: who knows the seed knows the coins, and the design says that there was one.
        settings: what the audit will use instead of the usual, by the names of
            `audits.CoinSettings`, as JSON values.
        details: columns ``text``, ``label``, ``group`` and ``person``: see `CoinDesign`.
        scenario: description of the scenario that the candidates are of.

    Returns:
        The design.

    Raises:
        TypeError: as `CoinDesign`.
        ValueError: as `CoinDesign`; also when ``found`` is neither one a candidate nor a chance.

    Example:
        >>> from indist import oracles
        >>> names = [f"page {k}" for k in range(100)]
        >>> design = oracles.draw_coins(names, found=0.5, models=3, seed=1)
        >>> design.coins.shape, design.shared, design.seeded
        ((3, 100), False, True)
        >>> oracles.draw_coins(names, found=0.5, models=3, shared=True).coins.shape
        (1, 100)
    """
    given = None if seed is None else check_seed(seed)
    check_counts(models=models)
    if isinstance(candidates, str):
        raise TypeError(f"candidates: expected names, found one text, {candidates[:60]!r}")
    check_kind(candidates, "candidates", Sequence, "names")
    check_kind(settings or {}, "settings", Mapping, "names and JSON values")
    check_kind(details or {}, "details", Mapping, "columns of texts")
    check_kind(shared, "shared", bool, "True or False")
    sealed = plain(_usual_settings() | dict(settings or {}), "settings")
    CoinSettings.of(sealed).check_size(max(len(candidates), 1), models)
    source = secrets.token_bytes(32)
    if given is not None:
        source = hashlib.sha256(f"indist coin design {given}".encode()).digest()
    count = len(candidates)
    rows = 1 if shared else models
    bits = np.unpackbits(_stream(source, "coins", -(-rows * count // 8)), count=rows * count)
    return CoinDesign(
        candidates=tuple(candidates),
        found=_found(found, source, count),
        coins=bits.reshape(rows, count).astype(bool),
        models=models,
        nonce=_stream(source, "nonce", 32).tobytes().hex(),
        settings=sealed,
        details={name: _texts(name, texts) for name, texts in (details or {}).items()},
        scenario=scenario,
        seeded=seed is not None,
    )


def _found(found: Any, source: bytes, count: int) -> Bool[np.ndarray, " candidates"]:
    if isinstance(found, int | float) and not isinstance(found, bool):
        check_within("(0, 1]", found=found)
        words = _stream(source, "found", 8 * count).view("<u8")
        # The words are whole numbers below 2^64, which float64 rounds: a chance of 1 finds all.
        return words.astype(np.float64) * 2.0**-64 < found if found < 1 else np.ones(count, bool)
    bits = np.asarray(found)
    if bits.shape != (count,) or bits.dtype != bool:
        raise ValueError(
            f"found: expected true or false for each of {count}, or a chance, found {found!r:.60}"
        )
    return bits


def _texts(name: str, texts: Any) -> tuple[str, ...]:
    check_kind(texts, name, (list, tuple), "a text for each candidate")
    return tuple(texts)


def _stream(source: bytes, name: str, length: int) -> UInt8[np.ndarray, " length"]:
    """Bytes of a name, as if random to all who do not know the source."""
    digest = hashlib.shake_256(source + name.encode()).digest(length)
    return np.frombuffer(digest, dtype=np.uint8)


def _usual_settings() -> dict[str, Any]:
    usual = CoinSettings().record()
    del usual["baseline"]
    return usual
