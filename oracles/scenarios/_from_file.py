"""Scenarios of users' own data: a TOML file ties data, behaviour, forget set, probes and learner.

Its tables, and what each may hold::

    title = "photographs of one person"   # what the behaviour is, in plain words
    classes = 10                          # optional; else the largest training label and one

    [data]                                # D: `oracles.data` says what each kind needs
    kind = "npz"                          # or "idx", "cifar-binary", "huggingface"
    path = "train.npz"
    inputs = "x"
    labels = "y"
    scale = 255.0                         # optional: what inputs are divided by

    [behaviour]                           # B: exactly one of
    column = "shows_it"                   #   a boolean column of the data
    indices = "behaviour.npy"             #   a file of indices, .npy or .txt with one a line
    label = 3                             #   every example of a class

    [forget]                              # S: exactly one of
    discovery = 0.5                       #   that part of B, drawn with the seed
    column = "was_found"
    indices = "found.txt"

    [probes]                              # optional, like all in it
    count = 200                           # the most of each group, drawn with the seed; else 500
                                          # of forget and behaviour, 100 of every other
    persons = "persons.txt"               # whom each training example belongs to, a line each
    data = { kind = "npz", path = "test.npz" }    # fresh examples
    behaviour_test = { column = "shows_it" }      # those that show B: column, indices or label
    near = { indices = "alike.npy" }              # those that look like B and are not

    [learner]
    make = "mlp"                          # a key of `oracles.learners.LEARNERS`, or module:factory
    hidden = [128]                        # its settings

Relative paths begin at the folder of the TOML file; they may lead out of it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
from jaxtyping import Int
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from oracles._learner import Learner
from oracles._named import check_data, check_scenario
from oracles._probes import PROBE_GROUPS, Examples, Probes
from oracles._scenario import Scenario
from oracles.data._cifar_binary import CifarBinary
from oracles.data._hugging_face import HuggingFace
from oracles.data._idx import Idx
from oracles.data._loaded import LIMITS, Loaded
from oracles.data._npz import Npz
from oracles.data._toml_table import TomlTable
from oracles.learners._registry import make
from oracles.randomness import choose
from oracles.scenarios._parts import HELD_A_GROUP, PROBES_A_GROUP, choose_forget
from oracles.storage.arrays import Form, check_bytes, map_npy
from oracles.storage.files import check_printable, file_size, refuse

_LARGEST_FILE = 2**20
_DATA_KINDS = ("npz", "idx", "cifar-binary", "huggingface")
_INDICES = Form("iu", "[indices]", (1,))

_Data = Annotated[Npz | Idx | CifarBinary | HuggingFace, Field(discriminator="kind")]


class _Chosen(TomlTable):
    """Examples of a data set, named in exactly one way."""

    column: str | None = Field(default=None, min_length=1)
    indices: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _check_one(self) -> Any:
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            names = ", ".join(type(self).model_fields)
            raise ValueError(
                f"expected exactly one of {names}, found {' and '.join(given) or 'none'}"
            )
        return self


class _Part(_Chosen):
    label: int | None = Field(default=None, ge=0)


class _Forget(_Chosen):
    discovery: float | None = Field(default=None, gt=0, le=1)


class _Probes(TomlTable):
    count: int | None = Field(default=None, ge=1)
    persons: str | None = Field(default=None, min_length=1)
    data: _Data | None = None
    behaviour_test: _Part | None = None
    near: _Part | None = None

    def most(self, group: str) -> int:
        """The most probes of a group."""
        held = group in ("forget", "behaviour")
        return self.count or (HELD_A_GROUP if held else PROBES_A_GROUP)

    @property
    def parts(self) -> dict[str, _Part]:
        """The groups that are named among the fresh examples."""
        named = {"behaviour_test": self.behaviour_test, "near": self.near}
        return {group: part for group, part in named.items() if part}

    @model_validator(mode="after")
    def _check_data(self) -> Any:
        if self.parts and not self.data:
            raise ValueError(f"expected data to take {' and '.join(self.parts)} from, found none")
        return self


class _Learner(BaseModel):
    """Its settings are for the factory to check."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    make: str


class _ScenarioFile(TomlTable):
    title: str = Field(min_length=1, max_length=200)
    classes: int | None = Field(default=None, ge=2, le=LIMITS.classes)
    data: _Data
    behaviour: _Part
    forget: _Forget
    probes: _Probes = _Probes()
    learner: _Learner


def from_file(file: str, *, seed: int, settings: Mapping[str, Any]) -> Scenario:
    """Builds the scenario of a TOML file.

    Args:
        file: its path, which becomes the scenario's name.
        seed: seed of what is drawn: S, unless the file lists it, and probes.
        settings: ``discovery`` or nothing; it takes the place of the file's.

    Returns:
        The scenario; its settings are what `oracles.scenarios.load` needs to build it again.

    Raises:
        ValueError: when the file or one that it names is missing, damaged or too large, or
            something in it does not fit; one sentence that names the file, the field, what was
            found and what was expected.
    """
    check_scenario(file)
    path = Path(file)
    for knob in settings:
        if knob != "discovery":
            raise ValueError(f"{file}: expected knobs seed, discovery, found {knob!r}")
    world = _read_file(path)
    loaded = _load_data(path, world.data, [world.behaviour, world.forget])
    train, rng = loaded.examples, np.random.default_rng(seed)
    behaviour = _indices(path, "behaviour", world.behaviour, loaded)
    note: dict[str, Any] = {"seed": seed}
    if world.forget.discovery is None:
        if settings:
            refuse(path, "field forget: expected discovery, which was asked for, found S listed")
        forget = _indices(path, "forget", world.forget, loaded)
    else:
        note["discovery"] = settings.get("discovery", world.forget.discovery)
        forget = choose_forget(rng, behaviour, note["discovery"])
    classes = world.classes or int(train.labels.max()) + 1
    if classes < 2:
        refuse(path, "field data: expected at least 2 classes, found label 0 alone")
    return Scenario(
        name=file,
        title=world.title,
        settings=note,
        train=train,
        forget=forget,
        behaviour=behaviour,
        probes=_probes(path, world.probes, train, forget, behaviour, rng),
        classes=classes,
        learner=_learner(path, world.learner, train, classes),
    )


def _read_file(path: Path) -> _ScenarioFile:
    if not path.exists():
        refuse(path, f"expected a scenario file, found none from the folder {Path.cwd()}")
    size = file_size(path)
    if size > _LARGEST_FILE:
        refuse(path, f"expected at most {_LARGEST_FILE} bytes of TOML, found {size}")
    try:
        return _ScenarioFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        _refuse_field(path, error)
    except OSError as error:
        refuse(path, f"cannot be read ({error.strerror})")
    except (ValueError, RecursionError) as error:
        refuse(path, f"expected TOML, found something else ({str(error)[:200]})")


def _refuse_field(path: Path, error: ValidationError) -> NoReturn:
    problem = error.errors(include_url=False)[0]
    # Where a table may be of several kinds, pydantic's path of the field names the kind too.
    where = ".".join(str(part) for part in problem["loc"] if part not in _DATA_KINDS)
    field = f"field {where}: " if where else ""
    if problem["type"] == "value_error":
        refuse(path, f"{field}{problem.get('ctx', {}).get('error')}")
    if problem["type"] == "missing":
        refuse(path, f"{field}expected, found none")
    if problem["type"] in ("model_type", "model_attributes_type"):
        refuse(path, f"{field}expected a table, found {problem['input']!r:.60}")
    if problem["type"].startswith("union_tag"):
        kind = problem["input"].get("kind")
        refuse(
            path,
            f"field {where}.kind: expected one of {', '.join(_DATA_KINDS)}, found {kind!r:.60}",
        )
    refuse(path, f"{field}{problem['msg']}, found {problem['input']!r:.60}")


def _load_data(path: Path, source: _Data, parts: list[Any]) -> Loaded:
    """A data set with the columns that its parts name."""
    columns = list(dict.fromkeys(part.column for part in parts if part.column))
    places = [source.path]
    if isinstance(source, Idx):
        places += [f"{source.path}/{name}" for name in (source.inputs, source.labels)]
    for place in places:
        check_data(str(path), path.parent, place)
    return source.read(path.parent, columns)


def _indices(
    path: Path, field: str, part: _Part | _Forget, loaded: Loaded
) -> Int[np.ndarray, " chosen"]:
    """The examples that a part names, sorted, at least one."""
    if part.indices is not None:
        check_data(str(path), path.parent, part.indices)
        return _read_indices(path.parent / part.indices, len(loaded.examples))
    if part.column is not None:
        chosen, what = loaded.columns[part.column], f"a true value in {part.column!r}"
    else:
        label = getattr(part, "label", None)
        chosen, what = loaded.examples.labels == label, f"examples of label {label}"
    if not chosen.any():
        refuse(path, f"field {field}: expected {what}, found none")
    return np.flatnonzero(chosen)


def _read_indices(path: Path, total: int) -> Int[np.ndarray, " indices"]:
    """Indices below ``total`` from a ``.npy`` file, or text with one a line; sorted."""
    check_bytes(path, file_size(path), LIMITS)
    if path.suffix == ".npy":
        found = map_npy(path, _INDICES).tolist()
    elif path.suffix == ".txt":
        found = _read_lines(path)
    else:
        refuse(path, f"expected a name ending in .npy or .txt, found {path.suffix[:20]!r}")
    for index in found:
        if not 0 <= index < total:
            refuse(path, f"expected indices 0 to {total - 1}, found {index}")
    if not found or len(set(found)) < len(found):
        refuse(path, f"expected each index once, found {'repeats' if found else 'none'}")
    return np.array(sorted(found), dtype=np.int64)


def _text_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        refuse(path, f"cannot be read as text in UTF-8 ({error})")


def _read_lines(path: Path) -> list[int]:
    found: list[int] = []
    for number, line in enumerate(_text_lines(path), start=1):
        text = line.strip()
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            refuse(path, f"line {number}: expected an index, found {text[:40]!r}")
        found.append(int(text))
    return found


def _probes(
    path: Path,
    table: _Probes,
    train: Examples,
    forget: np.ndarray,
    behaviour: np.ndarray,
    rng: np.random.Generator,
) -> Probes:
    """Probes of every group, each drawn from what belongs to it."""
    retain = np.setdiff1d(np.arange(len(train)), behaviour)
    pools = {
        "forget": (train, forget),
        "behaviour": (train, np.setdiff1d(behaviour, forget)),
        "retain": (train, retain),
    }
    if table.data:
        loaded = _load_data(path, table.data, list(table.parts.values()))
        fresh = loaded.examples
        for found, wanted in [
            (fresh.inputs.dtype, train.inputs.dtype),
            (fresh.inputs.shape[1:], train.inputs.shape[1:]),
        ]:
            if found != wanted:
                refuse(
                    path,
                    f"field probes.data: expected inputs of {wanted} like the training examples, "
                    f"found {found}",
                )
        rest = np.arange(len(fresh))
        for group, part in table.parts.items():
            found = _indices(path, f"probes.{group}", part, loaded)
            stray = np.setdiff1d(found, rest)
            if stray.size:
                refuse(path, f"field probes.{group}: found example {stray[0]} in two groups")
            pools[group] = (fresh, found)
            rest = np.setdiff1d(rest, found)
        pools["test"] = (fresh, rest)
    chosen = {
        group: choose(rng, pools[group][1], table.most(group))
        for group in PROBE_GROUPS
        if group in pools
    }
    probes = Probes.join([(group, pools[group][0].take(index)) for group, index in chosen.items()])
    if table.persons is None:
        return probes
    check_data(str(path), path.parent, table.persons)
    person = _read_persons(path.parent / table.persons, len(train))
    # Fresh examples are in no training set, and belong to nobody.
    persons = [
        person[k] if pools[group][0] is train else ""
        for group, index in chosen.items()
        for k in index
    ]
    return replace(probes, persons=np.array(persons, dtype=object))


def _read_persons(path: Path, total: int) -> list[str]:
    """The person of each of so many examples, a line each; an empty line stands for nobody."""
    check_bytes(path, file_size(path), LIMITS)
    persons = [line.strip() for line in _text_lines(path)]
    if len(persons) != total:
        refuse(path, f"expected {total} lines, one for each training example, found {len(persons)}")
    for number, name in enumerate(persons, start=1):
        try:
            if name:
                check_printable(name, f"line {number}")
        except ValueError as error:
            refuse(path, str(error))
    return persons


def _learner(path: Path, table: _Learner, train: Examples, classes: int) -> Learner:
    try:
        return make(table.make, train, classes, **(table.model_extra or {}))
    except ValueError as error:
        refuse(path, f"field learner: {error}")
