"""REM: redirect S to neurons that are added for it, and drop them."""

import math
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from estimators.checks import check_counts, check_within
from oracles._learner import AnyArray, Learner, Parameters, cross_entropies, descend_on
from oracles.modules._convolution import ConvNet, windows
from oracles.modules._dense import MLP
from oracles.unlearners._contract import Batch, joined, on_device
from oracles.unlearners._descent import MomentumDescent, passes
from oracles.unlearners._preference import npo_terms


@dataclass(frozen=True)
class RedirectMemorization(MomentumDescent):
    """Adds neurons to the hidden layers, trains S into them, and takes them away again.

    Each hidden layer gets ``extra`` neurons (channels, in a `ConvNet`) a neuron of its own. They
    begin silent: fresh weights lead into them, zeros out of them into the base, which is the
    original network. An example of R sees a random part ``seen`` of them, the same in every pass;
    all of S see one such part. Each round is

    - *flush*: passes over S that minimise NPO(S) = −(2/β) mean_S ln σ(−β ln(p(y|x) / p_θ0(y|x)))
      through the base alone, until its accuracy on S is at most ``target`` or they run out;
    - *repair*: one pass over D that minimises ℓ through base and seen neurons, plus the NPO of the
      examples of S in the batch through the base alone.

    Of θ0 and the base after each round, that with the largest acc_R · (1 − max(acc_S, target)) is
    returned. One optimiser, SGD with momentum, carries through all. Source: Schoepf et al. 2025,
    arXiv 2505.17730 (Redirection for Erasing Memory). Published: learning rate 0.005, batch 512,
    10 rounds of one pass each, at most 100 passes a flush, ``seen`` = 0.2 and ``target`` = 0.2; β
    is 1 in the authors' code, which also decays weights, and repairs by the NPO term with its sign
    turned where ours is ℓ. How many neurons to add is our choice. Nothing was tuned.

    Attributes:
        learning_rate: over 0.
        epochs: rounds of flush and repair, at least 1.
        batch: examples a step, or all of the set.
        momentum: of SGD, in [0, 1).
        flushes: passes over S a flush takes at most, at least 1.
        target: accuracy on S that ends a flush, in [0, 1).
        beta: β, over 0.
        seen: probability that an example sees an added neuron, in (0, 1].
        extra: added neurons over those there are, rounded up in each layer, over 0.
    """

    learning_rate: float = 0.005
    epochs: int = 10
    batch: int = 512
    flushes: int = 100
    target: float = 0.2
    beta: float = 1.0
    seen: float = 0.2
    extra: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(flushes=self.flushes)
        check_within("(0, inf)", beta=self.beta, extra=self.extra)
        check_within("[0, 1)", target=self.target)
        check_within("(0, 1]", seen=self.seen)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """The best base, of the shape of θ0.

        Raises:
            ValueError: when the module is neither an MLP with a hidden layer nor a ConvNet.
        """
        names = _layer_names(learner.module)
        (s_inputs, s_labels), (r_inputs, r_labels) = on_device(forget), on_device(retain)
        inputs, labels = joined(forget, retain)
        forgotten = len(s_labels)
        grow_key, mask_key, round_key = jax.random.split(key, 3)
        start = {"base": params, "extra": grown(grow_key, params, names, self.extra)}
        keys = jax.random.split(mask_key, len(names) - 1)
        counts = [len(start["extra"][f"bias_{name}"]) for name in names[:-1]]
        # The first column is the mask of all of S; each other column is that of one example of R.
        masks = [
            jax.random.bernoulli(k, self.seen, (count, 1 + len(r_labels)))
            for k, count in zip(keys, counts, strict=True)
        ]
        reference = cross_entropies(learner.logits(params, s_inputs), s_labels)

        def base_terms(base: Any, s: Any) -> Any:
            losses = cross_entropies(learner.logits(base, s_inputs[s]), s_labels[s])
            return npo_terms(self.beta, reference[s], losses)

        def flush_loss(wide: Any, s: Any) -> Any:
            return base_terms(wide["base"], s).mean()

        def repair_loss(wide: Any, index: Any) -> Any:
            column = jnp.maximum(index - forgotten + 1, 0)
            logits = widened(
                learner.module, wide, inputs[index], [mask[:, column] for mask in masks]
            )
            terms = base_terms(wide["base"], jnp.minimum(index, forgotten - 1))
            losses = cross_entropies(logits, labels[index])
            return (losses + jnp.where(index < forgotten, terms, 0.0)).mean()

        def accuracy(base: Any, inputs: Any, labels: Any) -> Any:
            return (learner.logits(base, inputs).argmax(axis=1) == labels).mean()

        def score(base: Any) -> Any:
            accuracy_s = jnp.maximum(accuracy(base, s_inputs, s_labels), self.target)
            return accuracy(base, r_inputs, r_labels) * (1 - accuracy_s)

        def flush_and_repair(state: Any, key: Any) -> tuple[Any, None]:
            descent, best, record = state
            flush_key, repair_key = jax.random.split(key)

            def unfinished(state: Any) -> Any:
                (wide, _), flushes = state
                is_known = accuracy(wide["base"], s_inputs, s_labels) > self.target
                return is_known & (flushes < self.flushes)

            def flush(state: Any) -> Any:
                descent, flushes = state
                plan = passes(jax.random.fold_in(flush_key, flushes), forgotten, 1, self.batch)
                return descend_on(self._optimiser, flush_loss, descent, plan), flushes + 1

            descent, _ = jax.lax.while_loop(unfinished, flush, (descent, 0))
            plan = passes(repair_key, len(labels), 1, self.batch)
            descent = descend_on(self._optimiser, repair_loss, descent, plan)
            base, reached = descent[0]["base"], score(descent[0]["base"])
            best = jax.tree.map(lambda new, old: jnp.where(reached > record, new, old), base, best)
            return (descent, best, jnp.maximum(reached, record)), None

        state = ((start, self._optimiser.init(start)), params, score(params))
        keys = jax.random.split(round_key, self.epochs)
        (_, best, _), _ = jax.lax.scan(flush_and_repair, state, keys)
        return best


def grown(key: Key[Array, ""], params: Parameters, names: list[str], share: float) -> Any:
    """Parameters of the added neurons: ``kernel`` and ``bias`` into them, ``out`` to the base.

    A kernel reads what the layer reads of the base first, and then of the added neurons before it.
    """
    begin = jax.nn.initializers.lecun_normal(in_axis=1, out_axis=0)
    extra: dict[str, Any] = {}
    added_inputs, before = 0, ""
    for name, layer_key in zip(names, jax.random.split(key, len(names)), strict=True):
        kernel = params[f"kernel_{name}"]
        if before:
            units = len(params[f"kernel_{before}"])
            added_inputs = len(extra[f"bias_{before}"]) * kernel.shape[1] // units
            extra[f"out_{name}"] = jnp.zeros((len(kernel), added_inputs))
        if name != names[-1]:
            count = math.ceil(share * len(kernel))
            extra[f"kernel_{name}"] = begin(layer_key, (count, kernel.shape[1] + added_inputs))
            extra[f"bias_{name}"] = jnp.zeros(count)
        before = name
    return extra


def widened(
    module: nn.Module,
    wide: Any,
    inputs: Float[AnyArray, "batch ..."],
    masks: list[Any],
) -> Float[Array, "batch classes"]:
    """Logits of base and added neurons together.

    Args:
        module: an MLP with a hidden layer, or a ConvNet.
        wide: its parameters as ``base`` and those of `grown` as ``extra``.
        inputs: a batch.
        masks: which added neurons each example sees, ``[neurons, batch]`` a hidden layer.
    """
    base, extra = wide["base"], wide["extra"]
    names, batch = _layer_names(module), inputs.shape[0]
    pixels = inputs.shape[1:3] if isinstance(module, ConvNet) else ()

    def layer(name: str, hidden: Any, added: Any) -> tuple[Any, Any]:
        """What the base's neurons of a layer come to, and all that the layer reads."""
        columns = _columns(module, name, hidden)
        outputs = base[f"kernel_{name}"] @ columns + base[f"bias_{name}"][:, None]
        if added is None:
            return outputs, columns
        added_columns = _columns(module, name, added)
        outputs = outputs + extra[f"out_{name}"] @ added_columns
        return outputs, jnp.concatenate([columns, added_columns])

    hidden = jnp.moveaxis(jnp.reshape(inputs, (batch, *pixels, -1)), (0, -1), (-1, 0))
    added = None
    for name, mask in zip(names[:-1], masks, strict=True):
        outputs, columns = layer(name, hidden, added)
        added_outputs = extra[f"kernel_{name}"] @ columns + extra[f"bias_{name}"][:, None]
        hidden, added = (
            jnp.reshape(nn.relu(part), (-1, *pixels, batch)) for part in (outputs, added_outputs)
        )
        added = added * jnp.reshape(mask, (-1, *(1 for _ in pixels), batch))
    return layer(names[-1], hidden, added)[0].T


def _columns(module: nn.Module, name: str, hidden: Any) -> Any:
    """What a layer multiplies its kernel with."""
    if isinstance(module, ConvNet) and name != "dense":
        return windows(hidden)
    return jnp.reshape(hidden, (-1, hidden.shape[-1]))


def _layer_names(module: nn.Module) -> list[str]:
    """Names of the layers, first to last."""
    if isinstance(module, MLP) and len(module.features) > 1:
        return [str(layer) for layer in range(len(module.features))]
    if isinstance(module, ConvNet) and module.channels:
        return [*map(str, range(len(module.channels))), "dense"]
    raise ValueError(
        "rem: expected an MLP with a hidden layer or a ConvNet, whose hidden layers can be "
        f"widened, found {' '.join(repr(module).split())}"
    )
