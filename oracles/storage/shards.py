"""A population on disk: safetensors shards beside a JSON manifest, appended to and resumable.

The format is ``indist-population`` version 1; a reader of a later indist will read it.

``manifest.json`` states the recipe and lists the shards; a shard holds ``logits``
``[models, probes, classes]`` and each parameter under its path, as in ``params/kernel_0``, all with
the models first. Its name is a digest of recipe and models, and it carries the digest of its own
arrays: whoever finds a whole shard that no manifest lists knows what it is, and need not train it
again. So a run that is killed loses at most the shards in flight, and workers that share nothing
but the folder never repeat each other's work.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from oracles.storage._folder import Folder, open_folder
from oracles.storage.digests import digest_arrays, digest_json
from oracles.storage.files import FileError, expected, json_bytes, printable
from oracles.storage.folders import check_folder

__all__ = [
    "MANIFEST",
    "POPULATION_FORMAT",
    "RUNS_FORMAT",
    "StoreFormat",
    "PopulationFolder",
    "PopulationManifest",
    "Shard",
    "ShardEntry",
    "Span",
    "StoreError",
    "check_recipe",
    "check_store",
    "digest_shards",
    "first_problem",
    "leaves_by_path",
    "missing_spans",
    "parameters_in",
    "read_manifest",
    "read_shards",
    "refuse_difference",
    "shard_of",
    "split_damaged",
    "stored_arrays",
]

POPULATION_FORMAT = "indist-population"
"""What a manifest of a population says it is."""
RUNS_FORMAT = "indist-runs"
"""What a manifest of runs on random subsets says it is."""
StoreFormat = Literal["indist-population", "indist-runs"]
"""Either of them."""
MANIFEST = "manifest.json"
"""The file of a folder that lists its shards."""
_LARGEST_MANIFEST = 64 * 2**20


class StoreError(ValueError):
    """A folder cannot be used as asked; the message is one sentence for people."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class Span(NamedTuple):
    """Models ``start`` to ``stop - 1``."""

    start: int
    stop: int

    def __str__(self) -> str:
        return f"models {self.start} to {self.stop - 1}"


class ShardEntry(BaseModel):
    """One shard as the manifest lists it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    file: str = Field(pattern=r"^[0-9a-f]{5,64}\.safetensors$")
    start: int = Field(ge=0)
    stop: int = Field(gt=0)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def span(self) -> Span:
        """The models that it holds."""
        return Span(self.start, self.stop)


class PopulationManifest(BaseModel):
    """What ``manifest.json`` of a population holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: StoreFormat = POPULATION_FORMAT
    version: Literal[1] = 1
    recipe: dict[str, Any]
    shards: list[ShardEntry] = []


@dataclass(frozen=True, eq=False)
class Shard:
    """Some models of a population, in memory or in a file of a folder."""

    span: Span
    source: Mapping[str, np.ndarray] | tuple[Folder, str]
    digest: str

    def __len__(self) -> int:
        return self.span.stop - self.span.start

    def __str__(self) -> str:
        where = "{}/{}".format(*self.source) if isinstance(self.source, tuple) else "in memory"
        return f"{where} ({self.span})"

    def arrays(self) -> Mapping[str, np.ndarray]:
        """All arrays of the shard by name, checked against the digest.

        Raises:
            StoreError: when the file is missing, damaged, or not what the manifest says.
        """
        if not isinstance(self.source, tuple):
            return self.source
        folder, name = self.source
        try:
            arrays = load(folder.read(name))
        except (OSError, SafetensorError) as error:
            raise StoreError(f"{self}: cannot be read ({error})") from None
        if digest_arrays(arrays) != self.digest:
            raise StoreError(f"{self}: its numbers differ from the manifest's digest")
        return arrays


def shard_of(span: Span, arrays: Mapping[str, np.ndarray]) -> Shard:
    """A shard in memory from the arrays of one chunk of models."""
    arrays = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    return Shard(span, arrays, digest_arrays(arrays))


def digest_shards(shards: Sequence[Shard]) -> str:
    """SHA-256 over the models' own digests: the same however they were sharded."""
    return digest_json(
        [
            digest_arrays({name: value[k] for name, value in arrays.items()})
            for shard in shards
            for arrays in [shard.arrays()]
            for k in range(len(shard))
        ]
    )


def stored_arrays(params: Any, logits: np.ndarray) -> dict[str, np.ndarray]:
    """Parameters and logits of some models under the names they have in a shard."""
    return {"logits": logits, **dict(leaves_by_path({"params": params}, "/"))}


def parameters_in(arrays: Mapping[str, np.ndarray]) -> Any:
    """The parameter tree of a shard's arrays, models first."""
    tree: dict[str, Any] = {}
    for path in (path for path in arrays if path.startswith("params/")):
        _, *branches, leaf = path.split("/")
        branch = tree
        for name in branches:
            branch = branch.setdefault(name, {})
        branch[leaf] = arrays[path]
    return tree


def read_manifest(
    folder: Folder | Path, kind: StoreFormat = POPULATION_FORMAT
) -> PopulationManifest:
    """Reads and checks ``manifest.json``.

    Args:
        folder: the folder.
        kind: the format that is expected.

    Returns:
        The manifest.

    Raises:
        StoreError: when it is missing, not JSON of this format and version, or lists shards that
            overlap or are out of order.
    """
    folder = open_folder(folder)
    path = f"{folder}/{MANIFEST}"
    try:
        manifest = PopulationManifest.model_validate_json(folder.read(MANIFEST, _LARGEST_MANIFEST))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValidationError as error:
        raise StoreError(f"{path}: {first_problem(error)}") from None
    if manifest.format != kind:
        raise StoreError(f"{path}: field format: expected {kind}, found {manifest.format}")
    done = 0
    for shard in manifest.shards:
        if shard.start < done or shard.stop <= shard.start:
            raise StoreError(
                f"{path}: shard {shard.file}: expected models from {done} on, found {shard.span}"
            )
        done = shard.stop
    return manifest


def first_problem(error: ValidationError) -> str:
    """The first of pydantic's complaints as a clause: field, what was expected, what was found."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(map(str, problem["loc"])) or "the file"
    found = repr(problem.get("input"))
    return f"field {where}: {expected(problem['msg'])}, found {found[:60]}"


def read_shards(folder: Folder | Path, manifest: PopulationManifest) -> tuple[Shard, ...]:
    """The shards a manifest lists, their files not yet opened."""
    folder = open_folder(folder)
    return tuple(Shard(entry.span, (folder, entry.file), entry.digest) for entry in manifest.shards)


def missing_spans(held: Sequence[Span], models: int, chunk: int) -> list[Span]:
    """What is left to make of models 0 to ``models - 1``, in spans of at most ``chunk``.

    Example:
        >>> missing_spans([Span(0, 4), Span(8, 12)], 14, 3)
        [Span(start=4, stop=7), Span(start=7, stop=8), Span(start=12, stop=14)]
    """
    borders = [0, *(edge for span in held for edge in span), models]
    return [
        Span(start, min(start + chunk, stop))
        for first, stop in zip(borders[::2], borders[1::2], strict=True)
        for start in range(first, stop, chunk)
    ]


def check_store(
    where: Folder | Path | str, mark: str, what: str, *, resume: bool, own: Collection[str] = ()
) -> bool:
    """Whether a folder is to be continued; refuses one that may not be written to.

    Args:
        where: the folder, a path or a URL.
        mark: the file that tells such a folder.
        what: it holds where the mark is there, in words.
        resume: whether it is to be continued.
        own: names of files that an interrupted run may have left without the mark.

    Returns:
        True when it has the mark, False when it is new.

    Raises:
        StoreError: when it holds other files, or has the mark and ``resume`` is not set.
    """
    folder = open_folder(where)
    try:
        # Another process, which may begin at the same time, writes the mark before all else.
        check_folder(folder, marks=(mark,), own=own)
    except FileError as error:
        raise StoreError(str(error)) from None
    if not folder.exists(mark):
        return False
    if not resume:
        raise StoreError(
            f"{folder}: already holds {what}; add --resume (in Python, resume=True) to continue, "
            "or give another folder"
        )
    return True


class PopulationFolder:
    """A population's folder while it is being written, by one process or by many."""

    def __init__(
        self,
        folder: Folder,
        recipe: Mapping[str, Any],
        *,
        resume: bool,
        models: int = 1,
        kind: StoreFormat = POPULATION_FORMAT,
    ) -> None:
        """Opens a new folder, or an old one of the same recipe when ``resume`` is set.

        It is to hold the first ``models``.

        Raises:
            StoreError: when the folder holds a population and ``resume`` is not set, or its recipe
                differs (the first setting that does is named), or it cannot be written.
        """
        self.folder, self.recipe = folder, dict(recipe)
        self.kind: StoreFormat = kind
        if not check_store(folder, MANIFEST, "a population", resume=resume):
            self.entries: list[ShardEntry] = []
            self._write_manifest()
            return
        manifest = check_recipe(folder, recipe, models, kind)
        self.recipe, self.entries = manifest.recipe, list(manifest.shards)

    def shards(self) -> tuple[Shard, ...]:
        """The shards that are listed."""
        return read_shards(self.folder, PopulationManifest(recipe=self.recipe, shards=self.entries))

    def append(self, shard: Shard) -> Shard:
        """Writes a shard and lists it; returns the shard on disk."""
        written = self.write(shard)
        self.enter(written)
        return written

    def write(self, shard: Shard) -> Shard:
        """Writes a shard that no manifest lists yet; returns the shard on disk."""
        assert isinstance(shard.source, Mapping)
        name = self._name(shard.span)
        data = save(dict(shard.source), metadata={"digest": shard.digest})
        self._write(name, data)
        return Shard(shard.span, (self.folder, name), shard.digest)

    def find(self, span: Span) -> Shard | None:
        """The shard of these models if somebody wrote it whole, listed or not."""
        name = self._name(span)
        try:
            data = self.folder.read(name)
            arrays = load(data)
        except (OSError, SafetensorError):
            return None
        digest = digest_arrays(arrays)
        is_whole = f'"digest":"{digest}"'.encode() in data[:4096]
        return Shard(span, (self.folder, name), digest) if is_whole else None

    def enter(self, shard: Shard) -> None:
        """Enters a shard of this folder in the manifest."""
        assert isinstance(shard.source, tuple)
        start, stop = shard.span
        entry = ShardEntry(file=shard.source[1], start=start, stop=stop, digest=shard.digest)
        self.entries = sorted([*self.entries, entry], key=lambda entry: entry.start)
        self._write_manifest()

    def sweep(self) -> None:
        """Removes what writers that were killed have left; only while nobody else writes."""
        for name in self.folder.names():
            if name.startswith(".") and name.endswith(".part"):
                self.folder.remove(name)

    def drop_damaged(self) -> list[Shard]:
        """Takes damaged shards off the manifest, to be made again; returns them.

        Raises:
            StoreError: when they are of indist 0.1 and cannot be made again.
        """
        kept, damaged = split_damaged(self.shards())
        if damaged and "randomness" not in self.recipe:
            raise StoreError(
                f"{damaged[0]}: is damaged and was made by indist 0.1, which drew batches by "
                "another law, so that it cannot be made again; --leave-out-damaged goes on without"
            )
        if damaged:
            spans = {shard.span for shard in kept}
            self.entries = [entry for entry in self.entries if entry.span in spans]
            self._write_manifest()
        return damaged

    def _name(self, span: Span) -> str:
        return f"{digest_json([self.recipe, *span])[:32]}.safetensors"

    def _write_manifest(self) -> None:
        self._write(MANIFEST, json_bytes(self._manifest().model_dump()))

    def _manifest(self) -> PopulationManifest:
        return PopulationManifest(format=self.kind, recipe=self.recipe, shards=self.entries)

    def _write(self, name: str, data: bytes) -> None:
        try:
            self.folder.write(name, data)
        except OSError as error:
            raise StoreError(
                f"{self.folder}/{name}: cannot be written ({error.strerror or error}); finished "
                "models are kept, and --resume continues when there is room"
            ) from None


def split_damaged(shards: Sequence[Shard]) -> tuple[list[Shard], list[Shard]]:
    """Shards that are as their digests say, and those that are not."""
    kept: list[Shard] = []
    damaged: list[Shard] = []
    for shard in shards:
        try:
            shard.arrays()
            kept.append(shard)
        except StoreError:
            damaged.append(shard)
    return kept, damaged


def check_recipe(
    folder: Folder | Path,
    recipe: Mapping[str, Any],
    models: int,
    kind: StoreFormat = POPULATION_FORMAT,
) -> PopulationManifest:
    """The manifest of a folder that is to hold the first models of a recipe.

    A folder of indist 0.1, whose recipe says nothing of randomness, may hold all of them already.

    Raises:
        StoreError: when it cannot be read, or was made by another recipe (the first setting that
            differs is named), or by indist 0.1 and lacks some of the models.
    """
    manifest = read_manifest(folder, kind)
    if "randomness" in recipe and "randomness" not in manifest.recipe:
        held = [entry.span for entry in manifest.shards]
        if missing_spans(held, max([models, *(span.stop for span in held)]), models):
            raise StoreError(
                f"{folder}: was made by indist 0.1, which drew batches by another law; it can be "
                "read, audited and verified, but nothing can be added to it; give another folder"
            )
        recipe = {name: value for name, value in recipe.items() if name != "randomness"}
    refuse_difference(folder, manifest.recipe, recipe)
    return manifest


def refuse_difference(
    folder: Folder | Path, found: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    """Raises StoreError naming the first setting in which a stored recipe differs."""
    old, new = dict(leaves_by_path(found, ".")), dict(leaves_by_path(wanted, "."))
    for name in [*new, *old]:
        if old.get(name) != new.get(name):
            raise StoreError(
                f"{folder}: was made with other settings: {name} is {old.get(name)!r} there and "
                f"{new.get(name)!r} here; give another folder or the same settings"
            )


def leaves_by_path(tree: Any, separator: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """What nested mappings hold, each with the keys that lead to it, joined by the separator.

    Example:
        >>> dict(leaves_by_path({"dense": {"kernel": 1, "bias": 2}}, "/"))
        {'dense/kernel': 1, 'dense/bias': 2}
    """
    if isinstance(tree, Mapping):
        for key, branch in tree.items():
            yield from leaves_by_path(
                branch, separator, f"{path}{separator}{key}" if path else str(key)
            )
    else:
        yield path, tree
