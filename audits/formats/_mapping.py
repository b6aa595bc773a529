"""What a file leaves unsaid, in a JSON file of its own: format ``indist-mapping``, version 1.

Most files that people hold say neither which examples their columns are nor which group each
belongs to. Nothing of that is guessed: it stands in a mapping, which lies beside the file as
``NAME.map.json``, inside the folder as ``map.json``, or is handed over. A reader refuses a mapping
that says what it does not use. A promise about a stored format: every later indist reads version 1.
"""

from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from audits._reading import (
    MOST_ID,
    Limits,
    check_format,
    check_ids,
    check_persons,
    read_json,
    refuse,
    refuse_fields,
)
from oracles import Group
from oracles.storage.arrays import Form, check_range, map_npy
from oracles.storage.files import MOST_TEXT, first_repeated

FORMAT = "indist-mapping"
VERSION = 1

Scalar = Literal["margin", "probability", "loss"]

_INDEX = Form("iu", "[examples]", (1,))
_ABOUT = {"format", "version", "name", "method", "seeds", "leave_out_not_finite"}


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MappedProbe(_Said):
    """One example.

    Attributes:
        id: its unique name.
        group: its probe group.
        label: its label; left out where there is one number a model and example.
        person: whom it belongs to; an audit gives all examples of a person one row.
        text: what it is, for reports to show.
    """

    id: str = Field(min_length=1, max_length=MOST_ID)
    group: Group
    label: int | None = Field(default=None, ge=0, le=2**31 - 1)
    person: str = Field(default="", max_length=MOST_ID)
    text: str = Field(default="", max_length=MOST_TEXT)


class Part(_Said):
    """Some examples of one of a format's splits, and the probe group that they form.

    Attributes:
        split: the split, by the format's own name.
        group: their probe group.
        rows: which of the split's examples: indices from 0, or the name of an ``.npy`` file of
            them; all if left out.
        without: which of those not, in the same way.
        labels: name of an ``.npy`` file with the label of every example of the split, where the
            format has logits and no labels.
    """

    split: str = Field(min_length=1, max_length=200)
    group: Group
    rows: str | list[int] | None = None
    without: str | list[int] | None = None
    labels: str | None = None


class Step(_Said):
    """One step from an array of a file to a parameter: a reshape, or a transposition.

    Attributes:
        reshape: the new shape.
        transpose: the order of axes, as ``numpy.transpose`` takes it.
    """

    reshape: list[int] | None = None
    transpose: list[int] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Step":
        if (self.reshape is None) == (self.transpose is None):
            raise ValueError("expected either reshape or transpose")
        return self


class Source(_Said):
    """Where a parameter of the learner comes from.

    Attributes:
        name: of the array in the file.
        steps: what is done to it, in order.
    """

    name: str = Field(min_length=1, max_length=1000)
    steps: list[Step] = Field(default=[], max_length=8)


class Mapping(_Said):
    """What a file leaves unsaid. Each reader names the fields that it needs.

    Attributes:
        format: ``indist-mapping``.
        version: 1.
        name: of the submission; that of its path if left out.
        method: that made it.
        seeds: of its models.
        leave_out_not_finite: leave out the models that hold NaN, infinity, or a probability or loss
            at its bound, and say how many; otherwise the file is refused.
        clip: how near to 0 and to 1 a probability may come, in (0, 0.5); those nearer, and losses
            of such probabilities, are moved there. Without it such numbers at 0 or 1 are refused.
        scalar: what one number a model and example is: the margin ln p_y − ln Σ_{j≠y} p_j, the
            probability p_y, or the loss −ln p_y, in nats.
        probes: the examples, in the order of columns or, where columns have names, in any.
        parts: the examples by split.
        select: which of several things in a file or folder, by the names that its reader states.
        parameters: where each parameter of the learner comes from, by its path such as
            ``kernel_0``; or ``order``, see `audits.formats`.
    """

    format: Literal["indist-mapping"] = FORMAT
    version: Literal[1] = VERSION
    name: str | None = Field(default=None, min_length=1, max_length=200)
    method: str | None = Field(default=None, min_length=1, max_length=200)
    seeds: int | list[int] | None = None
    leave_out_not_finite: bool = False
    clip: float | None = Field(default=None, gt=0.0, lt=0.5)
    scalar: Scalar | None = None
    probes: list[MappedProbe] | None = Field(default=None, min_length=1)
    parts: list[Part] | None = Field(default=None, min_length=1, max_length=1000)
    select: dict[str, str | int | bool] = Field(default={}, max_length=20)
    parameters: dict[str, Source] | Literal["order"] | None = None
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path:
        """Where it was read."""
        return self._file or Path("mapping")

    def check_used(self, kind: str, *used: str, select: tuple[str, ...] = ()) -> None:
        """Refuses fields that a reader does not use.

        Args:
            kind: name of the format.
            *used: fields that it uses, beside those about the submission.
            select: what it can select.

        Raises:
            SubmissionError: when another field is set.
        """
        for name in sorted(self.model_fields_set - _ABOUT - {*used, "select"}):
            refuse(self.file, f"field {name}: expected none, as format {kind} does not use it")
        for name in sorted(set(self.select) - set(select)):
            known = ", ".join(select) or "nothing"
            refuse(self.file, f"field select.{name[:60]}: expected {known} in format {kind}")

    def selected(self, path: Path, name: str, kind: type[Any], what: str) -> Any:
        """What must be selected.

        Args:
            path: the file or folder that is read.
            name: of the selection.
            kind: its type.
            what: it is, in words.

        Raises:
            SubmissionError: when it is not selected, or of another type.
        """
        found = self.select.get(name)
        if found is None:
            refuse(path, f"field select.{name} of its mapping: expected {what}, found none")
        if type(found) is not kind:
            wanted = {str: "text", int: "a whole number", bool: "true or false"}[kind]
            refuse(self.file, f"field select.{name}: expected {wanted}, found {str(found)[:60]!r}")
        return found

    def array(self, name: str) -> np.ndarray:
        """Whole numbers in an ``.npy`` file that the mapping names; it lies beside the mapping.

        Raises:
            SubmissionError: when it lies elsewhere or holds something else.
        """
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts or inside.suffix != ".npy":
            refuse(
                self.file, f"expected .npy files in or below its own folder, found {name[:60]!r}"
            )
        return map_npy(self.file.parent / name, _INDEX)

    def rows(self, part: Part, length: int) -> np.ndarray:
        """The examples of a part, int64, ascending where all but some are meant.

        Args:
            part: the part.
            length: how many examples its split has.

        Raises:
            SubmissionError: on indices outside the split or named twice, or when none is left.
        """
        chosen = np.arange(length) if part.rows is None else self._index(part.rows, length)
        if part.without is not None:
            chosen = chosen[~np.isin(chosen, self._index(part.without, length))]
        if not chosen.size:
            refuse(self.file, f"field parts: expected examples of {part.split!r}, found none")
        return chosen

    def _index(self, rows: str | list[int], length: int) -> np.ndarray:
        where = self.file.parent / rows if isinstance(rows, str) else self.file
        name = "" if isinstance(rows, str) else "parts.rows"
        if isinstance(rows, str):
            index = np.array(self.array(rows))
        else:
            # Beyond int64 stays out of range.
            index = np.array([max(-1, min(row, 2**62)) for row in rows], dtype=np.int64)
        check_range(where, name, index, 0, length - 1)
        index = index.astype(np.int64)
        if len(np.unique(index)) < len(index):
            refuse(where, "expected each example once, found repeats")
        return index


def read_mapping(path: Path, limits: Limits) -> Mapping:
    """Reads and checks a mapping.

    Args:
        path: the JSON file.
        limits: the most it may hold.

    Returns:
        The mapping, its probe ids unique.

    Raises:
        SubmissionError: in one sentence, at the first thing that is wrong.
    """
    content = read_json(path, limits)
    check_format(path, content, FORMAT, VERSION)
    try:
        mapping = Mapping.model_validate(content)
    except ValidationError as error:
        refuse_fields(path, error)
    mapping._file = path
    ids = [probe.id for probe in mapping.probes or ()]
    twice = first_repeated(ids)
    if twice is not None:
        refuse(path, f"field probes: expected unique ids, found {twice[:60]!r} twice")
    check_ids(path, ids)
    check_persons(path, [probe.person for probe in mapping.probes or ()])
    return mapping


def find_mapping(path: Path, limits: Limits) -> Mapping:
    """The mapping that lies beside a file or inside a folder, or an empty one.

    Raises:
        SubmissionError: when there is one that cannot be read.
    """
    beside = path / "map.json" if path.is_dir() else path.with_name(path.name + ".map.json")
    if beside.exists():
        return read_mapping(beside, limits)
    mapping = Mapping()
    mapping._file = beside
    return mapping
