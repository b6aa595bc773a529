"""Submissions: what people hand in, from files to observations at the references' probes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import oracles
from audits import formats
from audits._reading import PICKLES, Limits, SubmissionError, as_path, matching, refuse
from audits.claims._declared import declared_claim
from audits.formats._logits import check_finite, read_logits
from audits.formats._others import other_kind
from audits.report.numbers import counted
from audits.submissions._align import ProbeList, align, check_classes
from audits.submissions._manifest import read_manifest
from audits.submissions._parameters import PopulationFiles, read_population
from oracles import Observations, Probes
from oracles.mechanisms import Claim
from oracles.storage.files import printable

MANIFEST = "manifest.json"
FORMATS = (
    "a population folder (manifest.json and .safetensors shards), one .npz or .safetensors "
    "array of logits with its .json manifest beside it, or a format that indist formats lists"
)


@dataclass(frozen=True, eq=False, repr=False)
class Submission:
    """A population that somebody hands in, as read by `load`.

    Attributes:
        name: its name, from its manifest or its path.
        path: where it was read.
        models: how many models it holds.
        method: the method it declares, or None.
        seeds: the seed or seeds it declares, or None.
        content: observations, the checked files of a population, models to be run, or submissions
            of one model each.
        limits: what its files were checked against.
        claim: the (epsilon, delta) against the untraining reference that it declares, or None.
        left_out: how many models were left out, as their numbers were not finite.
        margins_only: whether it holds one number a model and example, and so no labels: then it is
            compared with the references by margins alone.
    """

    name: str
    path: Path
    models: int
    method: str | None
    seeds: int | list[int] | None
    content: "Observations | PopulationFiles | formats.Runnable | tuple[Submission, ...]"
    limits: Limits = field(default_factory=Limits)
    claim: Claim | None = None
    left_out: int = 0
    margins_only: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", printable(self.name))
        object.__setattr__(self, "method", self.method and printable(self.method))

    def __repr__(self) -> str:
        method = f", method {self.method}" if self.method else ""
        return f"Submission({self.name!r}, {counted(self.models, 'model')}{method})"

    def observe(
        self,
        probes: ProbeList,
        *,
        learner: "oracles.Learner | None" = None,
        scenario: str | None = None,
    ) -> Observations:
        """What the submission shows at the references' probes, in their order.

        Args:
            probes: the probes of the references.
            learner: the references' learner, needed to run a population.
            scenario: digest of the references' scenario, compared with the population's own.

        Returns:
            Observations with logits ``[models, probes, classes]``; two classes and label 0 where
            it holds margins only.

        Raises:
            SubmissionError: when a probe is missing, unknown, or of another group or, where it has
                labels, of another label; when
                parameters do not fit the learner; when a number is not finite.
        """
        if isinstance(self.content, Observations):
            return align(self.content, probes, str(self.path), labels=not self.margins_only)
        if isinstance(self.content, tuple):
            return _joined(
                [
                    (run.observe(probes, learner=learner, scenario=scenario), str(run.path))
                    for run in self.content
                ]
            )
        if learner is None or not isinstance(probes, Probes):
            raise SubmissionError(
                f"{self.path}: expected references that hold models, to run the submitted "
                "parameters; found observations only"
            )
        if isinstance(self.content, PopulationFiles):
            # Loaded on use: reading takes no JAX, and running takes its start.
            from audits.submissions._run_parameters import observe_population

            return observe_population(self.content, probes, learner, scenario)
        return self.content.observe(probes, learner)


def load(
    path: Path | str,
    format: str | None = None,
    *,
    mapping: formats.Mapping | Path | str | None = None,
    limits: Limits | None = None,
) -> Submission:
    """Reads a submission, its sizes before its content.

    Two formats are native, the others are in `audits.formats`. Native are a folder of parameters
    as `oracles.unlearn` and `oracles.references` write it; and one array ``logits`` ``[models,
    probes, classes]`` in ``NAME.npz`` or ``NAME.safetensors`` with ``NAME.json`` beside it::

        {"format": "indist-observations", "version": 1,
         "probes": [{"id": "forget/0000", "group": "forget", "label": 3}, ...],
         "name": "mine", "method": "scrub", "seeds": [0, 1, 2]}

    ``name``, ``method``, ``seeds`` and ``digest`` may be left out. ``"margins_only": true``, with
    two classes and label 0 everywhere, says that there are margins and no labels. Nothing is ever
    unpickled.

    Args:
        path: the folder or the file.
        format: a name in `audits.formats.FORMATS`; found by content if left out.
        mapping: what a file of another format leaves unsaid; see `audits.formats.read`.
        limits: the most it may hold; `Limits` by default.

    Returns:
        The submission. Parameters stay on disk until the submission is observed.

    Raises:
        SubmissionError: in one sentence that names the file, the field, what was found and what
            was expected.
        ValueError: when no format has that name.

    Example:
        >>> import json, pathlib, tempfile
        >>> import numpy as np
        >>> from indist import audits
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> np.savez(folder / "mine.npz", logits=np.zeros((4, 1, 2)))
        >>> about = {"format": "indist-observations", "version": 1,
        ...          "probes": [{"id": "a", "group": "forget", "label": 0}], "method": "scrub"}
        >>> _ = (folder / "mine.json").write_text(json.dumps(about))
        >>> audits.load(folder / "mine.npz")
        Submission('mine', 4 models, method scrub)
    """
    where, limits = as_path(path), limits or Limits()
    kind = format or (None if _native(where) else formats.sniff(where))
    if kind is not None or mapping is not None:
        return _load_format(where, kind, mapping, limits)
    if where.is_dir():
        return _load_folder(where, limits)
    if not where.exists():
        refuse(where, f"not found; expected {FORMATS}")
    if where.suffix in PICKLES:
        refuse(where, f"is a pickle, which can run code when read; expected {FORMATS}")
    if where.suffix not in (".npz", ".safetensors"):
        if (told := other_kind(where)) is not None:
            refuse(where, told)
        refuse(where, f"unknown format {where.suffix or '(no suffix)'}; expected {FORMATS}")
    return _load_array(where, limits)


def load_all(
    patterns: Sequence[Path | str] | Path, *, limits: Limits | None = None
) -> list[Submission]:
    r"""Reads all submissions that paths and patterns name.

    Several files of one model each, all of one format, are taken for one submission: the models of
    one algorithm. All others are submissions of their own.

    Args:
        patterns: paths, or patterns such as ``models/*.onnx``.
        limits: the most that each may hold; `Limits` by default.

    Returns:
        The submissions, in the order in which they are named.

    Raises:
        SubmissionError: as `load`, or where a pattern names nothing.

    Example:
        >>> import pathlib, tempfile
        >>> from indist import audits
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for k in range(3):
        ...     text = f"model,probe,group,margin\n{k},a,forget,1.5\n"
        ...     _ = (folder / f"{k}.csv").write_text(text)
        >>> audits.load_all([f"{folder}/*.csv"])
        [Submission('0 and 2 more', 3 models)]
    """
    limits = limits or Limits()
    paths = matching(patterns, "a submission", limits)
    given = [load(path, limits=limits) for path in dict.fromkeys(paths)]
    kinds = {(formats.sniff(file.path), type(file.content), file.margins_only) for file in given}
    if len(given) == 1 or len(kinds) > 1 or any(file.models != 1 for file in given):
        return given
    first = given[0]
    seeds = [seed for file in given for seed in _listed(file.seeds)]
    return [
        Submission(
            name=f"{first.name} and {len(given) - 1} more",
            path=first.path.parent,
            models=len(given),
            method=first.method if len({file.method for file in given}) == 1 else None,
            seeds=seeds if len(seeds) == len(given) else None,
            content=tuple(given),
            limits=limits,
            claim=first.claim if all(file.claim == first.claim for file in given) else None,
            left_out=sum(file.left_out for file in given),
            margins_only=all(file.margins_only for file in given),
        )
    ]


def _listed(seeds: int | list[int] | None) -> list[int]:
    return seeds if isinstance(seeds, list) else [] if seeds is None else [seeds]


def _joined(seen: list[tuple[Observations, str]]) -> Observations:
    """Observations at the same probes as those of one population, each named for messages."""
    first = seen[0][0]
    for observations, name in seen:
        check_classes(observations, first.logits.shape[2], name)
    logits = np.concatenate([observations.logits for observations, _ in seen])
    return replace(first, logits=logits)


def _native(path: Path) -> bool:
    """Whether a path is for the native readers: one of their formats, or not there."""
    if path.is_dir():
        return any((path / name).exists() for name in (MANIFEST, "references.json"))
    arrays = path.suffix in (".npz", ".safetensors")
    return not path.exists() or (arrays and path.with_suffix(".json").exists())


def _load_format(
    path: Path, kind: str | None, mapping: formats.Mapping | Path | str | None, limits: Limits
) -> Submission:
    found = formats.read(path, kind, mapping=mapping, limits=limits)
    return Submission(
        name=found.name,
        path=path,
        models=found.models,
        method=found.method,
        seeds=found.seeds,
        content=found.seen,
        limits=limits,
        left_out=found.left_out,
        margins_only=found.margins_only,
    )


def _load_folder(folder: Path, limits: Limits) -> Submission:
    if (folder / "references.json").exists():
        refuse(folder, "is a folder of references; expected a submission such as one of its parts")
    if not (folder / MANIFEST).exists():
        refuse(folder, f"holds no {MANIFEST}; expected {FORMATS}")
    files = read_population(folder, limits)
    seed = files.recipe.get("seed")
    return Submission(
        name=folder.resolve().name,
        path=folder,
        models=files.models,
        method=method_of(files.recipe),
        seeds=seed if isinstance(seed, int) else None,
        content=files,
        limits=limits,
        claim=declared_claim(files.recipe, str(folder / MANIFEST)),
    )


def method_of(recipe: Any) -> str | None:
    """The method a population's recipe declares, or the name of what it is."""
    method = recipe.get("method") or recipe.get("stream")
    return str(method).removeprefix("unlearn/")[:200] if method else None


def _load_array(path: Path, limits: Limits) -> Submission:
    beside = path.with_suffix(".json")
    if not beside.exists():
        refuse(path, f"expected its manifest {beside.name} beside it, found none")
    manifest = read_manifest(beside, limits)
    logits = read_logits(path, limits)
    models, probes, classes = logits.shape
    if probes != len(manifest.probes):
        refuse(
            path,
            f"array 'logits': expected {len(manifest.probes)} probes as its manifest lists, found "
            f"{probes} in shape {list(logits.shape)} [models, probes, classes]",
        )
    if isinstance(manifest.seeds, list) and len(manifest.seeds) != models:
        refuse(beside, f"field seeds: expected {models}, one a model, found {len(manifest.seeds)}")
    high = int(np.argmax(manifest.labels))
    if manifest.labels[high] >= classes:
        refuse(
            beside,
            f"field probes.{high}.label: expected 0 to {classes - 1} as the array has {classes} "
            f"classes, found {manifest.labels[high]}",
        )
    if manifest.margins_only and (classes != 2 or manifest.labels.any()):
        refuse(beside, "field margins_only: expected two classes and label 0 at every probe")
    check_finite(path, logits, manifest.ids)
    seen = Observations(
        *(logits, manifest.labels, manifest.groups, manifest.ids),
        persons=manifest.persons,
        texts=manifest.texts,
    )
    if manifest.digest is not None and manifest.digest != seen.digest:
        refuse(beside, "field digest: expected that of the array and probes, found another")
    return Submission(
        name=manifest.name or path.stem,
        path=path,
        models=models,
        method=manifest.method,
        seeds=manifest.seeds,
        content=seen,
        limits=limits,
        margins_only=manifest.margins_only,
    )
