"""How memorized each of the 1,797 digits is: the measurement behind a file that ships.

``python -m oracles._digits_memorization`` makes the file again.
"""

import numpy as np
from jaxtyping import Float

import estimators
from oracles._probes import Probes
from oracles._scenario import Scenario
from oracles.populations._runs import subset_runs
from oracles.scenarios._digits_memorized import SCORES
from oracles.scenarios._parts import all_digits, digits_learner

MODELS = 2000
"""Each score has a standard error of at most 0.025."""


def measure(models: int, seed: int) -> Float[np.ndarray, " digits"]:
    """Memorization of each digit, in scikit-learn's order.

    Models train on random subsets of *all* digits, each included at rate 0.7: on 1,258 on average,
    about as many as a scenario's training set of 1,297, so that one measurement serves every split.

    Args:
        models: how many.
        seed: of subsets and training.

    Returns:
        How much more often a model is right on a digit when it trained on it, in [-1, 1].

    References:
        Feldman and Zhang (2020), What neural networks memorize and why. https://arxiv.org/abs/2008.03703
    """
    digits, first = all_digits(), np.arange(1)
    # A scenario needs an S and a B; here they only name groups of targets.
    scenario = Scenario(
        name="all-digits",
        title="all digits",
        settings={},
        train=digits,
        forget=first,
        behaviour=first,
        probes=Probes.join([("retain", digits.take(first))]),
        classes=10,
        learner=digits_learner(),
    )
    runs = subset_runs(scenario, models=models, seed=seed, inclusion=0.7)
    return estimators.memorization(runs.included, runs.correct).estimate


if __name__ == "__main__":
    np.save(SCORES, measure(MODELS, seed=0).astype(np.float32))
