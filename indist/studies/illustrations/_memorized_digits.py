"""Which digits are memorized: the images themselves, with estimates and intervals."""

import numpy as np

import audits.memorization
import oracles
from indist._digits import digits_shown
from indist.studies._rows import Record
from indist.studies.illustrations._sources import Work

SCENARIO = "digits-random-labels"
_CANDIDATES = 12
"""Kept at each end: more than the figure shows."""


def numbers(work: Work) -> list[Record]:
    """The surest of both ends, from three times as many models, each on a random 70 % of D.

    Returns:
        ``example``, ``label``, ``shows`` (its digit, -1 where unknown), ``memorization``, ``low``,
        ``high``, ``pixels`` (64 levels of 0 to 16, row by row).
    """
    scenario = oracles.scenarios.load(SCENARIO, seed=work.seed)
    runs = oracles.subset_runs(
        scenario,
        models=3 * work.models,
        seed=work.seed,
        inclusion=0.7,
        directory=work.folder / "populations" / f"{SCENARIO} subsets",
        resume=True,
    )
    table = audits.memorization.MemorizationStudy(runs, 0.95).memorization_table()
    low, high = table["low"].to_numpy(), table["high"].to_numpy()
    known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    by_low, by_high = (known[np.argsort(end[known], kind="stable")] for end in (-low, high))
    chosen = np.unique(np.concatenate([by_low[:_CANDIDATES], by_high[:_CANDIDATES]]))
    inputs = scenario.train.inputs
    shows = digits_shown(inputs)
    return [
        {
            "example": int(i),
            "label": int(scenario.train.labels[i]),
            "shows": int(shows[i]),
            "memorization": float(table["memorization"].to_numpy()[i]),
            "low": float(low[i]),
            "high": float(high[i]),
            "pixels": " ".join(str(round(float(16 * level))) for level in inputs[i]),
        }
        for i in chosen
    ]
