"""Models that others trained on known subsets of a training set, as estimators take them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True, eq=False)
class SubsetModels:
    """Which model saw what, and what came out: input of memorization and cross-influence.

    Attributes:
        path: the file or folder.
        included: whether each model trained on each example, ``[models, n]``.
        outcome: what each model made of each target, float32 ``[models, targets]``, finite.
        names: each model's name: its folder or row.
        left_out: names of models that were started and have no outcome.
    """

    path: Path
    included: Bool[np.ndarray, "models n"]
    outcome: Float[np.ndarray, "models targets"]
    names: tuple[str, ...]
    left_out: tuple[str, ...]
