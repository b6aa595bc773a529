"""What each population does on each probe group: the numbers a reader looks at first."""

import math

import numpy as np
from scipy.special import stdtrit

from audits.verdict._results import GroupSummary
from oracles import PROBE_GROUPS, Observations

_CONFIDENCE = 0.95


def summarise(population: str, observations: Observations) -> tuple[GroupSummary, ...]:
    """Accuracy and margin of one population on each probe group present.

    Args:
        population: its name.
        observations: what was seen of it.

    Returns:
        One summary a group, in the order of `oracles.PROBE_GROUPS`. The accuracy's interval is
        Student's, over models, within [0, 1]; it is all of [0, 1] for a single model.
    """
    summaries: list[GroupSummary] = []
    for group in PROBE_GROUPS:
        chosen = observations.groups == group
        if not chosen.any():
            continue
        accuracy = observations.correct[:, chosen].mean(axis=1)
        mean, half = float(accuracy.mean()), _half_width(accuracy)
        margin = np.median(observations.margins[:, chosen], axis=1)
        low, middle, high = (float(value) for value in np.quantile(margin, [0.05, 0.5, 0.95]))
        summaries.append(
            GroupSummary(
                population=population,
                group=group,
                probes=int(chosen.sum()),
                models=observations.models,
                accuracy=mean,
                accuracy_low=max(0.0, mean - half),
                accuracy_high=min(1.0, mean + half),
                margin=middle,
                margin_low=low,
                margin_high=high,
            )
        )
    return tuple(summaries)


def _half_width(values: np.ndarray) -> float:
    """Half the length of Student's interval for the mean of one value a model."""
    models = len(values)
    if models < 2:
        return 1.0
    score = float(stdtrit(models - 1, 0.5 + _CONFIDENCE / 2.0))
    return score * float(values.std(ddof=1)) / math.sqrt(models)
