"""SCRUB+R: SCRUB, rewound to the epoch whose error on S is that on held-out examples like S."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Key

from oracles._learner import Learner, Parameters, descend_on
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, on_device
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
        (s_inputs, s_labels), (inputs, labels) = on_device(forget), on_device(retain)
        classes = jax.eval_shape(learner.logits, params, s_inputs[:1]).shape[1]
        held_out, rest, matches = _hold_out(part_key, s_labels, labels, classes)
        last, checkpoints = self._epochs(
            learner, params, (s_inputs, s_labels), (inputs[rest], labels[rest]), scrub_key
        )
        wrong = learner.logits(last, inputs[held_out]).argmax(axis=1) != labels[held_out]
        of_class = (labels[held_out] == jnp.arange(classes)[:, None]) & matches
        counts = of_class.sum(axis=1)
        mistakes = (of_class & wrong).sum(axis=1)
        errors = jnp.where(counts > 0, mistakes / jnp.maximum(counts, 1), 1.0)
        reference = errors[s_labels].mean()

        def distance(checkpoint: Any) -> Any:
            answers = learner.logits(checkpoint, s_inputs).argmax(axis=1)
            return jnp.abs((answers != s_labels).mean() - reference)

        best = jax.lax.map(distance, checkpoints).argmin()
        return jax.tree.map(lambda leaf: leaf[best], checkpoints)

    def _epochs(
        self, learner: Learner, params: Any, forget: Batch, retain: Batch, key: Any
    ) -> tuple[Any, Any]:
        """SCRUB's last model, and its models after each epoch, epochs first."""
        (s_inputs, _), (_, r_labels) = forget, retain
        s_size, r_size = min(self.forget_batch, len(s_inputs)), min(self.batch, len(r_labels))
        max_steps, min_steps = -(-len(s_inputs) // s_size), -(-len(r_labels) // r_size)
        s_key, r_key = jax.random.split(key)
        s_plan = epoch_batches(s_key, len(s_inputs), self.epochs * max_steps, s_size)
        r_plan = epoch_batches(r_key, len(r_labels), self.epochs * min_steps, r_size)
        max_loss, min_loss = self.losses(learner, params, s_inputs, retain)

        def epoch(state: Any, entry: Any) -> tuple[Any, Any]:
            has_max_steps, s_plan, r_plan = entry
            state = jax.lax.cond(
                has_max_steps,
                lambda state: descend_on(self._optimiser, max_loss, state, s_plan),
                lambda state: state,
                state,
            )
            state = descend_on(self._optimiser, min_loss, state, r_plan)
            return state, state[0]

        plan = (
            jnp.arange(self.epochs) < self.max_epochs,
            s_plan.reshape(self.epochs, max_steps, s_size),
            r_plan.reshape(self.epochs, min_steps, r_size),
        )
        start = params, self._optimiser.init(params)
        (last, _), checkpoints = jax.lax.scan(epoch, start, plan)
        return last, checkpoints


def _hold_out(
    key: Key[Array, ""],
    forget_labels: Int[Array, " forget"],
    labels: Int[Array, " retain"],
    classes: int,
) -> tuple[Int[Array, " held_out"], Int[Array, " rest"], Any]:
    """Indices of R held out and kept, at random; for those held out, whether they match S.

    One matches when S has its label, and has it at least as often as those drawn up to there. As
    many are held out as S has, whatever the labels, because shapes must not depend on them.
    """
    order = jax.random.permutation(key, len(labels))
    is_label = labels[order][:, None] == jnp.arange(classes)
    place_in_class = (is_label.cumsum(axis=0) * is_label).sum(axis=1)
    matches = place_in_class <= jnp.bincount(forget_labels, length=classes)[labels[order]]
    matching_first = jnp.argsort(~matches)
    count = min(len(forget_labels), len(labels) // 2)
    order, matches = order[matching_first], matches[matching_first]
    return order[:count], order[count:], matches[:count]
