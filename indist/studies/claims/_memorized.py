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
from indist.studies._shown import shown_interval
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import Evidence, Judgement, below, every, exceeds
from indist.studies.claims._populations import LedgerSettings, NamedScenario

_NEIGHBOURS = 10
_INCLUSION = 0.7


def memorized(strange: Estimate, plain: Estimate, threshold: float, models: int) -> Judgement:
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
    distances = squares[:, None] + squares - 2.0 * inputs @ inputs.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :_NEIGHBOURS]
    return (labels[nearest] != labels[:, None]).sum(axis=1)


def _measured(ledger: LedgerSettings, *, kind: str) -> Evidence:
    scenario = _SCENARIO.load(ledger.seed)
    runs = oracles.subset_runs(
        scenario,
        models=ledger.models,
        seed=ledger.seed,
        inclusion=_INCLUSION,
        directory=ledger.folder / "runs" / scenario.name,
        resume=True,
    )
    behaviour, others = scenario.behaviour, scenario.excluding(scenario.behaviour)
    train = scenario.train.take(others)
    strange_neighbours = strangers(train.inputs.astype(np.float64), train.labels)
    if kind == "mislabelled":
        strange, plain = behaviour, others
    else:
        strange, plain = (
            others[strange_neighbours > _NEIGHBOURS / 2],
            others[strange_neighbours == 0],
        )
    strange_mean, plain_mean = (
        _mean(runs, members, ledger.each(2)) for members in (strange, plain)
    )
    listed = _listed(runs, ledger.threshold)
    odd = np.isin(np.arange(runs.examples), [*behaviour, *others[strange_neighbours > 0]])
    share = f"{100 * (listed & odd).sum() / listed.sum():.0f} %" if listed.any() else "none"
    note = (
        f"{len(strange)} such examples; {len(plain)} of the other kind: "
        f"{shown_interval(*plain_mean)}; of {int(listed.sum())} examples shown to be memorized, "
        f"mislabelled or with a neighbour of another label: {share}"
    )
    judgement = memorized(strange_mean, plain_mean, ledger.threshold, runs.models)
    return Evidence(strange_mean, judgement, runs.models, note)


def _mean(runs: oracles.Runs, members: np.ndarray, confidence: float) -> Estimate:
    right = runs.correct[:, : runs.examples]
    mean = estimators.set_memorization(runs.included, right, members, confidence=confidence)
    return Estimate.of(float(mean.estimate), mean.confidence_interval)


def _listed(runs: oracles.Runs, threshold: float) -> Bool[np.ndarray, " n"]:
    memorization = estimators.memorization(runs.included, runs.correct[:, : runs.examples])
    return np.asarray(memorization.exceeding(threshold).exceeds)


_SCENARIO = NamedScenario("digits-random-labels")

CLAIMS = tuple(
    Claim(
        number=number,
        section="§3, definition 3.1",
        statement=f"{kind.capitalize()} examples are memorized, {plain} ones are not.",
        quantity=f"mean memorization of {kind} examples",
        scenarios=(_SCENARIO,),
        measure=_measured,
        settings={"kind": kind},
    )
    for number, kind, plain in (
        ("1a", "mislabelled", "rightly labelled"),
        ("1b", "atypical", "typical"),
    )
)
