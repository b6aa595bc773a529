"""Scenario files: the page's example, each way to name examples, round trips, and bad files."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from indist import audits, oracles
from indist._cli._app import app

PAGE = Path(__file__).parents[2] / "docs" / "scenario-files.md"

WORLD = """
title = "points above the line"
[data]
kind = "npz"
path = "train.npz"
[behaviour]
column = "shows"
[forget]
discovery = 0.5
[probes]
count = 6
data = { kind = "npz", path = "test.npz" }
behaviour_test = { column = "shows" }
near = { indices = "near.txt" }
[learner]
make = "mlp"
hidden = [4]
steps = 20
batch = 8
"""


def write(folder: Path, text: str = WORLD, seed: int = 0) -> Path:
    """A small world of three classes: 40 training points, 30 fresh ones, B = 10 of the former."""
    rng = np.random.default_rng(seed)
    for name, count in (("train", 40), ("test", 30)):
        labels = np.arange(count) % 3
        shows = np.arange(count) % 4 == 1
        arrays = {"x": rng.normal(size=(count, 2)), "y": labels, "shows": shows}
        np.savez(folder / f"{name}.npz", **arrays)
    (folder / "near.txt").write_text("0\n2\n4\n")
    np.save(folder / "b.npy", np.array([5, 1, 9]))
    path = folder / "world.toml"
    path.write_text(text)
    return path


def load(path: Path, **knobs: Any) -> oracles.Scenario:
    return oracles.scenarios.load(str(path), seed=0, **knobs)


def test_the_page_s_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = {kind: text for kind, text in re.findall(r"```(python|toml)\n(.*?)```", page, re.S)}
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(blocks["python"], names)
    Path("crossed.toml").write_text(blocks["toml"])
    world = oracles.scenarios.load("crossed.toml", seed=0)
    crossed, test = names["crossed"], names["test"]
    assert world.name == "crossed.toml"
    np.testing.assert_array_equal(world.behaviour, np.flatnonzero(crossed[~test]))
    np.testing.assert_array_equal(world.forget, world.behaviour[::2])
    np.testing.assert_array_equal(world.train.inputs, names["images"][~test] / np.float32(16))
    np.testing.assert_array_equal(world.train.labels, names["labels"][~test])
    groups, counts = np.unique(world.probes.groups, return_counts=True)
    assert set(groups) == set(oracles.PROBE_GROUPS)
    assert counts.max() == 60
    near = world.probes.groups == "near"
    assert (world.probes.labels[near] == 3).all()
    module = oracles.learners.make("mlp", world.train, 10, hidden=[64], steps=300)
    assert world.learner == module


def test_probes_come_from_what_belongs_to_them(tmp_path: Path) -> None:
    world = load(write(tmp_path))
    fresh = np.load(tmp_path / "test.npz")
    shows, near = fresh["shows"], np.isin(np.arange(30), [0, 2, 4])
    pools = {
        "forget": world.train.inputs[world.forget],
        "behaviour": world.train.inputs[np.setdiff1d(world.behaviour, world.forget)],
        "retain": world.train.inputs[world.excluding(world.behaviour)],
        "behaviour_test": fresh["x"][shows].astype(np.float32),
        "near": fresh["x"][near].astype(np.float32),
        "test": fresh["x"][~shows & ~near].astype(np.float32),
    }
    for group, pool in pools.items():
        found = world.probes.inputs[world.probes.groups == group]
        assert len(found) == min(6, len(pool))
        assert len(np.unique(found, axis=0)) == len(found)
        assert all((pool == one).all(axis=1).any() for one in found), group


@pytest.mark.parametrize(("count", "most"), [("", (500, 100)), ("count = 120", (120, 120))])
def test_all_of_s_is_observed_unless_the_file_says_fewer(
    count: str, most: tuple[int, int], tmp_path: Path
) -> None:
    arrays = {"x": np.arange(2000.0)[:, None], "y": np.arange(2000) % 2}
    np.savez(tmp_path / "train.npz", **arrays, shows=np.arange(2000) < 900)
    text = re.sub("(?m)^(data = .*test|behaviour_test|near).*$", "", WORLD)
    world = load(write_text(tmp_path, text.replace("count = 6", count)))
    sizes = {name: int((world.probes.groups == name).sum()) for name in ("forget", "retain")}
    assert sizes == {"forget": min(450, most[0]), "retain": most[1]}


def write_text(folder: Path, text: str) -> Path:
    (folder / "world.toml").write_text(text)
    return folder / "world.toml"


def test_a_file_says_whose_the_training_examples_are(tmp_path: Path) -> None:
    persons = [f"p{k % 7}" if k % 3 else "" for k in range(40)]
    (tmp_path / "persons.txt").write_text("\n".join(persons) + "\n")
    path = write(tmp_path, WORLD.replace("count = 6", 'count = 6\npersons = "persons.txt"'))
    world = load(path)
    whose = dict(zip((x.tobytes() for x in world.train.inputs), persons, strict=True))
    assert world.probes.persons is not None
    expected = [whose.get(x.tobytes(), "") for x in world.probes.inputs]
    assert list(world.probes.persons) == expected
    assert any(expected)
    for text, message in (
        ("a\nb\n", "persons.txt: expected 40 lines, one for each training example, found 2"),
        (39 * "\n" + "a\x1bb\n", "persons.txt: line 40: expected printable characters"),
    ):
        (tmp_path / "persons.txt").write_text(text)
        with pytest.raises(ValueError, match=message):
            load(path)
    assert world.digest != load(write(tmp_path)).digest


def test_the_seed_draws_s_and_probes_and_nothing_else(tmp_path: Path) -> None:
    path = str(write(tmp_path))
    first, again, other = (oracles.scenarios.load(path, seed=seed) for seed in (0, 0, 1))
    assert first.digest == again.digest != other.digest
    np.testing.assert_array_equal(first.behaviour, other.behaviour)
    assert not np.array_equal(first.forget, other.forget)
    assert load(Path(path), discovery=0.2).discovery == 0.2


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ('column = "shows"', range(1, 40, 4)),
        ('indices = "b.npy"', [1, 5, 9]),
        ('indices = "near.txt"', [0, 2, 4]),
        ("label = 2", range(2, 40, 3)),
    ],
)
def test_ways_to_name_examples(part: str, expected: Any, tmp_path: Path) -> None:
    world = load(
        write(tmp_path, WORLD.replace('[behaviour]\ncolumn = "shows"', f"[behaviour]\n{part}"))
    )
    assert world.behaviour.tolist() == list(expected)


def test_a_listed_forget_set_has_no_discovery_to_choose(tmp_path: Path) -> None:
    path = write(tmp_path, WORLD.replace("discovery = 0.5", 'indices = "b.npy"'))
    world = load(path)
    assert world.forget.tolist() == [1, 5, 9]
    assert world.settings == {"seed": 0}
    with pytest.raises(ValueError, match="field forget: expected discovery, which was asked for"):
        load(path, discovery=0.5)


def test_probes_and_classes_may_be_left_out(tmp_path: Path) -> None:
    start, rest = WORLD.split("[probes]")
    world = load(write(tmp_path, start + "[learner]" + rest.split("[learner]")[1]))
    assert set(world.probes.groups) == {"forget", "behaviour", "retain"}
    assert world.classes == 3
    assert load(write(tmp_path, "classes = 5" + WORLD)).classes == 5


def test_references_are_loaded_again_by_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    world = oracles.scenarios.load("world.toml", seed=3, discovery=0.3)
    oracles.references(world, models=2, seed=0, directory="refs")
    again = oracles.load_references("refs").scenario
    assert again.digest == world.digest
    assert again.settings == {"seed": 3, "discovery": 0.3}

    write(tmp_path, seed=1)
    with pytest.raises(oracles.StoreError, match="made of other data.* than world.toml has now"):
        oracles.load_references("refs")

    write(tmp_path, WORLD.replace("steps = 20", "steps = 21"))
    with pytest.raises(oracles.StoreError, match="made of other data, sets, probes or learner"):
        oracles.load_references("refs")

    write(tmp_path, WORLD.replace("points", "dots"))
    with pytest.raises(oracles.StoreError, match="title is 'points above the line' there"):
        oracles.load_references("refs")

    write(tmp_path).rename("moved.toml")
    with pytest.raises(oracles.StoreError, match=r"refs/references.json: .*found none from the fo"):
        oracles.load_references("refs")


def test_a_learner_of_the_user_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "indist_test_factory.py").write_text(
        "from indist import oracles\n"
        "def wide(train, classes, *, factor):\n"
        "    hidden = (factor * train.inputs.shape[1],)\n"
        "    return oracles.learners.make('mlp', train, classes, hidden=hidden)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    start = WORLD.split("make =")[0]
    world = load(write(tmp_path, f'{start}make = "indist_test_factory:wide"\nfactor = 3\n'))
    assert world.learner == oracles.learners.make("mlp", world.train, 3, hidden=[6])


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_line_takes_a_file(tmp_path: Path) -> None:
    path, refs, done = write(tmp_path), tmp_path / "refs", tmp_path / "made"
    made = run("references", path, "-o", refs, "--models", 8, "--data-seed", 2)
    assert made.exit_code == 0, made.output
    made = run("unlearn", path, "--method", "identity", "--references", refs, "-o", done)
    assert made.exit_code == 0, made.output
    named = ("--scenario", path)
    made = run("audit", done, "--references", refs, "-o", tmp_path / "audit", *named)
    assert made.exit_code == 0, made.output
    assert audits.verify(tmp_path / "audit" / "certificate.json") == []
    made = run("references", tmp_path / "no.toml", "-o", tmp_path / "other")
    assert made.exit_code == 2
    assert "expected a scenario file, found none" in made.output


def changed(**changes: str) -> str:
    """The world's text with some pieces replaced, named by their key."""
    text = WORLD
    for key, line in changes.items():
        text, count = re.subn(rf"(?m)^{key} = .*$", line.replace("\\", r"\\"), text, count=1)
        assert count
    return text


BAD: Mapping[str, tuple[str, str]] = {
    "unknown table": (WORLD.replace("[behaviour]", "[behavior]"), r"'behavior' \(did you mean beh"),
    "unknown key": (
        changed(path='pth = "train.npz"'),
        r"field data: .*'pth' \(did you mean path\?",
    ),
    "unknown probe key": (
        changed(near='nea = "a"'),
        r"field probes: .*'nea' \(did you mean near\?",
    ),
    "unlike any": (changed(count="zzz = 1"), r"field probes: expected count, .*, found 'zzz'$"),
    "no kind": (changed(kind=""), "field data.kind: expected one of npz, idx, .*found None"),
    "other kind": (changed(kind='kind = "csv"'), "field data.kind: .*found 'csv'"),
    "no title": (changed(title=""), "field title: expected, found none"),
    "no path": (changed(path=""), "field data.path: expected, found none"),
    "not a table": ("data = 3\n" + changed(kind="").replace("[data]", "[other]"), "found 'other'"),
    "number as path": (changed(path="path = 3"), "field data.path: .*string, found 3"),
    "text as number": (changed(count='count = "6"'), "field probes.count: .*integer, found '6'"),
    "low count": (changed(count="count = 0"), "field probes.count: .*greater than or equal to 1"),
    "infinite scale": (
        changed(path='path = "t"\nscale = inf'),
        "field data.scale: .*finite number",
    ),
    "two ways": (
        changed(column='column = "shows"\nlabel = 1'),
        "field behaviour: expected exactly one of column, indices, label, found column and label",
    ),
    "no way": (
        changed(discovery=""),
        "field forget: expected exactly one of column, indices, disc",
    ),
    "high discovery": (changed(discovery="discovery = 1.5"), "field forget.discovery: .*1"),
    "one class": ("classes = 1" + WORLD, "field classes: .*greater than or equal to 2, found 1"),
    "label too large": ("classes = 2" + WORLD, "expected training labels 0 to 1, found 0 to 2"),
    "parts of nothing": (
        changed(data=""),
        "field probes: expected data to take behaviour_test and",
    ),
    "no file": (changed(path='path = "no.npz"'), r"no\.npz: cannot be read \(No such file"),
    "no column": (
        changed(column='column = "no"'),
        "array 'no': expected, found only 'x', 'y', 'sh",
    ),
    "no indices": (changed(column='indices = "no.npy"'), r"no\.npy: cannot be read"),
    "no suffix": (changed(column='indices = "b"'), r"b: cannot be read \(No such"),
    "wrong suffix": (changed(column='indices = "train.npz"'), "name ending in .npy or .txt, found"),
    "no such label": (changed(column="label = 7"), "expected examples of label 7, found none"),
    "all of it": (
        changed(column='indices = "all.txt"'),
        "expected training examples outside the b",
    ),
    "too far": (
        changed(column='indices = "far.txt"'),
        "far.txt: expected indices 0 to 39, found 40",
    ),
    "repeats": (changed(column='indices = "twice.txt"'), "expected each index once, found repeats"),
    "no index": (changed(column='indices = "word.txt"'), "line 2: expected an index, found '-1'"),
    "empty": (changed(column='indices = "empty.txt"'), "expected each index once, found none"),
    "bytes": (changed(column='indices = "bytes.txt"'), "cannot be read as text in UTF-8"),
    "real": (
        changed(column='indices = "real.npy"'),
        "real.npy: expected whole numbers, found floa",
    ),
    "stray": (
        changed(discovery='indices = "near.txt"'),
        "expected the forget set inside the behav",
    ),
    "two groups": (
        changed(near="near = { label = 0 }"),
        "field probes.near: found example 9 in two",
    ),
    "other type": (
        changed(data='data = { kind = "npz", path = "test.npz", inputs = "whole" }'),
        "expected inputs of float32 like the training examples, found int32",
    ),
    "other shape": (
        changed(data='data = { kind = "npz", path = "test.npz", inputs = "wide" }'),
        r"probes.data: expected inputs of \(2,\) like the training examples, found \(3,\)",
    ),
    "no learner": (
        changed(make='make = "forest"'),
        "field learner: .*expected one of mlp.*'forest'",
    ),
    "no setting": (changed(hidden="hiden = [4]"), "field learner: .*found 'hiden'"),
    "no module": (changed(make='make = "no.such:thing"'), "field learner: .*importable"),
    "not TOML": ("title = ", "expected TOML, found something else"),
    "deep": ("a = " + "[" * 9000, "expected TOML, found something else"),
    "large": ("#" * 2**20 + "\n", "expected at most 1048576 bytes of TOML, found 1048577"),
}


@pytest.mark.parametrize("case", BAD)
def test_one_sentence_for_what_does_not_fit(case: str, tmp_path: Path) -> None:
    text, message = BAD[case]
    path = write(tmp_path, text)
    fresh = dict(np.load(tmp_path / "test.npz"))
    np.savez(tmp_path / "test.npz", **fresh, whole=np.ones((30, 2), int), wide=np.ones((30, 3)))
    np.save(tmp_path / "real.npy", np.ones(2))
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\n")
    for name, lines in {
        "all": range(40),
        "far": [40],
        "twice": [1, 1],
        "word": [1, -1],
        "empty": [],
    }.items():
        (tmp_path / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(ValueError, match=message) as error:
        load(path)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_knobs_of_a_file_are_two(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected knobs seed, discovery, found 'poisoned'"):
        load(write(tmp_path), poisoned=3)


VALUES = st.recursive(
    st.one_of(st.integers(-2, 9), st.floats(), st.booleans(), st.sampled_from(["npz", "x", ""])),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["kind", "column", "label"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(of)}" for key, of in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return str(value).lower() if isinstance(value, (bool, float)) else repr(value)


@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(key="data", value={"kind": [1]})
@example(key="data", value=3)
@given(
    key=st.sampled_from(
        ["title", "kind", "path", "column", "discovery", "count", "data", "behaviour_test", "near"]
    ),
    value=VALUES,
)
def test_any_value_of_any_key_gives_a_sentence_or_a_world(
    key: str, value: Any, tmp_path: Path
) -> None:
    path = write(tmp_path, changed(**{key: f"{key} = {as_toml(value)}"}))
    sentence = ""
    try:
        load(path)
    except ValueError as error:
        sentence = str(error)
    assert not sentence or (sentence.startswith(str(tmp_path)) and "\n" not in sentence)
