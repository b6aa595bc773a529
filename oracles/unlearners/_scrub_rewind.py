"""SCRUB+R: SCRUB, rewound to the epoch at which S is no worse known than examples like it."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, Key

from oracles._learner import Learner, Parameters
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch
from oracles.unlearners._scrub import Scrub


@dataclass(frozen=True)
class ScrubRewind(Scrub):
    """`Scrub`, of whose epochs the one is returned whose error on S is nearest to a reference.

    The reference is the error, after the last epoch, on validation examples; of epochs at the same
    distance the first is taken. Source: Kurmanji et al. 2023, arXiv 2302.09880, where validation
    examples are of the distribution of S and were never trained on. An unlearner has none such.
    Here they are drawn from R, as many of each label as S has or all there are, half of R at most,
    and SCRUB trains on the rest of R. So they share the labels of S and not its distribution, and
    θ0 was trained on them: the reference is lower than the published one. It is the mean over S of
    the validation error of each example's label; a label that R lacks counts as an error, since a
    model of A(R) does not know it. The settings are those of `Scrub`; nothing was tuned.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples of R a step, or all of R.
        momentum: of SGD, in [0, 1).
        forget_batch: examples of S a step, or all of S.
        max_epochs: epochs with a pass over S, at least 0 and at most ``epochs``.
        alpha: weight of the divergence on R, at least 0.
        gamma: weight of the loss on R, at least 0.
        temperature: T, over 0.
    """

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """The checkpoint of the epoch that is rewound to."""
        part_key, scrub_key = jax.random.split(key)
        inputs, labels = jnp.asarray(retain[0]), jnp.asarray(retain[1])
        s_inputs, s_labels = jnp.asarray(forget[0]), jnp.asarray(forget[1])
        classes = jax.eval_shape(learner.logits, params, s_inputs[:1]).shape[1]
        held, rest, alike = _hold_out(part_key, s_labels, labels, classes)
        last, checkpoints = self._epochs(
            learner, params, (s_inputs, s_labels), (inputs[rest], labels[rest]), scrub_key
        )
        wrong = learner.logits(last, inputs[held]).argmax(axis=1) != labels[held]
        own = (labels[held] == jnp.arange(classes)[:, None]) & alike
        seen = own.sum(axis=1)
        errors = jnp.where(seen > 0, (own & wrong).sum(axis=1) / jnp.maximum(seen, 1), 1.0)
        wanted = errors[s_labels].mean()

        def distance(checkpoint: Any) -> Any:
            answers = learner.logits(checkpoint, s_inputs).argmax(axis=1)
            return jnp.abs((answers != s_labels).mean() - wanted)

        best = jax.lax.map(distance, checkpoints).argmin()
        return jax.tree.map(lambda leaf: leaf[best], checkpoints)

    def _epochs(
        self, learner: Learner, params: Any, forget: Batch, retain: Batch, key: Any
    ) -> tuple[Any, Any]:
        """SCRUB's last model, and its models after each epoch, epochs first."""
        (s_inputs, _), (_, r_labels) = forget, retain
        s_size, r_size = min(self.forget_batch, len(s_inputs)), min(self.batch, len(r_labels))
        ups, downs = -(-len(s_inputs) // s_size), -(-len(r_labels) // r_size)
        s_key, r_key = jax.random.split(key)
        s_plan = epoch_batches(s_key, len(s_inputs), self.epochs * ups, s_size)
        r_plan = epoch_batches(r_key, len(r_labels), self.epochs * downs, r_size)
        rise, fall = self.losses(learner, params, s_inputs, retain)
        optimiser = optax.sgd(self.learning_rate, momentum=self.momentum)

        def walk(loss: Any, state: Any, plan: Any) -> Any:
            def step(state: Any, index: Any) -> tuple[Any, None]:
                params, memory = state
                updates, memory = optimiser.update(jax.grad(loss)(params, index), memory, params)
                return (optax.apply_updates(params, updates), memory), None

            return jax.lax.scan(step, state, plan)[0]

        def epoch(state: Any, now: Any) -> tuple[Any, Any]:
            turn, s, r = now
            state = jax.lax.cond(
                turn, lambda state: walk(rise, state, s), lambda state: state, state
            )
            state = walk(fall, state, r)
            return state, state[0]

        plan = (
            jnp.arange(self.epochs) < self.max_epochs,
            s_plan.reshape(self.epochs, ups, s_size),
            r_plan.reshape(self.epochs, downs, r_size),
        )
        (last, _), checkpoints = jax.lax.scan(epoch, (params, optimiser.init(params)), plan)
        return last, checkpoints


def _hold_out(
    key: Key[Array, ""], wanted: Int[Array, " forget"], labels: Int[Array, " retain"], classes: int
) -> tuple[Int[Array, " held"], Int[Array, " rest"], Any]:
    """Indices of R held out and kept, at random; of those held out, whether S wants their label.

    As many are held out as S has, whatever the labels, as shapes must not depend on them.
    """
    order = jax.random.permutation(key, len(labels))
    own = labels[order][:, None] == jnp.arange(classes)
    place = (own.cumsum(axis=0) * own).sum(axis=1)
    alike = place <= jnp.bincount(wanted, length=classes)[labels[order]]
    first = jnp.argsort(~alike)
    count = min(len(wanted), len(labels) // 2)
    order, alike = order[first], alike[first]
    return order[:count], order[count:], alike[:count]
