"""Brief relearning: a few more steps of training on some examples, and a look at the models."""

from typing import Any

import numpy as np
from jaxtyping import Bool

from oracles import Examples, Learner
from oracles.populations import relearn


def relearned(
    learner: Learner, parameters: Any, taught: Examples, asked: Examples, *, steps: int
) -> Bool[np.ndarray, "steps models asked"]:
    """Trains each model on from where it is, full batches, with the learner's own optimiser.

    Args:
        learner: of the models.
        parameters: of all models, models first, as `oracles.Population.parameters`.
        taught: examples to train on.
        asked: examples to look at.
        steps: at least 1.

    Returns:
        After each step, whether each model gives each example asked its label.
    """
    seen = relearn(learner, parameters, taught, asked, steps=steps, look=_right)
    return np.moveaxis(seen[:, 1:], 0, 1)


def _right(learner: Learner, params: Any, inputs: Any, labels: Any) -> Any:
    return learner.logits(params, inputs).argmax(axis=1) == labels
