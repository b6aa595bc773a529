"""The JSON manifest beside an observation array: format ``indist-observations``, version 1.

A promise about a stored format: every later indist reads version 1.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
from oracles import PROBE_GROUPS, Group
from oracles.storage.files import MOST_TEXT, first_repeated

FORMAT = "indist-observations"
VERSION = 1


class ProbeEntry(BaseModel):
    """One probe: a column of the array."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    id: str = Field(min_length=1, max_length=MOST_ID)
    group: Group
    label: int = Field(ge=0, le=2**31 - 1)
    person: str = Field(default="", max_length=MOST_ID)
    text: str = Field(default="", max_length=MOST_TEXT)


class ObservationsManifest(BaseModel):
    """What stands beside ``logits``: the probes in the order of its columns, and who made it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    format: Literal["indist-observations"]
    version: Literal[1]
    probes: list[ProbeEntry] = Field(min_length=1)
    digest: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    name: str | None = Field(default=None, min_length=1, max_length=200)
    method: str | None = Field(default=None, min_length=1, max_length=200)
    seeds: int | list[int] | None = None
    # Of what `indist ingest` makes of one number a model and example.
    margins_only: bool = False

    @property
    def ids(self) -> np.ndarray:
        """The probes' ids."""
        return np.array([probe.id for probe in self.probes])

    @property
    def groups(self) -> np.ndarray:
        """The probes' groups."""
        return np.array([probe.group for probe in self.probes])

    @property
    def labels(self) -> np.ndarray:
        """The probes' labels, int32."""
        return np.array([probe.label for probe in self.probes], dtype=np.int32)

    @property
    def persons(self) -> np.ndarray:
        """Whom the probes belong to; empty texts for nobody."""
        return np.array([probe.person for probe in self.probes], dtype=object)

    @property
    def texts(self) -> np.ndarray:
        """What the probes are, for reports to show; empty texts for nothing."""
        return np.array([probe.text for probe in self.probes], dtype=object)


def read_manifest(path: Path, limits: Limits) -> ObservationsManifest:
    """Reads and checks a manifest.

    Args:
        path: the JSON file.
        limits: the most it may hold.

    Returns:
        The manifest, its probe ids unique and its seeds distinct.

    Raises:
        SubmissionError: in one sentence, at the first thing that is wrong.
    """
    content = read_json(path, limits)
    check_format(path, content, FORMAT, VERSION)
    try:
        manifest = ObservationsManifest.model_validate(content)
    except ValidationError as error:
        _refuse_group(path, error)
        refuse_fields(path, error)
    seen: set[str] = set()
    for place, probe in enumerate(manifest.probes):
        if probe.id in seen:
            refuse(path, f"field probes.{place}.id: expected unique ids, found {probe.id!r} twice")
        seen.add(probe.id)
    check_ids(path, [probe.id for probe in manifest.probes])
    check_persons(path, [probe.person for probe in manifest.probes])
    if isinstance(manifest.seeds, list):
        twice = first_repeated(manifest.seeds)
        if twice is not None:
            refuse(path, f"field seeds: expected another seed for each model, found {twice} twice")
    return manifest


def _refuse_group(path: Path, error: ValidationError) -> None:
    problem = error.errors(include_url=False)[0]
    if problem["loc"] and problem["loc"][-1] == "group" and problem["type"] == "literal_error":
        where = ".".join(map(str, problem["loc"]))
        found = repr(problem["input"])[:60]
        refuse(path, f"field {where}: expected one of {', '.join(PROBE_GROUPS)}, found {found}")
