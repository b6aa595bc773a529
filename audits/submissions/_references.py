"""References that anybody trained: populations in files of any format, or in memory."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import oracles
from audits._reading import SubmissionError, as_path, refuse
from audits.formats._content import as_margins
from audits.submissions._align import ProbeList
from audits.submissions._submission import Submission, load_all
from estimators.kinds import check_kind
from oracles import Observations, Population

PARTS = ("untraining", "unlearning", "original")
"""Names of the populations of references; the last may be missing."""
_OBSERVATIONS = "observations"
_OWN = "references.json"
# A manifest lies beside its array, which is what is read.
_BESIDE = ".json"
_KINDS = (
    "observations, a population, or paths of files of any format that indist formats lists, as "
    "audits.load reads them"
)


PartGiven = Observations | Population | Submission | Path | str | Sequence[Path | str]
"""A population of references, or where it is read."""


class ObservedReferences:
    """References that were trained elsewhere, as by PyTorch, or of which only outputs are at hand.

    Where a part holds one number a model and example and no labels, all parts are reduced to
    margins.

    Attributes:
        untraining: models trained without the forget set.
        unlearning: models trained without the whole behaviour.
        original: the models before unlearning, or None.
        scenario: at whose probes they were observed, or None.
        margins_only: whether all parts were reduced to margins.

    Raises:
        SubmissionError: when a part cannot be read, or is to be run and no scenario says at what.
        TypeError: when a part is something else.

    Example:
        >>> import pathlib, tempfile
        >>> from indist import audits
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("untraining", "unlearning"):
        ...     lines = [f"{k},a,forget,1.5" for k in range(3)]
        ...     _ = (folder / f"{name}.csv").write_text(
        ...         chr(10).join(["model,probe,group,margin", *lines])
        ...     )
        >>> audits.ObservedReferences.read(folder).untraining.logits.shape
        (3, 1, 2)
    """

    def __init__(
        self,
        untraining: PartGiven,
        unlearning: PartGiven,
        original: PartGiven | None = None,
        *,
        scenario: "oracles.Scenario | None" = None,
    ) -> None:
        """Reads what is given as a file, and runs what is a model.

        Args:
            untraining: observations, a population, what `load` read, or a path, a pattern or
                several paths of the files of one population.
            unlearning: the same.
            original: the same, or None.
            scenario: parts that hold parameters or ONNX graphs are run on its probes, by its
                learner where they need one.
        """
        given = dict(zip(PARTS, (untraining, unlearning, original), strict=True))
        read = {
            name: _read(name, part)
            for name, part in given.items()
            if name != "original" or part is not None
        }
        self.scenario = scenario
        self.margins_only = any(
            isinstance(part, Submission) and part.margins_only for part in read.values()
        )
        seen: dict[str, Observations | Population] = {}
        for name, part in read.items():
            found = _observed(name, part, scenario)
            seen[name] = _margins(name, found) if self.margins_only else found
        self.untraining, self.unlearning = seen["untraining"], seen["unlearning"]
        self.original = seen.get("original")

    @property
    def probes(self) -> ProbeList:
        """The probes that they were observed at: the scenario's, or what observations say."""
        if self.scenario is not None and not self.margins_only:
            return self.scenario.probes
        return probes_of(self.untraining)

    @classmethod
    def read(
        cls, directory: Path | str, *, scenario: "oracles.Scenario | None" = None
    ) -> "ObservedReferences":
        """Reads a folder whose files or folders are named after the populations.

        ``untraining`` and ``unlearning``, and ``original`` where there is one, each with any
        ending of a format that ``indist formats`` lists; or the folder of a result of an audit,
        whose ``observations`` are of such names.

        Args:
            directory: the folder.
            scenario: see the class.

        Raises:
            SubmissionError: when one is missing, or stands there twice.
        """
        where = as_path(directory)
        if not where.is_dir():
            refuse(where, f"expected a folder of references, with {_expected()}")
        paths = _parts_in(where) or _parts_in(where / _OBSERVATIONS)
        for name in PARTS[:2]:
            if name not in paths:
                refuse(
                    where,
                    f"expected references: {_OWN}, as indist references writes it, or "
                    f"{_expected()}; found no {name}",
                )
        given: dict[str, Any] = dict(paths)
        return cls(**given, scenario=scenario)


def probes_of(reference: Population | Observations) -> ProbeList:
    """The probes that a population was observed at."""
    return reference.probes if isinstance(reference, Population) else reference


def _expected() -> str:
    return "untraining and unlearning, files or folders of any format that indist formats lists"


def _parts_in(folder: Path) -> dict[str, Path]:
    """Which file or folder holds which population; a folder that is not there holds none."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.stem in PARTS and (path.is_dir() or path.suffix != _BESIDE):
            found.setdefault(path.stem, []).append(path)
    for name, paths in found.items():
        if len(paths) > 1:
            refuse(
                folder,
                f"expected one file or folder of {name}, found "
                f"{' and '.join(path.name for path in paths)}",
            )
    return {name: paths[0] for name, paths in found.items()}


def _read(name: str, part: Any) -> Any:
    """What was handed in, files read."""
    paths = part if isinstance(part, list | tuple) else [part]
    if not paths or not all(isinstance(path, Path | str) for path in paths):
        check_kind(part, name, (Observations, Population, Submission), _KINDS)
        return part
    read = load_all(paths)
    if len(read) > 1:
        raise SubmissionError(
            f"{name}: expected the models of one population, in one file or in files of one model "
            f"each and of one format, found {len(read)} populations, {read[0].path} first"
        )
    return read[0]


def _observed(
    name: str, part: "Submission | Observations | Population", scenario: "oracles.Scenario | None"
) -> "Observations | Population":
    """What was seen of a part, which may be run on a scenario's probes."""
    if not isinstance(part, Submission):
        return part
    first = part.content[0].content if isinstance(part.content, tuple) else part.content
    if isinstance(first, Observations):
        return part.observe(first)
    if scenario is None:
        raise SubmissionError(
            f"{part.path}: holds models, which have to be run: give the scenario at whose probes "
            f"(--scenario FILE, in Python scenario=), or hand in observations of {name}"
        )
    return part.observe(scenario.probes, learner=scenario.learner, scenario=scenario.digest)


def _margins(name: str, seen: "Observations | Population") -> Observations:
    if isinstance(seen, Population):
        seen = seen.observe(seen.probes)
    try:
        return as_margins(seen)
    except ValueError as error:
        raise SubmissionError(f"{name}: {error}") from None


def reduced_to_margins(part: Any) -> Any:
    """A submission with nothing left but margins, to stand beside references of margins alone.

    Raises:
        SubmissionError: when it holds models that have to be run.
    """
    if isinstance(part, Submission):
        if part.margins_only:
            return part
        if isinstance(part.content, tuple):
            content = tuple(reduced_to_margins(run) for run in part.content)
            return replace(part, content=content, margins_only=True)
        if not isinstance(part.content, Observations):
            raise SubmissionError(
                f"{part.path}: expected observations, as the references hold margins alone and "
                "nothing says at what inputs its models are to be run"
            )
        return replace(part, content=as_margins(part.content), margins_only=True)
    return _margins("submission", part) if isinstance(part, Observations | Population) else part
