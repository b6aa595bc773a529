"""GradDiff, NPO and SimNPO: descent on the loss on R plus a term that unlearns S."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Learner, Parameters, cross_entropies, descend
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, on_device
from oracles.unlearners._descent import MomentumDescent, passes


@dataclass(frozen=True)
class GradDiff(MomentumDescent):
    """Minimises w · mean_R ℓ − mean_S ℓ from θ0 by SGD with momentum.

    Source: Liu et al. 2022, arXiv 2203.12817, and TOFU (Maini et al. 2024, arXiv 2401.06121). Every
    step takes a batch of R and one of S, and S is cycled. w = 1 is published; learning rates there
    are of language models. Ours is set on ``digits-trigger``: of a grid, what lowers accuracy on S
    most while that on the ``retain`` probes stays at 0.95. Those are of D∖B: so much of B was used,
    and no reference.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples of R a step; of S, as many or all of S.
        momentum: of SGD, in [0, 1).
        retain_weight: w, at least 0.
    """

    learning_rate: float = 0.0007
    epochs: int = 5
    retain_weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("[0, inf)", retain_weight=self.retain_weight)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over R, each step pushed up on S."""
        return _descend_pairs(
            self, learner, params, forget, retain, key, lambda losses, _: -losses.mean()
        )


@dataclass(frozen=True)
class NPO(MomentumDescent):
    """Minimises w · mean_R ℓ − (2/β) mean_S ln σ(−β ln(p_θ(y|x) / p_θ0(y|x))) from θ0.

    Negative preference optimisation: ascent that slows down as p_θ falls below p_θ0; β → 0 is
    `GradDiff`. For a classifier p is the probability of the label. Source: Zhang et al. 2024,
    arXiv 2404.05868; β = 0.1 and w = 1 are published, learning rates there are of language models
    and ours is set as that of `GradDiff`, as are the steps.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples of R a step; of S, as many or all of S.
        momentum: of SGD, in [0, 1).
        beta: over 0.
        retain_weight: w, at least 0.
    """

    learning_rate: float = 0.01
    epochs: int = 5
    beta: float = 0.1
    retain_weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, inf)", beta=self.beta)
        check_within("[0, inf)", retain_weight=self.retain_weight)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over R, each step pushed away from θ0 on S."""
        s_inputs, s_labels = on_device(forget)
        reference = cross_entropies(learner.logits(params, s_inputs), s_labels)

        def term(losses: Any, s: Any) -> Any:
            return npo_terms(self.beta, reference[s], losses).mean()

        return _descend_pairs(self, learner, params, forget, retain, key, term)


@dataclass(frozen=True)
class SimNPO(MomentumDescent):
    """Minimises w · mean_R ℓ − v (2/β) mean_S ln σ(−β ln p_θ(y|x) − γ) from θ0: NPO without θ0.

    The rule is for sequences, with ln p_θ divided by their length. A classifier's answer has length
    1, so of the two changes to `NPO` only the missing reference is left: examples that θ0 is sure
    of are pushed hardest. Source: Fan et al. 2024, arXiv 2410.07163; β = 4.5, γ = 0, v = 0.125 and
    w = 1 are those of open-unlearning, learning rates there are of language models. Ours is set as
    that of `GradDiff`, as are the steps: it is the greatest of a grid from 0.002 to 0.1, at all of
    which the ``retain`` probes stay right, since the term of S fades once an example is wrong.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples of R a step; of S, as many or all of S.
        momentum: of SGD, in [0, 1).
        beta: over 0.
        gamma: margin of the reward, at least 0.
        forget_weight: v, over 0.
        retain_weight: w, at least 0.
    """

    learning_rate: float = 0.1
    epochs: int = 5
    beta: float = 4.5
    gamma: float = 0.0
    forget_weight: float = 0.125
    retain_weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, inf)", beta=self.beta, forget_weight=self.forget_weight)
        check_within("[0, inf)", gamma=self.gamma, retain_weight=self.retain_weight)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over R, each step pushed off S."""
        scale = 2 * self.forget_weight / self.beta

        def term(losses: Any, _: Any) -> Any:
            return scale * jax.nn.softplus(self.gamma - self.beta * losses).mean()

        return _descend_pairs(self, learner, params, forget, retain, key, term)


def npo_terms(beta: float, reference: Any, losses: Any) -> Any:
    """−(2/β) ln σ(−β ln(p_θ / p_θ0)) of each example, from its losses under θ0 and under θ."""
    return 2 / beta * jax.nn.softplus(beta * (reference - losses))


def _descend_pairs(
    rule: GradDiff | NPO | SimNPO,
    learner: Learner,
    params: Any,
    forget: Batch,
    retain: Batch,
    key: Any,
    term: Callable[[Any, Any], Any],
) -> Any:
    """Descends on the weighted loss on R plus ``term(losses, index)`` of the batch of S."""
    (s_inputs, s_labels), (r_inputs, r_labels) = on_device(forget), on_device(retain)
    r_key, s_key = jax.random.split(key)
    r_plan = passes(r_key, len(r_labels), rule.epochs, rule.batch)
    s_plan = epoch_batches(s_key, len(s_labels), len(r_plan), min(rule.batch, len(s_labels)))

    def loss(params: Any, entry: Any) -> Any:
        r, s = entry
        loss_r = rule.retain_weight * learner.loss(params, r_inputs[r], r_labels[r])
        return loss_r + term(cross_entropies(learner.logits(params, s_inputs[s]), s_labels[s]), s)

    return descend(rule._optimiser, loss, params, (r_plan, s_plan))
