"""Gradient ascent on S, alone or in turns with descent on R."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from estimators.checks import check_counts
from oracles._learner import Learner, Parameters, descend
from oracles.unlearners._contract import Batch, check_descent, passes


@dataclass(frozen=True)
class GradientAscent:
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
    batch: int = 128
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_descent(self.learning_rate, self.epochs, self.batch, self.momentum)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes up on S."""
        return _walk(self, learner, params, forget, key, self.epochs, up=True)


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

        def turn(params: Any, key: Any) -> tuple[Any, None]:
            s_key, r_key = jax.random.split(key)
            params = _walk(self, learner, params, forget, s_key, self.ascent_epochs, up=True)
            return _walk(self, learner, params, retain, r_key, self.descent_epochs, up=False), None

        after, _ = jax.lax.scan(turn, params, jax.random.split(key, self.rounds))
        return after


def _walk(
    rule: GradientAscent | AscentDescent,
    learner: Learner,
    params: Any,
    data: Batch,
    key: Any,
    epochs: int,
    *,
    up: bool,
) -> Any:
    inputs, labels = jnp.asarray(data[0]), jnp.asarray(data[1])
    sign = -1.0 if up else 1.0
    return descend(
        optax.sgd(rule.learning_rate, momentum=rule.momentum),
        lambda params, index: sign * learner.loss(params, inputs[index], labels[index]),
        params,
        passes(key, len(labels), epochs, rule.batch),
    )
