"""CoinDesign: candidates, their coins, and a commitment to all that an audit will use."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from estimators.checks import check_array, check_counts
from estimators.kinds import check_kind, check_name
from oracles.coin_designs._write import write_folder
from oracles.coin_designs.settings import CoinSettings
from oracles.storage.digests import digest_json
from oracles.storage.files import MOST_TEXT, check_printable, first_repeated, json_bytes

FORMAT = "indist-coin-design"
COINS_FORMAT = "indist-coins"
VERSION = 1
DESIGN_FILE, TRAINING_FILE, COINS_FILE = "design.json", "training.csv", "coins.json"
DETAILS = ("text", "label", "group", "person")
MOST_CANDIDATES = 100_000
_NONCE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class CoinDesign:
    """Who is in the training set, by fair coins, and which of them are to be forgotten.

    A candidate is an example that a model may be trained on (a coin example, and no submission).
    Candidate i is in the training set of a model when its coin c_i is 1, and is to be forgotten
    when it is also among those that were found, d_i = 1: so D_c = D_0 ∪ {i : c_i = 1} and
    S_c = {i : c_i = d_i = 1}. Coins are fair and independent of each other and of d; so the number
    of candidates in D_c varies, and is never fixed.

    The commitment binds whoever drew the coins: published before training, it fixes coins and
    settings, and says nothing of the coins, as a nonce of 256 bits is hashed with them. That they
    were drawn fairly, once, and not chosen, is the word of whoever drew them. It does not
    bind whoever trains, who knows the coins: they can evade a conviction. Exact
    retraining is convicted falsely at the stated rate at most, where `oracles.TRAINER_KEEPS` was
    kept.

    Attributes:
        candidates: a unique name for each, of 1 to 1000 printable characters; at most 100,000.
        found: d, whether each is among those that are found, ``[candidates]``.
        coins: c, ``[designs, candidates]``: a row for each model, or one row for all.
        models: K, how many models are to be trained.
        nonce: 64 hexadecimal digits.
        settings: all that the audit will use, as JSON values, such as ``confidence``, ``delta``,
            ``observables`` and ``weights``: sealed before scores are seen. What
            `audits.CoinSettings` refuses is refused here.
        details: columns ``text``, ``label``, ``group`` and ``person``, of those that there are: a
            text of at most 1000 characters for each candidate, empty for nothing.
        scenario: description of the scenario that the candidates are of, or None.
        seeded: whether coins and nonce were drawn from a given seed, so that who knows the seed
            knows the coins: for tests, demonstrations and studies.

    Raises:
        TypeError: when a name or a text is no text.
        ValueError: when names repeat or are not printable, shapes do not fit, or settings are no
            JSON values or none that an audit takes; the message says which.

    Example:
        >>> from indist import oracles
        >>> design = oracles.draw_coins(["ann", "bob", "eve"], found=[True, True, False], seed=0)
        >>> design.in_training
        array([[ True, False,  True]])
        >>> design.to_forget
        array([[ True, False, False]])
        >>> len(design.commitment)
        64
    """

    candidates: tuple[str, ...]
    found: Bool[np.ndarray, " candidates"]
    coins: Bool[np.ndarray, "designs candidates"]
    models: int
    nonce: str
    settings: Mapping[str, Any]
    details: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    scenario: Mapping[str, Any] | None = None
    seeded: bool = False

    def __post_init__(self) -> None:
        check_counts(models=self.models)
        count = len(self.candidates)
        if not 1 <= count <= MOST_CANDIDATES:
            raise ValueError(f"candidates: expected 1 to {MOST_CANDIDATES:,}, found {count:,}")
        object.__setattr__(self, "settings", plain(self.settings, "settings"))
        CoinSettings.of(self.settings).check_size(count, self.models)
        for name in self.candidates:
            check_printable(name, "candidates")
        if (twice := first_repeated(self.candidates)) is not None:
            raise ValueError(f"candidates: expected unique names, found {twice[:60]!r} twice")
        self._take_bits("found", ((count,),))
        self._take_bits("coins", ((1, count), (self.models, count)))
        check_kind(self.nonce, "nonce", str, "64 hexadecimal digits")
        if not _NONCE.fullmatch(self.nonce):
            raise ValueError(
                f"nonce: expected 64 hexadecimal digits in lower case, found {self.nonce[:70]!r}"
            )
        check_kind(self.seeded, "seeded", bool, "True or False")
        if self.scenario is not None:
            object.__setattr__(self, "scenario", plain(self.scenario, "scenario"))
        self._check_details(count)

    def _take_bits(self, name: str, shapes: tuple[tuple[int, ...], ...]) -> None:
        bits = check_array(getattr(self, name), name)
        if bits.dtype != bool or bits.shape not in shapes:
            wanted = " or ".join(str(list(shape)) for shape in dict.fromkeys(shapes))
            raise ValueError(
                f"{name}: expected true or false, of shape {wanted}, found {bits.dtype} of shape "
                f"{list(bits.shape)}"
            )
        bits = bits.copy()
        bits.setflags(write=False)
        object.__setattr__(self, name, bits)

    def _check_details(self, count: int) -> None:
        for name, texts in self.details.items():
            check_name(name, "details", DETAILS, "columns")
            check_kind(texts, name, tuple, "a text for each candidate")
            if len(texts) != count:
                raise ValueError(f"{name}: expected {count}, one a candidate, found {len(texts)}")
            for text in filter(None, texts):
                check_printable(text, name, MOST_TEXT)

    @property
    def shared(self) -> bool:
        """Whether several models are trained on one and the same draw."""
        return self.models > len(self.coins)

    @property
    def in_training(self) -> Bool[np.ndarray, "models candidates"]:
        """Whether each candidate is in the training set of each model."""
        return np.broadcast_to(self.coins, (self.models, len(self.candidates)))

    @property
    def to_forget(self) -> Bool[np.ndarray, "models candidates"]:
        """Whether each candidate is in the training set of each model, and to be forgotten."""
        return self.in_training & self.found

    @cached_property
    def commitment(self) -> str:
        """SHA-256, 64 hexadecimal digits, of everything in the design, nonce and coins included."""
        return digest_json({"public": self._public, "sealed": self.sealed_record()})

    def record(self) -> dict[str, Any]:
        """What may be published before training, as JSON values: all but nonce and coins.

        Example:
            >>> from indist import oracles
            >>> record = oracles.draw_coins(["ann", "bob"], found=1.0, seed=0).record()
            >>> "coins" in record, record["candidates"][0]
            (False, {'candidate': 'ann', 'found': True})
        """
        return self._public | {"commitment": self.commitment}

    @property
    def _public(self) -> dict[str, Any]:
        columns = {"candidate": self.candidates, "found": self.found.tolist(), **self.details}
        return {
            "format": FORMAT,
            "version": VERSION,
            "models": self.models,
            "shared": self.shared,
            "seeded": self.seeded,
            "settings": self.settings,
            "scenario": self.scenario,
            "candidates": [
                dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
            ],
        }

    def sealed_record(self) -> dict[str, Any]:
        """What is sealed until the audit, as JSON values: nonce and coins, which open it."""
        rows = ["".join("1" if coin else "0" for coin in row) for row in self.coins.tolist()]
        return {"format": COINS_FORMAT, "version": VERSION, "nonce": self.nonce, "coins": rows}

    def save(self, directory: Path | str) -> None:
        """Writes the design into a new folder, all of it or nothing.

        ``design.json`` holds all but nonce and coins, and may be published; where names or texts of
        candidates are nobody's business, publish its commitment alone. ``training.csv`` is for
        whoever trains: a line for each model and candidate, with 1 or 0 for ``in_training`` and
        ``forget``; it shows the coins.
        ``coins.json`` holds nonce and coins, and only its owner may read it; an audit needs it
        beside ``design.json``.

        A folder that holds anything is refused, and nothing can replace a design: coins are drawn
        once, as whoever draws again until a draw suits them has no fair coins any more.

        Args:
            directory: one that is not there, or is empty.

        Raises:
            FileError: when the folder holds something, or is the current one.

        Example:
            >>> import tempfile
            >>> from indist import oracles
            >>> design = oracles.draw_coins(["ann", "bob"], found=1.0, seed=0)
            >>> folder = Path(tempfile.mkdtemp()) / "design"
            >>> design.save(folder)
            >>> oracles.load_design(folder).commitment == design.commitment
            True
        """
        check_kind(directory, "directory", (str, Path), "a path")
        write_folder(
            Path(directory),
            {
                COINS_FILE: json_bytes(self.sealed_record()),
                TRAINING_FILE: self._training_table().encode(),
                DESIGN_FILE: json_bytes(self.record()),
            },
            secret=(COINS_FILE,),
        )

    def _training_table(self) -> str:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["model", "candidate", "in_training", "forget"])
        pairs = zip(self.in_training.astype(int), self.to_forget.astype(int), strict=True)
        for model, (inside, forget) in enumerate(pairs):
            columns = (self.candidates, inside.tolist(), forget.tolist())
            table.writerows((model, *row) for row in zip(*columns, strict=True))
        return text.getvalue()


def plain(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The same as JSON gives it back, so that what is hashed is what a file holds."""
    check_kind(values, name, Mapping, "names and JSON values")
    try:
        return json.loads(json_bytes(dict(values)))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name}: expected JSON values, found others ({error})") from None
