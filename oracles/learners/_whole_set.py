"""What learners have in common that see the whole training set at every step."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from estimators.checks import check_within
from oracles._learner import AnyArray, Learner, Parameters
from oracles.modules._dense import BinaryLinear, unit_rows

Kind = TypeVar("Kind", bound=Learner)


@dataclass(frozen=True, eq=False)
class WholeSet(Learner):
    """A learner whose plan says which examples are in: entry i is i, or −1 if i is left out."""

    FOLLOWED: ClassVar[Collection[str]] = ()

    def draw_plan(
        self, key: Key[Array, ""], included: Bool[AnyArray, " examples"]
    ) -> Int[Array, "1 examples"]:
        """Which examples are in; there is no order to draw."""
        del key
        return jnp.where(included, jnp.arange(len(included)), -1)[None]


@dataclass(frozen=True, eq=False)
class Published(WholeSet):
    """A whole-set learner of two classes that publishes weights and may keep a secret beside them.

    Parameters are ``weights``, what the world sees, and ``secret``, what the owner keeps for
    unlearning later. The module is `BinaryLinear`; ``batch`` is the size of D, and stays it when
    examples are left out.

    Attributes:
        sigma: of the noise that is published, over 0.
    """

    sigma: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, inf)", sigma=self.sigma)
        if not isinstance(self.module, BinaryLinear):
            raise ValueError(
                f"module: expected BinaryLinear, whose constants are known, found {self.module!r}"
            )

    def init(self, key: Key[Array, ""], inputs: Any) -> Parameters:
        """Zeros, in the shape that training gives."""
        del key
        zero = jnp.zeros(np.prod(inputs.shape[1:], dtype=int))
        return {"weights": zero, "secret": zero}

    def logits(self, params: Parameters, inputs: Any) -> Float[Array, "n 2"]:
        """What the published weights say."""
        return super().logits({"weights": params["weights"]}, inputs)


def members(inputs: Any, labels: Any, plan: Any) -> tuple[Any, Any, Any]:
    """Unit rows, labels as signs ±1, and for each example 1 or 0, as a plan has it in or not."""
    return unit_rows(inputs), 2.0 * jnp.asarray(labels) - 1.0, (plan[0] >= 0).astype(jnp.float32)


def everyone(data: tuple[Any, Any]) -> tuple[Any, Any, Any]:
    """`members` of a set of which all examples are in."""
    return members(*data, jnp.zeros((1, len(data[1]))))


def loss_gradient(
    weights: Float[AnyArray, " features"],
    rows: Float[AnyArray, "n features"],
    signs: Float[AnyArray, " n"],
    inside: Float[AnyArray, " n"],
) -> Float[Array, " features"]:
    """Gradient of the summed logistic loss Σ ln(1 + exp(−y w·x)) over those inside."""
    pull = inside * signs * jax.nn.sigmoid(-signs * jnp.dot(rows, weights))
    return -jnp.dot(pull, rows)


def own_learner(name: str, learner: Learner, kind: type[Kind]) -> Kind:
    """The learner, checked to be the one that an unlearner belongs to.

    Raises:
        ValueError: when it is another.
    """
    if not isinstance(learner, kind):
        raise ValueError(
            f"{name}: expected a model of the learner {kind.__name__}, as its certificate is about "
            f"that alone, found {type(learner).__name__}"
        )
    return learner
