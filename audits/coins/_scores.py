"""What models say of each candidate, in the order of the candidates, higher where it was in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from audits._reading import Limits, SubmissionError, as_path
from audits.coins._settings import CoinSettings
from audits.coins._table import is_coin_table, read_coin_table
from audits.report.numbers import counted
from audits.submissions._submission import Submission, load
from estimators.checks import check_samples
from oracles import Observations, Population
from oracles.coin_designs.settings import MOST_SCORES
from oracles.storage.digests import digest_arrays
from oracles.storage.files import printable

UTILITY_GROUPS = ("retain", "test")
"""Groups of other examples, at which the models' accuracy is read."""
_MARGINS = ("score", "margin", "loss")


@dataclass(frozen=True, eq=False)
class CoinScores:
    """Scores of models at candidates, as `coin_scores` aligns them.

    Attributes:
        name: where they are from.
        values: ``[models, candidates, observables]``, finite.
        right: by group of other examples, how many of them each model has right.
        examples: by group, how many there are.
        read: what was read of each candidate, such as the columns of a table.
        models: names of the models, where a table has them.

    Raises:
        ValueError: when there are too many numbers for a record, or counts do not fit.
    """

    name: str
    values: Float[np.ndarray, "models candidates observables"]
    right: Mapping[str, Int[np.ndarray, " models"]] = field(default_factory=dict[str, Any])
    examples: Mapping[str, int] = field(default_factory=dict[str, int])
    read: tuple[str, ...] = ()
    models: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.values.size > MOST_SCORES:
            raise ValueError(
                f"{self.name}: expected at most {MOST_SCORES:,} scores of all models together, "
                f"found {self.values.size:,}"
            )
        if set(self.right) != set(self.examples):
            raise ValueError("right and examples: expected the same groups, found others")
        for group, counts in self.right.items():
            most = self.examples[group]
            fits = counts.shape == self.values.shape[:1] and most > 0
            if not fits or (counts < 0).any() or (counts > most).any():
                raise ValueError(
                    f"right: expected 0 to {counted(most, f'{group} example')} for each of "
                    f"{counted(len(self.values), 'model')}, found {counts.tolist()!r:.60}"
                )

    @property
    def digest(self) -> str:
        """SHA-256 of the scores."""
        return digest_arrays({"values": self.values})


Given = Any
"""Scores as somebody holds them: see `coin_scores`."""


def coin_scores(
    given: Given,
    candidates: Sequence[str],
    observables: tuple[str, ...],
    *,
    models: int | None,
    own: bool = False,
    limits: Limits | None = None,
) -> CoinScores:
    """Reads scores of whatever kind, and puts them in the order of the candidates.

    Args:
        given: an array ``[candidates]``, ``[models, candidates]`` or ``[models, candidates,
            observables]`` in that order already, higher where an example was in; `Observations` or
            a population whose probes are named as the candidates are; or the path of a table with
            a line a model and candidate, or of a submission that `audits.load` reads; or paths of
            several.
        candidates: names of the candidates.
        observables: what is declared of them: see `CoinSettings`.
        models: how many models there must be, or None.
        own: whether each model has coins of its own, so that tables must name the models as
            ``training.csv`` of the design does, 0, 1 and so on; in arrays and observations they
            stand in that order.
        limits: the most a file may hold.

    Raises:
        SubmissionError: when a file is none of that, a candidate is missing, or there are other
            models or observables than declared.
        ValueError: when an array has another shape, or numbers that are not finite.
    """
    if isinstance(given, CoinScores):
        found = given
    elif isinstance(given, list | tuple) and given and isinstance(given[0], str | Path):
        each = [_named(path, candidates, observables, limits or Limits()) for path in given]
        found = each[0] if len(each) == 1 else _joined(f"{each[0].name} and others", each)
    elif isinstance(given, Observations | Population | Submission | str | Path):
        found = _named(given, candidates, observables, limits or Limits())
    else:
        found = CoinScores("scores", _stacked(check_samples(given, "scores")))
    shape = found.values.shape
    if shape[1:] != (len(candidates), len(observables)):
        raise SubmissionError(
            f"{found.name}: expected scores of {counted(len(candidates), 'candidate')} and "
            f"{counted(len(observables), 'observable')}, found shape {list(shape)}"
        )
    if models is not None and shape[0] != models:
        raise SubmissionError(
            f"{found.name}: expected {counted(models, 'model')}, as the design has coins for, "
            f"found {shape[0]}"
        )
    if own and found.models is not None:
        return _in_order(found)
    return found


def _in_order(found: CoinScores) -> CoinScores:
    """Models in the order of the design's, by the names that a table gives them."""
    given, names = found.models or (), [str(k) for k in range(len(found.values))]
    if sorted(given) != sorted(names):
        wrong = next((name for name in given if name not in names), "one twice")
        raise SubmissionError(
            f"{found.name}: expected models named 0 to {len(names) - 1} in column model, as in "
            f"training.csv of the design, since each has coins of its own; found "
            f"{printable(wrong)[:40]!r}"
        )
    order = [given.index(name) for name in names]
    right = {group: counts[order] for group, counts in found.right.items()}
    return replace(found, values=found.values[order], right=right, models=tuple(names))


def _stacked(values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "models m observables"]:
    if values.ndim > 3:
        raise ValueError(
            "scores: expected [candidates], [models, candidates] or [models, candidates, "
            f"observables], found shape {values.shape}"
        )
    values = values[None] if values.ndim == 1 else values
    return values[:, :, None] if values.ndim == 2 else values


def _named(
    given: "Observations | Population | Submission | str | Path",
    candidates: Sequence[str],
    observables: tuple[str, ...],
    limits: Limits,
) -> CoinScores:
    if isinstance(given, str | Path):
        where = as_path(given, "scores")
        if is_coin_table(where):
            table = read_coin_table(where, candidates, observables, limits)
            return CoinScores(str(where), *table)
        return _named(load(where, limits=limits), candidates, observables, limits)
    if isinstance(given, Population):
        made = given.recipe.get("method", given.recipe.get("stream", "population"))
        name = str(made) if given.directory is None else str(given.directory)
        return _observed(given.observe(given.probes), name, candidates, observables)
    if isinstance(given, Submission):
        parts = given.content if isinstance(given.content, tuple) else (given,)
        seen = [part.content for part in parts if isinstance(part.content, Observations)]
        if len(seen) < len(parts):
            raise SubmissionError(
                f"{given.path}: expected numbers at each candidate (logits, margins or losses), "
                "found parameters of models; run them at the candidates first"
            )
        found = [_observed(one, given.name, candidates, observables) for one in seen]
        return found[0] if len(found) == 1 else _joined(given.name, found)
    return _observed(given, "observations", candidates, observables)


def _joined(name: str, parts: Sequence[CoinScores]) -> CoinScores:
    first = parts[0]
    for part in parts[1:]:
        if dict(part.examples) != dict(first.examples) or part.read != first.read:
            raise SubmissionError(
                f"{part.name}: expected what {first.name} has ({_told(first)}), found {_told(part)}"
            )
    named = [part.models or ("",) * len(part.values) for part in parts]
    return CoinScores(
        name,
        np.concatenate([part.values for part in parts]),
        {group: np.concatenate([part.right[group] for part in parts]) for group in first.right},
        first.examples,
        first.read,
        tuple(model for names in named for model in names),
    )


def _told(part: CoinScores) -> str:
    counts = [counted(count, f"{group} example") for group, count in part.examples.items()]
    return ", ".join((*part.read, *counts)) or "nothing but scores"


def _observed(
    seen: Observations, name: str, candidates: Sequence[str], observables: tuple[str, ...]
) -> CoinScores:
    if len(observables) != 1 or observables[0] not in _MARGINS:
        raise SubmissionError(
            f"{name}: expected a table with columns {', '.join(observables)}, as the design "
            "declares them; found logits or margins alone"
        )
    places = {str(probe): place for place, probe in enumerate(seen.ids)}
    index = [_place(places, candidate, name) for candidate in candidates]
    margins = seen.margins[:, index]
    # ln p of the label rises with its margin, and is what a loss is the opposite of.
    values = -np.logaddexp(0.0, -margins) if observables[0] == "loss" else margins
    right, examples = _right(seen, set(index))
    read = ("-loss" if observables[0] == "loss" else "margin",)
    return CoinScores(name, np.asarray(values, dtype=np.float64)[:, :, None], right, examples, read)


def _place(places: Mapping[str, int], candidate: str, name: str) -> int:
    if candidate not in places:
        raise SubmissionError(
            f"{name}: expected a value for every candidate of the design, found none for "
            f"{candidate!r} (of {len(places)} that it has)"
        )
    return places[candidate]


def _right(
    seen: Observations, candidates: set[int]
) -> tuple[dict[str, Int[np.ndarray, " models"]], dict[str, int]]:
    right: dict[str, Int[np.ndarray, " models"]] = {}
    examples: dict[str, int] = {}
    for group in UTILITY_GROUPS:
        chosen: Bool[np.ndarray, " probes"] = seen.groups == group
        chosen[list(candidates)] = False
        if chosen.any():
            right[group] = (seen.margins[:, chosen] > 0.0).sum(axis=1)
            examples[group] = int(chosen.sum())
    return right, examples


def less_baseline(
    scores: CoinScores, baseline: CoinScores
) -> Float[np.ndarray, "models candidates observables"]:
    """Scores less what the mean of models that are independent of the coins says of them.

    That is the slope of the model's scores on those means, by least squares over all candidates and
    without a look at the coins: the whole of them where both move alike, none where they do not.

    Args:
        scores: of the submitted models.
        baseline: of models that are independent of the coins.
    """
    means = _unit(baseline.values).mean(axis=0)
    means = means - means.mean(axis=0)
    values = _unit(scores.values)
    square = (means**2).sum(axis=0)
    products = ((values - values.mean(axis=1, keepdims=True)) * means).sum(axis=1, keepdims=True)
    return (
        values - np.where(square > 0.0, products / np.where(square > 0.0, square, 1.0), 0.0) * means
    )


def hidden(
    scores: CoinScores,
    candidates: Sequence[str],
    parts: Sequence[Bool[np.ndarray, " candidates"]],
    settings: CoinSettings,
) -> tuple[str, ...]:
    """A warning where a score is so far out that what all others of the model say is lost.

    Args:
        scores: of the submitted models, as they were handed in.
        candidates: their names.
        parts: which of them are tested together.
        settings: with the weights, whose rule it is.
    """
    found: dict[tuple[int, int], int] = {}
    for model, column in np.ndindex(scores.values.shape[::2]):
        for part in parts:
            tested = np.flatnonzero(part)
            place = settings.weights.hiding(scores.values[model, tested, column])
            if place is not None:
                found.setdefault((model, column), int(tested[place]))
    if not found:
        return ()
    (model, column), place = next(iter(found.items()))
    name = scores.models[model] if scores.models and scores.models[model] else str(model)
    others = len(found) - 1
    more = f" (so it is in {counted(others, 'more column')} of scores)" if others else ""
    return (
        f"The {settings.observables[column]} of candidate {printable(candidates[place])!r:.80} by "
        f"model {printable(name)[:40]}, {scores.values[model, place, column]:.3g}, is so far out "
        f"that what the others say is lost beside it{more}: a conviction may be missed.",
    )


def _unit(values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """In units of the greatest, so that no product leaves the range of numbers."""
    return values / (float(np.abs(values).max()) or 1.0)
