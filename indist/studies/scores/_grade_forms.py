"""Grades that an audit prints beside its verdict, as scores to be held against the truth."""

import numpy as np
from jaxtyping import Float

from audits.verdict import shift_of_medians
from estimators import auc, mean_distance, progress
from indist.studies.scores._score_forms import FORGET, Case, ScoreForm


def _shift(case: Case) -> float:
    return float(np.nanmax(np.abs(shift_of_medians(*_both(case)))))


def _auc(case: Case) -> float:
    return float(np.abs(auc(*_both(case)).estimate - 0.5).max())


def _mean_distance(case: Case) -> float:
    return mean_distance(case.ours.margins, case.theirs.margins, seed=0).estimate


def _both(case: Case) -> tuple[Float[np.ndarray, "n g"], Float[np.ndarray, "m g"]]:
    return case.medians(case.ours), case.medians(case.theirs)


def _off(case: Case) -> Float[np.ndarray, " g"]:
    """|1 - progress| of each group; 0 for all algorithms alike where there is no way to go."""
    ours, theirs = _both(case)
    return np.nan_to_num(np.abs(1.0 - progress(ours, case.medians(case.original), theirs).estimate))


def _progress(case: Case) -> float:
    return float(_off(case).max())


def _progress_forget(case: Case) -> float:
    return float(_off(case)[case.present == FORGET][0])


GRADES: tuple[ScoreForm, ...] = tuple(
    ScoreForm(name, "indist", value, "lower is better")
    for name, value in (
        ("shift", _shift),
        ("auc", _auc),
        ("progress", _progress),
        ("progress-forget", _progress_forget),
        ("mean-distance", _mean_distance),
    )
)
"""The greatest over the groups' medians of |shift|, |AUC - 1/2| and |1 - progress|; the last on S
alone; and the distance of the means of all margins."""
