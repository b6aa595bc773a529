"""Claim 1: atypical and mislabelled examples are the memorized ones.

Memorization is that of definition 3.1, measured by models on random subsets. Mislabelled are the
examples of B in ``digits-random-labels``. Atypical are those of the other examples, all rightly
labelled, of which most of the ten nearest (in pixels) have another label, and typical those of
which none has: that is told by the data alone, no model asked.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

import estimators
import oracles
from audits.memorization import Estimate
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import Evidence, Part, below, every, exceeds, shown
from indist.studies.claims._worlds import World, Worlds

_NEIGHBOURS = 10
_INCLUSION = 0.7


def memorized(strange: Estimate, plain: Estimate, threshold: float, models: int) -> Part:
    """Supported when the strange are memorized above the threshold and the plain below it.

    Refuted when the strange are not above it, or the plain are. Each mean has half of the error.

    Args:
        strange: mean memorization of atypical or mislabelled examples.
        plain: of the others.
        threshold: a quarter is Feldman and Zhang's (2020).
        models: models behind both.
    """
    return every([exceeds(strange, threshold, models), below(plain, threshold, models)])


def strangers(
    inputs: Float[np.ndarray, "n features"], labels: Int[np.ndarray, " n"]
) -> Int[np.ndarray, " n"]:
    """How many of each example's ten nearest others have another label than it."""
    squares = (inputs**2).sum(axis=1)
    apart = squares[:, None] + squares - 2.0 * inputs @ inputs.T
    np.fill_diagonal(apart, np.inf)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, :_NEIGHBOURS]
    return (labels[nearest] != labels[:, None]).sum(axis=1)


def _measured(worlds: Worlds, *, kind: str) -> Evidence:
    scenario = _WORLD.load(worlds.seed)
    runs = oracles.subset_runs(
        scenario,
        models=worlds.models,
        seed=worlds.seed,
        inclusion=_INCLUSION,
        directory=worlds.folder / "runs" / scenario.name,
        resume=True,
    )
    behaviour, others = scenario.behaviour, scenario.excluding(scenario.behaviour)
    train = scenario.train.take(others)
    unlike = strangers(train.inputs.astype(np.float64), train.labels)
    if kind == "mislabelled":
        strange, plain = behaviour, others
    else:
        strange, plain = others[unlike > _NEIGHBOURS / 2], others[unlike == 0]
    own, rest = (_mean(runs, members, worlds.each(2)) for members in (strange, plain))
    listed = _listed(runs, worlds.threshold)
    odd = np.isin(np.arange(runs.examples), [*behaviour, *others[unlike > 0]])
    share = f"{100 * (listed & odd).sum() / listed.sum():.0f} %" if listed.any() else "none"
    note = (
        f"{len(strange)} such examples; {len(plain)} of the other kind: {shown(rest)}; of "
        f"{int(listed.sum())} examples shown to be memorized, mislabelled or with a neighbour of "
        f"another label: {share}"
    )
    part = memorized(own, rest, worlds.threshold, runs.models)
    return Evidence(own, part, runs.models, note)


def _mean(runs: oracles.Runs, members: np.ndarray, confidence: float) -> Estimate:
    right = runs.correct[:, : runs.examples]
    found = estimators.set_memorization(runs.included, right, members, confidence=confidence)
    return Estimate.of(float(found.estimate), found.confidence_interval)


def _listed(runs: oracles.Runs, threshold: float) -> Bool[np.ndarray, " n"]:
    found = estimators.memorization(runs.included, runs.correct[:, : runs.examples])
    return np.asarray(found.exceeding(threshold).exceeds)


_WORLD = World("digits-random-labels")

CLAIMS = tuple(
    Claim(
        number=number,
        section="§3, definition 3.1",
        statement=f"{kind.capitalize()} examples are memorized, {plain} ones are not.",
        quantity=f"mean memorization of {kind} examples",
        worlds=(_WORLD,),
        measure=_measured,
        settings={"kind": kind},
    )
    for number, kind, plain in (
        ("1a", "mislabelled", "rightly labelled"),
        ("1b", "atypical", "typical"),
    )
)
