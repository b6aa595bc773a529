"""All of the literature's scores of one submission, each beside its null and its ceiling."""

from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from audits.report._words import REFERENCES, ReferenceName
from audits.scores._board import MissingScore, Says, ScoreRow, ScoreTable
from audits.scores._inputs import ScoreInputs
from audits.scores._measures import FEWEST, NEVER, RECIPES, Measure, Recipe
from audits.submissions._parties import Given, Parties, ReferencesLike, observe_all
from estimators.checks import check_confidence, check_seed
from estimators.scores import Calibration, calibrate, compared, mean_difference, scored
from oracles import relearn_losses, relearn_time
from oracles.randomness import stream_key, stream_number

# 100 splits put two or three beyond each end of a 95 % range; the search for the number of models
# asks only whether two ranges are apart.
SPLITS = 100
SPLITS_OF_SEARCH = 25
RELEARN_STEPS = 50
TEACHERS = 16


class Scoreboard(ScoreTable):
    """All scores of a submission. `str` of it is the whole table in plain text.

    Attributes:
        submission: its name.
        rows: one for each score and reference.
        missing: what could not be computed, and why.
        sizes: models of each population.
        confidence: of each interval, and share of the splits within each null's range.
        splits: random splits of each reference for each null.
        seed: of splits, resamples and shuffles.
        digests: of what was seen of each population.
        inputs: what was seen, as the scores took it.
    """

    def report(
        self, directory: Path | str, *, command: str | None = None, replace: bool = False
    ) -> None:
        """Writes the table, every number, and what it can be recomputed from.

        Files appear in the folder only once all of them are written: ``scores.csv`` (and
        ``scores.parquet`` where pyarrow is installed), ``observations/`` and, last,
        ``scores.json``. A folder holds one result.

        Args:
            directory: the folder; made when missing.
            command: that made the table, to be named in ``scores.json``.
            replace: take a folder that holds another result, of whatever kind, or other files. The
                same result is written anew in any case.

        Raises:
            ValueError: when ``directory`` is a file, or holds what is not to be replaced.
            OSError: as the file system does; nothing half-written stays behind.
        """
        # Loaded on use: it names the version of scikit-learn, which takes its start.
        from audits.scores._record import write_scores

        write_scores(self, Path(directory), command=command, replace=replace)


def score(
    submission: Given,
    references: ReferencesLike,
    *,
    seed: int,
    confidence: float = 0.95,
) -> Scoreboard:
    """All of the literature's scores that the observations allow, against both references.

    Against the untraining reference, models trained without the forget set, a score can say whether
    the submission was untrained; against the unlearning reference, models trained without the whole
    behaviour, whether it was unlearned. Beside each value stand the null, one half of the
    reference's models against the other, and the original, both at the same number of models: no
    value is compared with a constant such as 0.5. See `estimators.scores.calibrate`.

    A row says ``outside the null`` where the submission's median over splits is beyond the null's
    range and its interval leaves the null's median out. That happens to a perfect unlearner too, in
    each row by itself with probability about one minus the confidence or less, as medians vary less
    than single splits: in a trial with 60 perfect unlearners (32 models a population, 95 %, 40
    splits) none to two of six scores each. By the range alone the activation distance was outside
    in 36. Rows are not corrected for their number. `audit` gives a verdict that is;
    this table says what others would have reported, and what it is worth.

    Args:
        submission: as for `audit`.
        references: as for `audit`, at least 4 models each; without originals there are no ceilings.
            Random teachers for ZRF are drawn where they hold a learner.
        seed: of splits, resamples and shuffles.
        confidence: of each interval, in (0, 1).

    Returns:
        The table, and what it leaves out with the reason.

    Raises:
        SubmissionError: when the submission does not fit the references.
        TypeError: when something is no population.
        ValueError: when a reference has fewer than 4 models, or the confidence is out of range.

    Example:
        >>> import numpy as np
        >>> from indist import audits, oracles
        >>> rng, ids = np.random.default_rng(0), np.array([f"test/{k}" for k in range(9)])
        >>> def seen(models):
        ...     logits = rng.normal(size=(models, 9, 2)).astype(np.float32)
        ...     return oracles.Observations(
        ...         logits, np.zeros(9, np.int32), np.full(9, "test"), ids)
        >>> refs = audits.ObservedReferences(seen(16), seen(16), original=seen(16))
        >>> {row.says for row in score(seen(16), refs, seed=0).rows}
        {'saturated: cannot tell the original from the null'}
    """
    seed = check_seed(seed)
    check_confidence(confidence)
    parties = observe_all(submission, references)
    seen = parties.observations
    for name in REFERENCES:
        if seen[name].models < FEWEST:
            raise ValueError(
                f"{name}: expected at least {FEWEST} models, found {seen[name].models}"
            )
    inputs = ScoreInputs(seen, seed, _teachers(parties, seed), _relearn_times(parties))
    return scoreboard(parties.submission.name, inputs, confidence)


def scoreboard(submission: str, inputs: ScoreInputs, confidence: float) -> Scoreboard:
    """The whole table of what was seen.

    Args:
        submission: its name.
        inputs: what was seen.
        confidence: of each interval.

    Returns:
        The table, and what it leaves out with the reason.
    """
    rows, missing = score_all(RECIPES, inputs, confidence)
    seen = inputs.seen
    return Scoreboard(
        submission=submission,
        rows=tuple(rows),
        missing=(*missing, *(MissingScore(*item) for item in NEVER.items())),
        sizes={name: observed.models for name, observed in seen.items()},
        confidence=float(confidence),
        splits=SPLITS,
        seed=inputs.seed,
        digests={name: observed.digest for name, observed in seen.items()},
        inputs=inputs,
    )


def score_all(
    recipes: tuple[Recipe, ...], inputs: ScoreInputs, confidence: float
) -> tuple[list[ScoreRow], list[MissingScore]]:
    """Rows of the scores that can be had, and why the others cannot.

    Args:
        recipes: which scores.
        inputs: what was seen.
        confidence: of each interval.

    Returns:
        Two rows for each score that can be had; the others.
    """
    rows: list[ScoreRow] = []
    missing: list[MissingScore] = []
    for recipe in recipes:
        try:
            measure = recipe.make(inputs)
            rows += [_row(recipe, measure, name, inputs.seed, confidence) for name in REFERENCES]
        except ValueError as error:
            missing.append(MissingScore(recipe.name, str(error)))
    return rows, missing


def _teachers(parties: Parties, seed: int) -> np.ndarray | None:
    """Logits at the probes of models of the same kind with random parameters."""
    if parties.scenario is None:
        return None
    learner, probes = parties.scenario.learner, parties.scenario.probes
    seen = parties.submission.observations
    # Models of all classes have no counterpart among margins.
    same = seen.logits.shape[2] == parties.scenario.classes
    if not same or not np.array_equal(seen.labels, probes.labels):
        return None
    keys = jax.random.split(stream_key(stream_number(seed, "random teachers")), TEACHERS)
    params = jax.vmap(learner.init, in_axes=(0, None))(keys, probes.inputs)
    logits = jax.vmap(learner.logits, in_axes=(0, None))(params, probes.inputs)
    return np.asarray(logits, dtype=np.float64)


def _relearn_times(parties: Parties) -> dict[str, np.ndarray] | None:
    """Steps until S is known as well as the original knows it, where all are models at hand."""
    scenario, party = parties.scenario, parties.by_name.get("original")
    original = None if party is None else party.population
    if scenario is None or original is None:
        return None
    forget = scenario.train.take(scenario.forget)
    target = float(relearn_losses(original, forget, steps=1)[:, 0].mean())
    return {
        name: relearn_time(party.population, forget, target=target, steps=RELEARN_STEPS)
        for name, party in parties.by_name.items()
        if party.population is not None and party.population.learner == original.learner
    }


class _Value(NamedTuple):
    """A score of all models, and its interval where there is one."""

    value: float
    low: float | None
    high: float | None


def _value(measure: Measure, reference: str, seed: int, confidence: float) -> _Value:
    ours, theirs = measure.tables["submission"], measure.tables[reference]
    if measure.value is None:
        means = compared(ours, theirs, name=reference, confidence=confidence)
        value, ends, unknown = means.submission, means.submission_interval, len(ours) < 2
    else:
        # The null takes the place of the value for equal populations, which is not asked for.
        fields = scored(
            measure.value,
            ours,
            theirs,
            name=reference,
            ideal=float("nan"),
            limits=measure.limits,
            seed=seed,
            confidence=confidence,
            paired=False,
            strata=measure.strata,
        )
        value, ends = fields["estimate"], fields["confidence_interval"]
        unknown = fields["undetermined"]
    if unknown:
        return _Value(float(value), None, None)
    low, high = np.clip([float(ends.low), float(ends.high)], *measure.limits)
    return _Value(float(value), float(low), float(high))


class _Calibrated(NamedTuple):
    """What stands beside a value, all at the same number of models."""

    at_models: float | None = None
    null: float | None = None
    null_low: float | None = None
    null_high: float | None = None
    original: float | None = None


def _calibrated(
    measure: Measure, reference: str, value: float, calibration: Calibration | None
) -> _Calibrated:
    original = measure.tables.get("original")
    if measure.value is None:
        # A mean is shown as published, and was compared with the reference's as a difference.
        mean = float(measure.tables[reference].mean())
        low, high = None, None
        if calibration is not None:
            # The reference's mean plus a difference may be beyond what a mean can be.
            differences = np.array([calibration.null.low[0], calibration.null.high[0]])
            low, high = (float(end) for end in np.clip(mean + differences, *measure.limits))
        return _Calibrated(
            value, mean, low, high, None if original is None else float(original.mean())
        )
    if calibration is None:
        return _Calibrated()
    null = calibration.null
    columns = [calibration.submission.median, null.median, null.low, null.high]
    if original is not None:
        columns.append(calibration.original.median)
    return _Calibrated(*(float(column[0]) for column in columns))


def _row(
    recipe: Recipe, measure: Measure, reference: ReferenceName, seed: int, confidence: float
) -> ScoreRow:
    value = _value(measure, reference, seed, confidence)
    ours, theirs = measure.tables["submission"], measure.tables[reference]
    original = measure.tables.get("original")
    size = min(len(ours), len(theirs) // 2, len(ours if original is None else original))

    def calibrated(models: int, splits: int, population: np.ndarray) -> Calibration:
        return calibrate(
            measure.value or mean_difference,
            population,
            {reference: theirs},
            original=population if original is None else original,
            seed=seed,
            models=models,
            splits=splits,
            confidence=confidence,
        )

    calibration = calibrated(size, SPLITS, ours) if size >= FEWEST else None
    needed = None
    if calibration is not None and original is not None and calibration.tells[0]:
        needed = size
        for models in _smaller(size):
            if not calibrated(models, SPLITS_OF_SEARCH, original).tells[0]:
                break
            needed = models
    beside = _calibrated(measure, reference, value.value, calibration)
    return ScoreRow(
        score=recipe.name,
        question=recipe.question,
        reference=reference,
        **value._asdict(),
        models=size,
        **beside._asdict(),
        models_needed=needed,
        says=_says(value, beside, saturated=original is not None and needed is None),
    )


def _smaller(size: int) -> list[int]:
    """Powers of two from `FEWEST` up to below a size, the greatest first."""
    return [2**k for k in range(size.bit_length(), 1, -1) if 2**k < size]


def _says(value: _Value, beside: _Calibrated, *, saturated: bool) -> Says:
    at_models, null, low, high, _ = beside
    if value.low is None or value.high is None or at_models is None or null is None:
        return "undetermined: too few models"
    if low is None or high is None:
        return "undetermined: too few models"
    # Splits of one reference share its models. A mean over pairs of models, as the activation
    # distance is, varies by far less over them than over fresh models; the value's own interval
    # does not, so it too must leave the null out. The slack is for rounding: means of equal numbers
    # differ in the last bit.
    slack = 1e-9
    least = at_models - (value.value - value.low) - slack
    greatest = at_models + (value.high - value.value) + slack
    beyond = not low - slack <= at_models <= high + slack
    if beyond and not least <= null <= greatest:
        return "outside the null"
    return "saturated: cannot tell the original from the null" if saturated else "like the null"
