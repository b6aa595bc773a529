"""Which digits are memorized: the images themselves, with estimates and intervals."""

import numpy as np
from matplotlib.figure import Figure

import oracles
from indist._memorization import Measured, digits_shown
from indist.figures._extremes import extremes
from indist.figures._work import Row, Work

SCENARIO = "digits-random-labels"
_CANDIDATES = 12
"""Kept at each end: more than the figure shows."""


def numbers(work: Work) -> list[Row]:
    """The surest of both ends, from three times as many models, each on a random 70 % of D.

    Returns:
        ``example``, ``label``, ``shows`` (its digit, -1 where unknown), ``memorization``, ``low``,
        ``high``, ``pixels`` (64 levels of 0 to 16, row by row).
    """
    world = oracles.scenarios.load(SCENARIO, seed=work.seed)
    runs = oracles.subset_runs(
        world,
        models=3 * work.models,
        seed=work.seed,
        inclusion=0.7,
        directory=work.folder / "populations" / f"{SCENARIO} subsets",
        resume=True,
    )
    table = Measured(runs, 0.95).memorization_table()
    low, high = table["low"].to_numpy(), table["high"].to_numpy()
    known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    by_low, by_high = (known[np.argsort(end[known], kind="stable")] for end in (-low, high))
    chosen = np.unique(np.concatenate([by_low[:_CANDIDATES], by_high[:_CANDIDATES]]))
    inputs = world.train.inputs
    shows = digits_shown(inputs)
    return [
        {
            "example": int(i),
            "label": int(world.train.labels[i]),
            "shows": int(shows[i]),
            "memorization": float(table["memorization"].to_numpy()[i]),
            "low": float(low[i]),
            "high": float(high[i]),
            "pixels": " ".join(str(round(float(16 * level))) for level in inputs[i]),
        }
        for i in chosen
    ]


def draw(rows: list[Row], width: float) -> Figure:
    """The most and the least memorized."""
    images = np.array([[float(level) for level in row["pixels"].split()] for row in rows]) / 16
    columns = {
        name: np.array([row[name] for row in rows])
        for name in ("label", "shows", "memorization", "low", "high")
    }
    return extremes(
        images.reshape(-1, 8, 8),
        columns["label"],
        columns["shows"],
        columns["memorization"],
        columns["low"],
        columns["high"],
        width=width,
    )
