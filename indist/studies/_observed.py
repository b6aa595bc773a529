"""What studies read off observations: shares of probes right, and probabilities of their labels."""

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from oracles import Observations

GONE = "behaviour_test"
KEPT = ("near", "retain", "test")
GROUPS = (GONE, *KEPT)
"""Probe groups that do not depend on S: fresh instances of the behaviour, and what is not in B."""


def share_right(seen: Observations, group: str) -> Float[np.ndarray, " models"]:
    """Each model's share of a group's probes that it gives their label."""
    return seen.correct[:, seen.groups == group].mean(axis=1)


def label_rate(seen: Observations, group: str) -> Float[np.ndarray, " models"]:
    """The mean probability that each model gives to the labels of a group, in [0, 1]."""
    return expit(seen.margins[:, seen.groups == group]).mean(axis=1)


def label_rates(seen: Observations) -> Float[np.ndarray, "models groups"]:
    """The mean probability that each model gives to the labels of each of `GROUPS`.

    Args:
        seen: observations with probes of all of them.

    Returns:
        One column a group, in [0, 1]. On ``behaviour_test`` it is the graded rate of the behaviour.
    """
    return np.stack([label_rate(seen, group) for group in GROUPS], axis=1)
