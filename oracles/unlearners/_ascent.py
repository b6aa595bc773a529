"""Gradient ascent on S, alone or in turns with descent on R."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import optax
from jaxtyping import Array, Key

from estimators.checks import check_counts
from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch
from oracles.unlearners._descent import MomentumDescent, check_descent, sgd_passes


@dataclass(frozen=True)
class GradientAscent(MomentumDescent):
    """Maximises the mean loss on S from θ0 by SGD with momentum: θ ← θ + η ∇ mean_S ℓ.

    The rule is that of the NegGrad baseline of Golatkar et al. 2020 (arXiv 1911.04933). Five epochs
    are those of RUM (Zhao et al. 2024, arXiv 2406.01257), whose learning rate 1e-4 moves nothing in
    the built-in scenarios, where S fills one batch. Ours is set on ``digits-trigger``: of a grid,
    what lowers accuracy on S most while that on the ``retain`` probes stays at 0.95. Those are of
    D∖B: so much of B was used, and no reference.

    Attributes:
        learning_rate: over 0.
        epochs: passes over S, at least 1.
        batch: examples of S a step, or all of S.
        momentum: of SGD, in [0, 1).
    """

    learning_rate: float = 0.03
    epochs: int = 5

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes up on S."""
        return sgd_passes(
            self._optimiser,
            learner,
            params,
            forget,
            key,
            epochs=self.epochs,
            batch=self.batch,
            sign=-1.0,
        )


@dataclass(frozen=True)
class AscentDescent:
    """Takes turns: passes up on S, θ ← θ + η ∇ mean_S ℓ, then passes down on R.

    Each turn begins with fresh momentum. One round is the published form, ascent and then descent
    (data-unlearning-bench, after Georgiev et al. 2024, arXiv 2410.23232); more rounds alternate. 5
    epochs of ascent are of its grid of 3 and 5, and the learning rate lies within its grid of 1e-5
    to 5e-2: it is set on ``digits-trigger`` as in `GradientAscent`.

    Attributes:
        learning_rate: of both, over 0.
        ascent_epochs: passes up on S a round, at least 1.
        descent_epochs: passes down on R a round, at least 1.
        rounds: at least 1.
        batch: examples a step, or all of the set.
        momentum: of SGD, in [0, 1).
    """

    learning_rate: float = 0.01
    ascent_epochs: int = 5
    descent_epochs: int = 1
    rounds: int = 3
    batch: int = 128
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_descent(self.learning_rate, self.ascent_epochs, self.batch, self.momentum)
        check_counts(descent_epochs=self.descent_epochs, rounds=self.rounds)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``rounds`` turns."""
        run = partial(
            sgd_passes,
            optax.sgd(self.learning_rate, momentum=self.momentum),
            learner,
            batch=self.batch,
        )

        def turn(params: Any, key: Any) -> tuple[Any, None]:
            s_key, r_key = jax.random.split(key)
            params = run(params, forget, s_key, epochs=self.ascent_epochs, sign=-1.0)
            return run(params, retain, r_key, epochs=self.descent_epochs), None

        return jax.lax.scan(turn, params, jax.random.split(key, self.rounds))[0]
