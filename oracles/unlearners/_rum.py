"""RUM: split S by memorization, and unlearn each part by a rule of its own."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters, cross_entropies
from oracles.unlearners._ascent import GradientAscent
from oracles.unlearners._contract import Batch, on_device
from oracles.unlearners._descent import MomentumDescent
from oracles.unlearners._finetune import FineTune
from oracles.unlearners._l1_sparse import L1Sparse
from oracles.unlearners._neggrad import NegGrad
from oracles.unlearners._random_label import RandomLabel
from oracles.unlearners._salun import SalUn

_NOTHING = "nothing"
_RULES = {
    "finetune": FineTune,
    "gradient-ascent": GradientAscent,
    "l1-sparse": L1Sparse,
    "neggrad": NegGrad,
    "random-label": RandomLabel,
    "salun": SalUn,
}


@dataclass(frozen=True)
class RefinedUnlearning(MomentumDescent):
    """Unlearns the least memorized third of S, then the middle, then the most, each by its rule.

    Memorization itself takes retraining; its proxy is the confidence p_y of θ0: the surer, the less
    memorized, as in *Scalability of memorization-based machine unlearning* (2024) by the authors of
    RUM. Each step starts from the parameters of the last and is handed its third as the forget set
    and R = D∖S; no part of S is trained on as retained. Source: Zhao et al. 2024, arXiv 2406.01257,
    whose released choice is nothing, then `FineTune`, then `SalUn`. The numbers are the common
    defaults of those two; nothing was tuned.

    Attributes:
        learning_rate: of every rule, over 0.
        epochs: of every rule, at least 1.
        batch: of every rule, at least 1.
        momentum: of every rule, in [0, 1).
        low: rule of the least memorized third: ``nothing``, ``finetune``, ``gradient-ascent``,
            ``l1-sparse``, ``neggrad``, ``random-label`` or ``salun``, its other settings at their
            defaults.
        middle: of the middle third.
        high: of the most memorized third, and of what is left over when |S| is no multiple of 3.
    """

    learning_rate: float = 0.02
    epochs: int = 10
    low: str = _NOTHING
    middle: str = "finetune"
    high: str = "salun"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("low", "middle", "high"):
            rule = getattr(self, name)
            if rule != _NOTHING and rule not in _RULES:
                names = ", ".join([_NOTHING, *_RULES])
                raise ValueError(f"{name}: expected one of {names}, found {rule!r}")

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after the three steps.

        Raises:
            ValueError: when S has fewer than 3 examples.
        """
        inputs, labels = on_device(forget)
        third = len(labels) // 3
        if not third:
            raise ValueError(
                f"rum: expected at least 3 examples in the forget set, one a third, "
                f"found {len(labels)}"
            )
        # In the order of the loss −ln p_y, in which the examples that θ0 is surest of come first.
        order = jnp.argsort(cross_entropies(learner.logits(params, inputs), labels))
        parts = jnp.split(order, [third, 2 * third])
        names, keys = (self.low, self.middle, self.high), jax.random.split(key, 3)
        for name, part, part_key in zip(names, parts, keys, strict=True):
            rule = self._rule(name)
            if rule is not None:
                params = rule(learner, params, (inputs[part], labels[part]), retain, part_key)
        return params

    def _rule(self, name: str) -> Any:
        """The unlearner of a name with the common settings, None for nothing."""
        if name == _NOTHING:
            return None
        return _RULES[name](
            learning_rate=self.learning_rate,
            epochs=self.epochs,
            batch=self.batch,
            momentum=self.momentum,
        )
