"""Unlearners on modules of several kinds, two models at once."""

from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

from indist import oracles
from oracles.unlearners import (
    Amnesiac,
    BoundaryShrink,
    ConvolutionTranspose,
    FisherForgetting,
    InfluenceStep,
    LabelFreeDampening,
    MaskedSmallGradients,
    Potion,
    RedirectMemorization,
    RefinedUnlearning,
    ScrubRewind,
    TangentScrub,
    Unsir,
)
from tests.oracles.by_hand import DEEP, WORDS, R, S, sentences, unoptimised
from tests.oracles.user_modules import CONVOLUTIONS, IMAGES, TOKEN_READER, TOKENS

WORLDS: dict[str, tuple[oracles.Learner, Any]] = {
    "convnet": (CONVOLUTIONS, IMAGES),
    "token reader": (TOKEN_READER, TOKENS),
    "transformer": (WORDS, (sentences(1, 6), sentences(2, 9))),
    "mlp": (DEEP, (S, R)),
}
ANY_MODULE = [
    Amnesiac(epochs=2),
    ScrubRewind(epochs=2, max_epochs=1),
    LabelFreeDampening(alpha=1.0),
    Potion(),
    MaskedSmallGradients(epochs=2),
    ConvolutionTranspose(epochs=2),
    FisherForgetting(),
    TangentScrub(),
    InfluenceStep(),
]
REM = RedirectMemorization(learning_rate=0.1, epochs=1, flushes=2, target=0.0)


def _two_models(rule: Any, world: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Leaves of two models before and after, checked to be of one shape and finite."""
    learner, sets = WORLDS[world]
    keys = jax.random.split(jax.random.key(2), 2)
    starts = unoptimised(jax.vmap(lambda key: learner.init(key, sets[0][0])))(keys)
    run = unoptimised(jax.vmap(partial(rule, learner), in_axes=(0, None, None, 0)))
    made = run(starts, *sets, keys)
    assert jax.tree.structure(made) == jax.tree.structure(starts)
    pairs = list(zip(*map(jax.tree.leaves, (starts, made)), strict=True))
    for before, after in pairs:
        assert (after.shape, after.dtype) == (before.shape, before.dtype)
        assert np.isfinite(after).all()
    return [(np.asarray(before), np.asarray(after)) for before, after in pairs]


@pytest.mark.parametrize("world", ["convnet", "token reader"])
@pytest.mark.parametrize("rule", ANY_MODULE, ids=lambda rule: type(rule).__name__)
def test_every_module(rule: Any, world: str) -> None:
    pairs = _two_models(rule, world)
    assert any(not np.array_equal(after, before) for before, after in pairs)


@pytest.mark.parametrize(
    ("rule", "world"),
    [
        (Unsir(noise=4, noise_steps=2), "convnet"),
        (BoundaryShrink(epochs=2), "convnet"),
        (BoundaryShrink(epochs=2), "transformer"),
        (RefinedUnlearning(epochs=2), "transformer"),
        (REM, "convnet"),
        (REM, "mlp"),
    ],
)
def test_modules_that_a_rule_is_for(rule: Any, world: str) -> None:
    pairs = _two_models(rule, world)
    assert any(not np.array_equal(after, before) for before, after in pairs)


@pytest.mark.parametrize("world", ["convnet", "token reader"])
@pytest.mark.parametrize("rule", ANY_MODULE[-3:], ids=lambda rule: type(rule).__name__)
def test_rules_of_second_order_move_every_leaf(rule: Any, world: str) -> None:
    pairs = _two_models(rule, world)
    assert not any(np.array_equal(after[0], before[0]) for before, after in pairs)
