"""What every reader returns, and the one way from numbers to observations.

One number a model and example becomes logits of two classes, half of the margin and minus half of
it, and every label is 0: the margin of such an observation, ln p_y − ln Σ_{j≠y} p_j, is the number
that was given (to float32), so no observable of `audits` loses anything. A probability p of the
right label stands for the margin ln p − ln(1 − p), a loss ℓ = −ln p for −ln(e^ℓ − 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.special import logit

import oracles
from audits._reading import Limits, SubmissionError, refuse
from audits.formats._mapping import Mapping, Scalar
from oracles import Observations, Probes
from oracles.storage.files import printable

# Bounds of each scalar; the bounds themselves stand for an infinite margin.
_BOUNDS: dict[Scalar, tuple[float, float]] = {
    "margin": (-np.inf, np.inf),
    "probability": (0.0, 1.0),
    "loss": (0.0, np.inf),
}


@runtime_checkable
class Runnable(Protocol):
    """Models that must be run at the references' probes."""

    @property
    def models(self) -> int:
        """How many there are."""
        ...

    def observe(self, probes: Probes, learner: "oracles.Learner") -> Observations:
        """Logits of every model at the probes.

        Args:
            probes: the probes of the references.
            learner: the learner of the references, whose parameters the models are.

        Raises:
            SubmissionError: when a model is damaged, does not fit or gives numbers that are not
                finite.
        """
        ...


@dataclass(frozen=True, eq=False)
class Content:
    """What was read.

    Attributes:
        name: of the submission.
        models: how many it holds.
        method: that made it, or None.
        seeds: of its models, or None.
        seen: observations, or models that must be run.
        left_out: how many models were left out, as their numbers were not finite.
        margins_only: whether there is one number a model and example, and so no label.
    """

    name: str
    models: int
    method: str | None
    seeds: int | list[int] | None
    seen: Observations | Runnable
    left_out: int = 0
    margins_only: bool = False


def from_margins(
    margins: Float[np.ndarray, "models probes"],
    groups: Shaped[np.ndarray, " probes"],
    ids: Shaped[np.ndarray, " probes"],
) -> Observations:
    """Observations whose margins are given: two classes, label 0 at every probe.

    Args:
        margins: ln p_y − ln Σ_{j≠y} p_j of each model and probe, finite.
        groups: the probe group of each probe.
        ids: the unique name of each probe.

    Returns:
        Observations with ``margins`` equal to those given, rounded to float32.

    Raises:
        ValueError: on numbers that are not finite, unknown groups or repeated ids.

    Example:
        >>> import numpy as np
        >>> from indist import audits
        >>> seen = audits.formats.from_margins(
        ...     np.array([[3.0], [-0.7]]), np.array(["forget"]), np.array(["a"]))
        >>> seen.margins.astype(np.float32).tolist() == np.float32([[3.0], [-0.7]]).tolist()
        True
    """
    with np.errstate(over="ignore"):
        half = np.asarray(margins, dtype=np.float32) / 2
    labels = np.zeros(half.shape[1], dtype=np.int32)
    return Observations(np.stack([half, -half], axis=2), labels, groups, ids)


def as_margins(observations: Observations) -> Observations:
    """The same observations with nothing left but margins, to set beside a format of such.

    Args:
        observations: with any number of classes.

    Returns:
        Two classes, label 0 at every probe, and the same margins, rounded to float32.
    """
    reduced = from_margins(observations.margins, observations.groups, observations.ids)
    return replace(reduced, persons=observations.persons, texts=observations.texts)


def scalar_content(
    path: Path,
    values: Float[np.ndarray, "models probes"],
    kind: Scalar,
    probes: tuple[np.ndarray, np.ndarray],
    mapping: Mapping,
    models: list[str] | None = None,
) -> Content:
    """Content of one number a model and example.

    Args:
        path: of the submission.
        values: the numbers.
        kind: what they are.
        probes: groups and ids.
        mapping: that names the submission.
        models: what each model is called in messages; its number if left out.

    Raises:
        SubmissionError: on numbers that have no finite margin.
    """
    groups, ids = probes
    low, high = _BOUNDS[kind]
    if mapping.clip is not None:
        values = _clipped(values, kind, mapping)
    with np.errstate(all="ignore"):
        if kind == "margin":
            margins = values
        elif kind == "probability":
            margins = logit(np.asarray(values, dtype=np.float64))
        else:
            loss = np.asarray(values, dtype=np.float64)
            margins = -(loss + np.log(-np.expm1(-loss)))
        margins = np.asarray(margins, dtype=np.float32)
    bounds = "finite float32 numbers"
    if kind != "margin":
        bounds = (
            f"numbers strictly between {low} and {high} (field clip of its mapping moves those at "
            "a bound inside)"
        )
    kept = _kept(path, values, np.isfinite(margins), f"a {kind} as {bounds}", ids, mapping, models)
    content = _content(path, from_margins(margins[kept], groups, ids), kept, mapping)
    return replace(content, margins_only=True)


def _clipped(
    values: Float[np.ndarray, "models probes"], kind: Scalar, mapping: Mapping
) -> Float[np.ndarray, "models probes"]:
    """Probabilities, or the losses of such, at least so far from 0 and 1; NaN and others stay."""
    assert mapping.clip is not None
    if kind == "margin":
        refuse(mapping.file, "field clip: expected none for margins, which have no bounds")
    given = np.asarray(values, dtype=np.float64)
    low, high = mapping.clip, 1.0 - mapping.clip
    if kind == "loss":
        low, high = -np.log(high), -np.log(low)
    inside = (given >= _BOUNDS[kind][0]) & (given <= _BOUNDS[kind][1])
    return np.where(inside, np.clip(given, low, high), given)


def logit_content(
    path: Path,
    logits: Float[np.ndarray, "models probes classes"],
    probes: tuple[np.ndarray, np.ndarray, np.ndarray],
    mapping: Mapping,
    models: list[str] | None = None,
) -> Content:
    """Content of logits.

    Args:
        path: of the submission.
        logits: the numbers.
        probes: labels, groups and ids.
        mapping: that names the submission.
        models: what each model is called in messages; its number if left out.

    Raises:
        SubmissionError: on numbers that are not finite or labels outside the classes.
    """
    labels, groups, ids = probes
    if mapping.clip is not None:
        refuse(mapping.file, "field clip: expected none for logits, which have no bounds")
    with np.errstate(over="ignore"):
        given = np.asarray(logits, dtype=np.float32)
    if given.shape[2] < 2:
        refuse(path, f"expected at least 2 classes, found {given.shape[2]}")
    wrong = np.flatnonzero((labels < 0) | (labels >= given.shape[2]))
    if wrong.size:
        k = int(wrong[0])
        refuse(
            path,
            f"label of probe {str(ids[k])[:60]!r}: expected 0 to {given.shape[2] - 1}, found "
            f"{labels[k]}",
        )
    finite = np.isfinite(given).all(axis=2)
    kept = _kept(path, given, np.asarray(finite), "finite float32 numbers", ids, mapping, models)
    seen = Observations(np.ascontiguousarray(given[kept]), labels.astype(np.int32), groups, ids)
    return _content(path, seen, kept, mapping)


def described(
    content: Content, persons: Sequence[str] | None, texts: Sequence[str] | None
) -> Content:
    """The same with whom the probes belong to and what they are, where that is said.

    Args:
        content: observations.
        persons: a name a probe, in their order; empty for nobody.
        texts: a text a probe; empty for nothing.
    """
    if not isinstance(content.seen, Observations) or (persons is None and texts is None):
        return content
    seen = content.seen
    if persons is not None:
        seen = replace(seen, persons=np.array(persons, dtype=object))
    if texts is not None:
        seen = replace(seen, texts=np.array(texts, dtype=object))
    return replace(content, seen=seen)


def run_content(path: Path, seen: Runnable, mapping: Mapping) -> Content:
    """Content of models that are yet to be run.

    Raises:
        SubmissionError: when there are seeds for another number of models.
    """
    if mapping.leave_out_not_finite:
        refuse(mapping.file, "field leave_out_not_finite: expected none for models that are run")
    return _content(path, seen, np.ones(seen.models, dtype=np.bool_), mapping)


def check_counts(path: Path, models: int, probes: int, classes: int, limits: Limits) -> None:
    """Refuses more models, probes, classes or bytes than the limits, before any is read.

    Raises:
        SubmissionError: when there are more, or none.
    """
    counts = {"models": models, "probes": probes, "classes": classes}
    for name, found in counts.items():
        if not 1 <= found <= getattr(limits, name):
            refuse(path, f"expected 1 to {getattr(limits, name)} {name}, found {found}")
    size = models * probes * classes * 4
    if size > limits.array_bytes:
        refuse(path, f"expected at most {limits.array_bytes} bytes of numbers, found {size}")


def check_groups_and_ids(path: Path, ids: Int[np.ndarray, " probes"] | list[str]) -> None:
    """Refuses a probe that comes twice.

    Raises:
        SubmissionError: when one does.
    """
    names, counts = np.unique(np.asarray(ids), return_counts=True)
    if (counts > 1).any():
        refuse(path, f"expected each probe once, found {str(names[counts > 1][0])[:60]!r} twice")


def _kept(
    path: Path,
    values: Any,
    finite: np.ndarray,
    wanted: str,
    ids: np.ndarray,
    mapping: Mapping,
    models: list[str] | None,
) -> Any:
    """Which models are kept: all, or those whose numbers are finite where that was asked for."""
    kept = np.asarray(finite.all(axis=1))
    if kept.all() or (mapping.leave_out_not_finite and kept.any()):
        return kept
    model, probe = (int(k) for k in np.argwhere(~finite)[0])
    found = values[model, probe]
    if found.ndim:
        found = found[~np.isfinite(found)][0]
    called = models[model][:60] if models else model
    what = f"found {found} in model {called} at probe {str(ids[probe])[:60]!r}"
    count = f"{int((~kept).sum())} of {len(kept)} models hold such numbers"
    raise SubmissionError(f"{path}: expected {wanted}, {what} ({count})")


def _content(
    path: Path, seen: Observations | Runnable, kept: np.ndarray, mapping: Mapping
) -> Content:
    seeds = mapping.seeds
    if isinstance(seeds, list):
        if len(seeds) != len(kept):
            refuse(
                mapping.file, f"field seeds: expected {len(kept)}, one a model, found {len(seeds)}"
            )
        if len(set(seeds)) < len(seeds):
            refuse(mapping.file, "field seeds: expected another seed for each model, found repeats")
        seeds = [seed for seed, keep in zip(seeds, kept, strict=True) if keep]
    name = mapping.name or (path.resolve().name if path.is_dir() else path.stem)
    return Content(
        name=printable(name[:200]) or "submission",
        models=int(kept.sum()),
        method=mapping.method and printable(mapping.method),
        seeds=seeds,
        seen=seen,
        left_out=int((~kept).sum()),
    )
