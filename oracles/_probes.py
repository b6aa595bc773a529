"""Examples, probes, and what an auditor sees of models at the probes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Int, Shaped
from safetensors.numpy import save
from scipy.special import logsumexp

from estimators.checks import check_array
from estimators.kinds import check_kind
from oracles.storage.digests import digest_arrays
from oracles.storage.files import (
    MOST_TEXT,
    check_printable,
    printable,
    write_bytes_atomic,
    write_json_atomic,
)

Group = Literal["forget", "behaviour", "behaviour_test", "near", "retain", "test"]
"""The name of a probe group."""

PROBE_GROUPS: tuple[Group, ...] = get_args(Group)
"""The probe groups, in the order in which tables show them."""

OBSERVATIONS_FORMAT = "indist-observations"
OBSERVATIONS_VERSION = 1


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled examples.

    Attributes:
        inputs: float32 ``[examples, *features]``, or int32 tokens ``[examples, length]``.
        labels: int32 ``[examples]``.
    """

    inputs: Shaped[np.ndarray, "examples ..."]
    labels: Int[np.ndarray, " labels"]

    def __post_init__(self) -> None:
        _take_arrays(self, "inputs", "labels")
        if len(self.inputs) != len(self.labels):
            raise ValueError(
                f"inputs and labels: expected as many of each, found {len(self.inputs)} inputs "
                f"and {len(self.labels)} labels"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: Any) -> "Examples":
        """The examples at an index array or boolean mask."""
        return Examples(self.inputs[index], self.labels[index])


def _take_arrays(held: Any, *names: str) -> None:
    """Puts arrays in the place of lists and of other libraries' tensors."""
    for name in names:
        object.__setattr__(held, name, check_array(getattr(held, name), name))


def check_subset(name: str, index: np.ndarray, total: int) -> None:
    """Raises ValueError unless these are indices of a nonempty part of ``total`` examples."""
    check_array(index, name)
    if not index.size:
        raise ValueError(f"{name}: expected at least one training example, found none")
    if index.ndim != 1 or index.dtype.kind not in "iu":
        raise ValueError(f"{name}: expected a list of training indices, found {index.dtype}")
    if index.min() < 0 or index.max() >= total:
        wrong = index[(index < 0) | (index >= total)][0]
        raise ValueError(f"{name}: expected indices 0 to {total - 1}, found {wrong}")
    if len(np.unique(index)) < len(index):
        raise ValueError(f"{name}: expected each training example once, found repeats")


@dataclass(frozen=True, eq=False)
class Probes:
    """Examples at which models are observed, with their groups.

    Attributes:
        inputs: float32 ``[probes, *features]``.
        labels: int32 ``[probes]``; on probes of the behaviour, the label that *shows* it.
        groups: one of `PROBE_GROUPS` for each probe.
        ids: a unique name for each probe, of 1 to 1000 printable characters.
        persons: whom each probe belongs to, a name like an id; the empty text for nobody. None
            where no probe belongs to anybody.
    """

    inputs: Shaped[np.ndarray, "probes ..."]
    labels: Int[np.ndarray, " labels"]
    groups: Shaped[np.ndarray, " groups"]
    ids: Shaped[np.ndarray, " ids"]
    persons: Shaped[np.ndarray, " persons"] | None = None

    def __post_init__(self) -> None:
        _take_arrays(self, "inputs", "labels", "groups", "ids")
        _check_probes(len(self.inputs), self.labels, self.groups, self.ids)
        _take_persons(self, len(self.inputs))

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the probes' inputs, labels, groups and ids, and of persons where there are."""
        return digest_arrays({"inputs": self.inputs, **_described(self)})

    @staticmethod
    def join(parts: Sequence[tuple[str, Examples]]) -> "Probes":
        """Probes from ``(group, examples)`` pairs; ids are ``group/0000`` and so on.

        Empty groups are left out.
        """
        filled = [(group, part) for group, part in parts if len(part)]
        return Probes(
            inputs=np.concatenate([part.inputs for _, part in filled]),
            labels=np.concatenate([part.labels for _, part in filled]),
            groups=np.array([group for group, part in filled for _ in range(len(part))]),
            ids=np.array([f"{group}/{k:04d}" for group, part in filled for k in range(len(part))]),
        )


def listed_probes(probes: "Probes | Observations") -> list[dict[str, Any]]:
    """Id, group and label of each probe, and its person and text if any, as manifests list them."""
    listed: list[dict[str, Any]] = [
        {"id": str(i), "group": str(g), "label": int(y)}
        for i, g, y in zip(probes.ids, probes.groups, probes.labels, strict=True)
    ]
    texts = probes.texts if isinstance(probes, Observations) else None
    for name, values in (("person", probes.persons), ("text", texts)):
        for entry, value in zip(listed, [] if values is None else values, strict=False):
            if value:
                entry[name] = str(value)
    return listed


def _described(probes: "Probes | Observations") -> dict[str, np.ndarray]:
    """What is in the digest of probes besides their inputs, or of what was seen at them."""
    arrays = {"labels": probes.labels, "groups": probes.groups, "ids": probes.ids}
    # Where nobody is named the digest is that of earlier versions.
    return arrays if probes.persons is None else arrays | {"persons": probes.persons}


def _take_persons(held: "Probes | Observations", count: int) -> None:
    """Checks whom the probes belong to; where that is nobody throughout, there are no persons."""
    if held.persons is None:
        return
    persons = _texts(held.persons, "persons", count)
    for name in filter(None, persons):
        check_printable(name, "persons")
    # As objects: one long name does not widen all others.
    object.__setattr__(held, "persons", np.array(persons, dtype=object) if any(persons) else None)


def _listed(persons: np.ndarray | None) -> list[str] | None:
    return None if persons is None else persons.tolist()


def _texts(values: Any, name: str, count: int) -> list[str]:
    """One text a probe."""
    array = check_array(values, name)
    if array.shape != (count,):
        raise ValueError(f"{name}: expected {count}, one a probe, found shape {array.shape}")
    for value in array.tolist():
        check_kind(value, name, str, "texts")
    return array.tolist()


def _check_probes(count: int, labels: Any, groups: Any, ids: Any) -> None:
    for name, array in (("labels", labels), ("groups", groups), ("ids", ids)):
        if array.ndim != 1:
            raise ValueError(f"{name}: expected one a probe, found shape {array.shape}")
    if not len(labels) == len(groups) == len(ids) == count:
        raise ValueError(
            f"probes: expected {count} labels, groups and ids, found "
            f"{len(labels)}, {len(groups)} and {len(ids)}"
        )
    unknown = sorted(set(map(str, groups)) - set(PROBE_GROUPS))
    if unknown:
        raise ValueError(
            f"probe groups: expected only {', '.join(PROBE_GROUPS)}, found {unknown[0]!r}"
        )
    for name in ids.tolist():
        check_printable(name, "probe ids")
    names, counts = np.unique(np.asarray(ids), return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f"probe ids: expected unique ids, found {str(names[counts > 1][0])!r} twice"
        )


@dataclass(frozen=True, eq=False)
class Observations:
    """What an auditor sees of a population: logits at the probes. The narrow waist of indist.

    Attributes:
        logits: float32 ``[models, probes, classes]``, finite.
        labels: int32 ``[probes]``.
        groups: the probe group of each probe.
        ids: the unique name of each probe, of 1 to 1000 printable characters.
        persons: whom each probe belongs to, a name like an id; the empty text for nobody. None
            where no probe belongs to anybody.
        texts: what each probe is, for reports to show: at most 1000 characters, empty for
            nothing; what is not printable is replaced. None where there is nothing to show. They
            are no part of the digest.

    Raises:
        TypeError: when logits are not real numbers, labels not whole ones, or ids no text.
        ValueError: on shapes that do not fit, an unknown group, an id that is repeated or not
            printable, a person that is not printable, a text that is too long, a label outside
            the classes, a number that is not finite (its model and probe are named), a masked
            array, or integers that float64 cannot hold.
    """

    logits: Float[np.ndarray, "..."]
    labels: Int[np.ndarray, " labels"]
    groups: Shaped[np.ndarray, " groups"]
    ids: Shaped[np.ndarray, " ids"]
    persons: Shaped[np.ndarray, " persons"] | None = None
    texts: Shaped[np.ndarray, " texts"] | None = None

    def __post_init__(self) -> None:
        _take_arrays(self, "logits", "labels", "groups", "ids")
        for name, kinds, numbers in (("logits", "fiu", "real"), ("labels", "iu", "whole")):
            if getattr(self, name).dtype.kind not in kinds:
                found = getattr(self, name).dtype
                raise TypeError(f"{name}: expected {numbers} numbers, found dtype {found}")
        if self.logits.ndim != 3 or not self.logits.size or self.logits.shape[2] < 2:
            raise ValueError(
                "logits: expected [models, probes, classes] with at least 2 classes, found shape "
                f"{self.logits.shape}"
            )
        probes = self.logits.shape[1]
        _check_probes(probes, self.labels, self.groups, self.ids)
        _take_persons(self, probes)
        self._take_texts(probes)
        classes = self.logits.shape[2]
        if self.labels.min() < 0 or self.labels.max() >= classes:
            raise ValueError(
                f"labels: expected 0 to {classes - 1}, found {self.labels.min()} to "
                f"{self.labels.max()}"
            )
        finite = np.isfinite(self.logits).all(axis=2)
        if not finite.all():
            model, probe = (int(i) for i in np.argwhere(~finite)[0])
            raise ValueError(
                f"logits: expected finite numbers, found NaN or infinity in model {model} at "
                f"probe {str(self.ids[probe])!r}"
            )

    def _take_texts(self, count: int) -> None:
        if self.texts is None:
            return
        texts = [" ".join(printable(text).split()) for text in _texts(self.texts, "texts", count)]
        longest = max(texts, key=len)
        if len(longest) > MOST_TEXT:
            raise ValueError(
                f"texts: expected at most {MOST_TEXT} characters, found {len(longest)}: "
                f"{longest[:60]!r}"
            )
        object.__setattr__(self, "texts", np.array(texts, dtype=object) if any(texts) else None)

    @property
    def models(self) -> int:
        """How many models were observed."""
        return self.logits.shape[0]

    @cached_property
    def margins(self) -> Float[np.ndarray, "models probes"]:
        """Logit-scaled confidence of each probe's label, ln p_y − ln Σ_{j≠y} p_j, in nats."""
        labels = self.labels[None, :, None]
        logits = self.logits.astype(np.float64)
        label_logits = np.take_along_axis(logits, labels, axis=2)[:, :, 0]
        others = np.where(np.arange(logits.shape[2]) == labels, -np.inf, logits)
        return label_logits - np.asarray(logsumexp(others, axis=2))

    @cached_property
    def correct(self) -> Shaped[np.ndarray, "models probes"]:
        """Whether each model's most probable class is the probe's label (ties go to the lower)."""
        return self.logits.argmax(axis=2) == self.labels

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the arrays, whatever file they came from."""
        return digest_arrays({"logits": self.logits, **_described(self)})

    def probes_like(self, other: "Probes | Observations") -> bool:
        """Whether two sets have the same ids, groups, labels and persons in the same order."""
        return (
            np.array_equal(self.ids, other.ids)
            and np.array_equal(self.groups, other.groups)
            and np.array_equal(self.labels, other.labels)
            and _listed(self.persons) == _listed(other.persons)
        )

    def as_stored(self) -> "Observations":
        """The same in the types that a file holds, float32 logits and int32 labels.

        Raises:
            ValueError: when a logit is not finite in float32.
        """
        if self.logits.dtype == np.float32 and self.labels.dtype == np.int32:
            return self
        with np.errstate(over="ignore"):
            logits = self.logits.astype(np.float32)
        try:
            return replace(self, logits=logits, labels=self.labels.astype(np.int32))
        except ValueError as error:
            raise ValueError(f"{error} (in float32)") from None

    def save(self, stem: Path, **about: Any) -> None:
        """Writes ``stem.safetensors`` and ``stem.json``, each by a temporary name and a rename.

        The file holds float32, whatever the logits are in, and the digest is of what it holds.

        Args:
            stem: path without a suffix.
            **about: optional manifest fields (``name``, ``method``, ``seeds``).

        Raises:
            ValueError: when a logit is not finite in float32.
        """
        written = self.as_stored()
        manifest = {
            "format": OBSERVATIONS_FORMAT,
            "version": OBSERVATIONS_VERSION,
            "probes": listed_probes(self),
            "digest": written.digest,
            **about,
        }
        packed = save({"logits": np.ascontiguousarray(written.logits)})
        write_bytes_atomic(stem.with_name(stem.name + ".safetensors"), packed)
        write_json_atomic(stem.with_name(stem.name + ".json"), manifest)
