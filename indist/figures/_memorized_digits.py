"""Which digits are memorized: the images themselves, with estimates and intervals."""

import numpy as np
from matplotlib.figure import Figure

from indist.figures._extremes import extremes
from indist.studies._rows import Record
from indist.studies.illustrations._memorized_digits import numbers as numbers


def draw(rows: list[Record], width: float) -> Figure:
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
