"""CF-k and EU-k: forget in the last k layers, and leave the others alone."""

from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array, Key

from estimators.checks import check_counts
from oracles._deferred import build
from oracles._learner import Learner, Parameters, descend
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, on_device
from oracles.unlearners._descent import MomentumDescent, passes
from oracles.unlearners._layers import flat_leaves, layers, with_leaves


@dataclass(frozen=True)
class FineTuneLast(MomentumDescent):
    """CF-k: minimises mean_R ℓ over the last k layers from θ0; the others keep their bits.

    Which layers are the last is read off the module: see `layers`. Source: Goel et al. 2022,
    arXiv 2201.06640; 10 epochs and learning rate 0.01 are those of fine-tuning there. k is set to
    1 for the built-in modules, of which the smallest has one layer. Nothing was tuned.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples a step, or all of R.
        momentum: of SGD, in [0, 1).
        last: k, at least 1 and at most the module's number of layers (then it is fine-tuning).
    """

    learning_rate: float = 0.01
    epochs: int = 10
    last: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(last=self.last)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 with its last k layers trained on."""
        plan = passes(key, len(retain[1]), self.epochs, self.batch)
        return _train_last(self.last, self._optimiser, learner, params, params, retain, plan)


@dataclass(frozen=True)
class RetrainLast:
    """EU-k: draws the last k layers anew and trains them on R with the learner's own recipe.

    The other layers keep the bits of θ0. With k = all layers it is exact retraining. Source: Goel
    et al. 2022, arXiv 2201.06640. Optimiser, steps and batch are the learner's, as published; k is
    set to 1 as in `FineTuneLast`. Which layers are the last: see `layers`. Nothing was tuned.

    Attributes:
        last: k, at least 1 and at most the module's number of layers.
    """

    last: int = 1

    def __post_init__(self) -> None:
        check_counts(last=self.last)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 with its last k layers retrained."""
        init_key, plan_key = jax.random.split(key)
        fresh = learner.init(init_key, retain[0])
        plan = epoch_batches(plan_key, len(retain[1]), learner.steps, learner.batch)
        optimiser = build(learner.optimiser)
        return _train_last(self.last, optimiser, learner, params, fresh, retain, plan)


def _train_last(
    last: int,
    optimiser: Any,
    learner: Learner,
    params: Parameters,
    start: Parameters,
    examples: Batch,
    plan: Any,
) -> Any:
    """Trains the last layers from ``start``; the others are those of ``params``."""
    inputs, labels = on_device(examples)
    groups = list(layers(learner, inputs).values())
    if last > len(groups):
        raise ValueError(f"last: expected 1 to {len(groups)}, the layers there are, found {last}")
    chosen = {path for group in groups[-last:] for path in group}
    fixed_leaves, start_leaves = flat_leaves(params), flat_leaves(start)

    def merged(moving: Any) -> Any:
        return with_leaves(params, fixed_leaves | moving)

    return merged(
        descend(
            optimiser,
            lambda moving, index: learner.loss(merged(moving), inputs[index], labels[index]),
            {path: leaf for path, leaf in start_leaves.items() if path in chosen},
            plan,
        )
    )
