"""Designs by coins: what they hold, what binds them, and files that do not fit."""

import json
import math
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oracles
from oracles.storage.files import FileError

NAMES = tuple(f"page {k}" for k in range(12))
DETAILS = {"label": tuple("abcabcabcabc"), "person": ("ann", "") * 6}


def drawn(**changes: Any) -> oracles.CoinDesign:
    usual: dict[str, Any] = {"found": 0.5, "models": 3, "seed": 4, "details": DETAILS}
    return oracles.draw_coins(NAMES, **(usual | changes))


CHANGES: dict[str, Callable[[oracles.CoinDesign], Any]] = {
    "candidates": lambda design: (*NAMES[:-1], "another"),
    "found": lambda design: ~design.found,
    "coins": lambda design: design.coins ^ (np.arange(36).reshape(3, 12) == 20),
    "models": lambda design: 3,
    "nonce": lambda design: "0" * 64,
    "settings": lambda design: {**design.settings, "delta": 0.02},
    "details": lambda design: {**design.details, "person": ("bob", "") * 6},
    "scenario": lambda design: {"name": "circles"},
    "seeded": lambda design: False,
}


def test_the_commitment_is_of_every_field() -> None:
    design = replace(drawn(), models=3)
    assert set(CHANGES) == set(oracles.CoinDesign.__dataclass_fields__)
    shared = drawn(shared=True)
    found = {design.commitment, shared.commitment, replace(shared, models=4).commitment}
    for name, change in CHANGES.items():
        if name != "models":
            found.add(replace(design, **{name: change(design)}).commitment)
    assert len(found) == 2 + len(CHANGES)
    assert replace(design).commitment == design.commitment


def test_the_commitment_stays_what_it_is() -> None:
    """A design that was published must open with any later version: this digest is kept."""
    design = oracles.CoinDesign(
        candidates=("ann", "bob"),
        found=np.array([True, False]),
        coins=np.array([[False, True]]),
        models=1,
        nonce="ab" * 32,
        settings={"delta": 0.01, "confidence": 0.95},
        details={"text": ("é", "")},
    )
    kept = "b1a7f289c54f33785696a1d08eef6885090d85671c2b58b6985659aeef6f95c8"
    assert design.commitment == kept


def test_in_training_and_to_forget() -> None:
    own, shared = drawn(), drawn(shared=True)
    assert own.in_training.shape == shared.in_training.shape == (3, 12)
    assert (own.to_forget == (own.coins & own.found)).all()
    assert (shared.in_training == shared.coins[0]).all()
    assert (own.shared, shared.shared, drawn(models=1).shared) == (False, True, False)
    assert (own.coins[0] != own.coins[1]).any()


def test_coins_are_fair_and_independent() -> None:
    """20,000 coins in 100 rows: mean, and agreement of neighbours, within 4 standard errors.

    Each of the three limits fails by chance for one seed in 16,000.
    """
    design = oracles.draw_coins([str(k) for k in range(200)], found=0.3, models=100, seed=11)
    for bits in (design.coins, design.coins[1:] ^ design.coins[:-1], design.coins ^ design.found):
        assert abs(bits.mean() - 0.5) < 4 * 0.5 / math.sqrt(bits.size)
    # Of 200 draws at .3 the mean is within 4 standard errors, too.
    assert abs(design.found.mean() - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 200)


def test_a_seed_draws_the_same_again_and_none_draws_another() -> None:
    assert drawn().commitment == drawn().commitment != drawn(seed=5).commitment
    assert drawn(seed=None).commitment != drawn(seed=None).commitment
    assert (drawn().seeded, drawn(seed=None).seeded) == (True, False)
    more = drawn(models=5)
    assert (more.coins[:3] == drawn().coins).all()
    assert (more.found == drawn().found).all()


def test_what_is_published_says_nothing_of_the_coins() -> None:
    """Designs that differ in coins and nonce alone differ in the commitment alone."""
    one = drawn()
    other = replace(one, coins=~one.coins, nonce="0" * 64)
    records = [design.record() for design in (one, other)]
    assert records[0].pop("commitment") != records[1].pop("commitment")
    assert records[0] == records[1]


@pytest.mark.parametrize("shared", [False, True])
def test_files(tmp_path: Path, shared: bool) -> None:
    design = drawn(shared=shared, scenario={"name": "pages", "settings": {"seed": 1}})
    folder = tmp_path / "deep" / "design"
    design.save(folder)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["coins.json", "design.json", "training.csv"]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["design"]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes["coins.json"] == 0o600
    assert modes["design.json"] & 0o044
    back = oracles.load_design(folder)
    assert back.commitment == design.commitment
    assert (back.coins == design.coins).all()
    assert (back.found == design.found).all()
    assert (back.candidates, back.details) == (design.candidates, design.details)
    assert (back.models, back.shared, back.seeded) == (3, shared, True)
    lines = (folder / "training.csv").read_text().splitlines()
    assert lines[0] == "model,candidate,in_training,forget"
    bits = zip(design.in_training.ravel(), design.to_forget.ravel(), strict=True)
    expected = [f"{k // 12},page {k % 12},{int(c)},{int(s)}" for k, (c, s) in enumerate(bits)]
    assert lines[1:] == expected
    assert design.nonce not in (folder / "design.json").read_text()


def test_an_empty_folder_is_taken_and_a_full_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    drawn().save(tmp_path / "empty")
    with pytest.raises(FileError, match="holds something already; give a new folder: coins are"):
        drawn(seed=5).save(tmp_path / "empty")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / ".note").touch()
    with pytest.raises(FileError, match="holds something already"):
        drawn().save(tmp_path / "hidden")
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="expected a new folder, found a file"):
        drawn().save(tmp_path / "file")
    assert oracles.load_design(tmp_path / "empty").commitment == drawn().commitment


def test_the_current_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match="expected a new folder, found the current one"):
        drawn().save(".")


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left") as found:
        drawn().save(tmp_path / "design")
    assert found.value.filename == str(tmp_path / "design")
    assert list(tmp_path.iterdir()) == []


BAD_DRAWS: dict[str, tuple[dict[str, Any], str]] = {
    "no models": ({"models": 0}, "models: expected at least 1"),
    "chance": ({"found": 1.5}, r"found: expected a number in \(0, 1\], found 1.5"),
    "few found": (
        {"found": [True]},
        r"found: expected true or false for each of 12, or a chance, found \[True\]",
    ),
    "seed": ({"seed": -1}, "seed: expected an integer"),
    "column": (
        {"details": {"colour": DETAILS["label"]}},
        "details: expected columns text, label, group, person, found",
    ),
    "short column": ({"details": {"label": ("a",)}}, "label: expected 12, one a candidate"),
    "unprintable": ({"details": {"text": ("\x1b",) * 12}}, "text: expected printable"),
    "nan": ({"settings": {"delta": math.nan}}, "settings: expected JSON values"),
    "object": ({"settings": {"delta": object()}}, "settings: expected JSON values"),
    "surrogate": ({"settings": {"delta": "\ud800"}}, "settings: expected JSON values"),
    "many": ({"models": 1_000_000}, "models times candidates times observables: expected at most"),
    "many observables": (
        {"settings": {"observables": [f"score {k}" for k in range(50_000)]}},
        "observables: expected at most 1,500,000, found 1,800,000",
    ),
    "unknown setting": (
        {"settings": {"delta": 0.1, "typo": 3}},
        "settings: expected confidence, delta, observables, weights, ranks or baseline, found 'ty",
    ),
    "delta": ({"settings": {"delta": 1.0}}, r"delta: expected a number in \[0, 1\), found 1.0"),
    "confidence": ({"settings": {"confidence": 1.0}}, "confidence: expected a number in"),
    "confidence of a half": (
        {"settings": {"confidence": 1.0 - 2.0**-53}},
        r"confidence: expected at most 1 - 2\^-52, as questions share the level, found 0.99999",
    ),
    "one observable": ({"settings": {"observables": "score"}}, "observables: expected a list"),
    "no observables": ({"settings": {"observables": []}}, "observables: expected at least one"),
    "observables twice": (
        {"settings": {"observables": ["margin", "loss", "margin"]}},
        "observables: expected each once, found 'margin' twice",
    ),
    "unprintable observable": (
        {"settings": {"observables": ["red \x1b[31m"]}},
        "observables: expected printable characters",
    ),
    "spaced observable": (
        {"settings": {"observables": ["margin "]}},
        "observables: expected names without spaces around them, found 'margin '",
    ),
    **{
        name: (
            {"settings": {"observables": [name]}},
            f"observables: expected columns of numbers, found '{name}', which names the line of a",
        )
        for name in ("candidate", "model", "group")
    },
    "weights": ({"settings": {"weights": {"grid": 1}}}, "settings: weights: expected centres"),
    "share": ({"settings": {"weights": {"main": 2.0}}}, r"main: expected a number in \(0, 1\)"),
    "one centre": (
        {"settings": {"weights": {"centres": 0.0}}},
        "settings: weights: centres: expected a list, found 0.0",
    ),
    "ranks": ({"settings": {"ranks": [4]}}, "ranks: expected different ones from 1 to 3"),
    "one rank": ({"settings": {"ranks": 1}}, "settings: ranks: expected a list, found 1"),
    "baseline": ({"settings": {"baseline": "x"}}, "baseline: expected 64 hexadecimal digits"),
}


@pytest.mark.parametrize("case", BAD_DRAWS)
def test_draws_that_are_refused(case: str) -> None:
    changes, message = BAD_DRAWS[case]
    with pytest.raises((TypeError, ValueError), match=message):
        drawn(**changes)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b", "a"], "candidates: expected unique names, found 'a' twice"),
        ([], "candidates: expected 1 to 100,000, found 0"),
        (["a", ""], "candidates: expected a name of 1 to 1000 characters"),
        (["a\u202e"], "candidates: expected printable characters"),
    ],
)
def test_names_that_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        oracles.draw_coins(names, found=1.0)


def test_a_nonce_and_coins_that_are_refused() -> None:
    design = drawn()
    with pytest.raises(ValueError, match="nonce: expected 64 hexadecimal digits"):
        replace(design, nonce="A" * 64)
    with pytest.raises(ValueError, match=r"coins: expected .* \[1, 12\] or \[3, 12\], found bool"):
        replace(design, coins=design.coins[:2])


def changed(folder: Path, file: str, change: Callable[[Any], None]) -> None:
    held = json.loads((folder / file).read_text())
    change(held)
    (folder / file).write_text(json.dumps(held))


HOSTILE: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "format": ("design.json", lambda d: d.update(format="x"), "field format: .*found 'x'"),
    "version": ("design.json", lambda d: d.update(version=2), "field version: .*found 2"),
    "unknown": ("design.json", lambda d: d.update(more=1), "field more: "),
    "missing": ("design.json", lambda d: d.pop("seeded"), "field seeded: "),
    "bit": ("design.json", lambda d: d["candidates"][3].update(found=1), "candidates.3.found: "),
    "name": ("design.json", lambda d: d["candidates"][3].update(candidate="page 2"), "'page 2' tw"),
    "hole": ("design.json", lambda d: d["candidates"][3].pop("label"), "candidates.3.label: expec"),
    "none": ("design.json", lambda d: d.update(candidates=[]), "field candidates: "),
    "models": ("design.json", lambda d: d.update(models=10**9), "field models: "),
    "fewer": ("design.json", lambda d: d.update(models=2), "field coins: expected 2, as design"),
    "found": ("design.json", lambda d: d["candidates"][3].update(found=False), "field commitment"),
    "delta": ("design.json", lambda d: d["settings"].update(delta=0.5), "field commitment: expect"),
    "typo": ("design.json", lambda d: d["settings"].update(typo=3), "field settings: expected con"),
    "nan": ("design.json", lambda d: d["settings"].update(delta=math.nan), "expected JSON values"),
    "digest": (
        "design.json",
        lambda d: d.update(commitment="0" * 64),
        "field commitment: expected",
    ),
    "short": ("coins.json", lambda d: d["coins"].__setitem__(1, "01"), "coins.1: expected 12 digi"),
    "digit": ("coins.json", lambda d: d["coins"].__setitem__(1, "2" * 12), "field coins.1: "),
    "coin": ("coins.json", lambda d: d["coins"].__setitem__(1, "1" * 12), "field commitment"),
    "nonce": ("coins.json", lambda d: d.update(nonce="0" * 64), "field commitment"),
    "list": ("coins.json", lambda d: d.update(coins="0"), "field coins: "),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, case: str) -> None:
    file, change, message = HOSTILE[case]
    drawn(found=[True] * 12).save(tmp_path / "d")
    changed(tmp_path / "d", file, change)
    with pytest.raises(FileError, match=message) as found:
        oracles.load_design(tmp_path / "d")
    assert str(found.value).startswith(str(tmp_path / "d"))
    assert len(str(found.value)) < 600


@pytest.mark.parametrize("content", [b"", b"[", b"[" * 100_000, b"\xff\xfe", b"null", b"{}"])
def test_bytes_that_are_no_design_are_refused(tmp_path: Path, content: bytes) -> None:
    drawn().save(tmp_path / "d")
    (tmp_path / "d" / "coins.json").write_bytes(content)
    with pytest.raises(FileError, match=r"coins\.json: field "):
        oracles.load_design(tmp_path / "d")


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"design\.json: cannot be read"):
        oracles.load_design(tmp_path)
    drawn().save(tmp_path / "d")
    (tmp_path / "d" / "coins.json").unlink()
    with pytest.raises(FileError, match=r"coins\.json: cannot be read"):
        oracles.load_design(tmp_path / "d")


def test_candidates_from_files(tmp_path: Path) -> None:
    table = tmp_path / "pages.csv"
    table.write_text('candidate,found,text,person\na,1,"two\nlines",ann\nb,False,,\n', "utf-8-sig")
    lines = tmp_path / "pages.jsonl"
    rows = [
        {"candidate": "a", "found": 1, "text": "two\nlines", "person": "ann"},
        {"candidate": "b", "found": False, "text": None, "person": ""},
    ]
    lines.write_text("\n\n".join(map(json.dumps, rows)))
    for read in map(oracles.read_candidates, (table, str(lines))):
        assert read.names == ("a", "b")
        assert read.found is not None
        assert read.found.tolist() == [True, False]
        assert read.details == {"text": ("two lines", ""), "person": ("ann", "")}
    numbers = tmp_path / "numbers.jsonl"
    numbers.write_text('{"candidate": 7, "label": 3}\n')
    assert oracles.read_candidates(numbers).names == ("7",)
    assert oracles.read_candidates(numbers).found is None


BAD_TABLES = {
    "": "expected 1 to 100,000 candidates, found 0",
    "candidate\n": "expected 1 to 100,000 candidates, found 0",
    "name\na\n": "line 2: expected columns among candidate, found, .*found 'name'",
    "label\na\n": "line 2: expected the column candidate, found none",
    "candidate,candidate\na,b\n": "line 1: expected each column once",
    "candidate,found\na\n": "line 2: expected 2 cells, found 1",
    "candidate,found\na,yes\n": "line 2: column found: expected 1 or 0, .*found 'yes'",
    "candidate\na\nb\na\n": "line 4: column candidate: expected unique names, found 'a' on line 2",
    "candidate\na\tb\n": "line 2: column candidate: expected a name of printable characters",
    'candidate\n"a\n': "line 2: is not CSV",
    f"candidate,text\na,{'x' * 1001}\n": "line 2: column text: expected at most 1000 characters",
    f"candidate,text\na,{'x' * 200_000}\n": "line 2: is not CSV",
}


@pytest.mark.parametrize("text", BAD_TABLES)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pages.csv"
    path.write_text(text)
    with pytest.raises(FileError, match=BAD_TABLES[text]):
        oracles.read_candidates(path)


BAD_LINES = {
    "[": "line 1: is not JSON",
    "[" * 100_000: "line 1: is not JSON",
    "[]": "line 1: expected an object",
    '{"candidate": true}': "line 1: column candidate: expected a text, found 'True'",
    '{"candidate": "a", "text": ["x"]}': "line 1: column text: expected a text",
    '{"candidate": "a"}\n{"candidate": "b", "label": "c"}': "line 2: .*first line, found label too",
    '{"candidate": "a", "label": "c"}\n{"candidate": "b"}': "line 2: expected the column label",
}


@pytest.mark.parametrize("text", BAD_LINES)
def test_lines_that_do_not_fit_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pages.jsonl"
    path.write_text(text)
    with pytest.raises(FileError, match=BAD_LINES[text]):
        oracles.read_candidates(path)


def test_other_bytes_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pages.csv").write_bytes(b"candidate\n\xff\n")
    with pytest.raises(FileError, match="expected text in UTF-8, found other bytes at 10"):
        oracles.read_candidates(tmp_path / "pages.csv")
    with pytest.raises(FileError, match="cannot be read"):
        oracles.read_candidates(tmp_path / "none.csv")
