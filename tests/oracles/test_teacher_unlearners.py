"""Unlearners that learn from a teacher, or from its opposite, against arithmetic by hand."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from indist import oracles
from oracles.unlearners import Scrub, ScrubRewind
from oracles.unlearners._scrub_rewind import _hold_out
from tests.oracles.by_hand import (
    CLASSES,
    KEY,
    LOGISTIC,
    R,
    S,
    adam_descent,
    assert_close,
    compiled,
    divergence_gradient,
    fresh_params,
    joined,
    logits_of,
    loss_gradient,
    mixture,
    momentum_descent,
    points,
    run_rule,
    to_host,
    unoptimised,
)


def test_scrub() -> None:
    rule = oracles.unlearners.Scrub(
        learning_rate=0.1, epochs=4, max_epochs=3, alpha=0.4, gamma=0.7, temperature=2.0
    )
    start = to_host(fresh_params())

    def up(p: Any) -> Any:
        return mixture((-1, divergence_gradient(p, logits_of(start, S[0]), S[0], 2.0)))

    def down(p: Any) -> Any:
        kept = divergence_gradient(p, logits_of(start, R[0]), R[0], 2.0)
        return mixture((0.7, loss_gradient(p, R)), (0.4, kept))

    assert_close(run_rule(rule), momentum_descent(start, [up, down, up, down, up, down, down], 0.1))


def test_bad_teaching() -> None:
    rule = oracles.unlearners.BadTeaching(learning_rate=0.05, epochs=3, retained=1.0)
    start = to_host(fresh_params())
    bad = to_host(LOGISTIC.init(jax.random.split(KEY, 3)[0], S[0]))
    inputs, _ = joined()
    teaching = np.concatenate([logits_of(bad, S[0]), logits_of(start, R[0])])
    gradient = [lambda p: divergence_gradient(p, teaching, inputs, 1.0)]
    assert_close(run_rule(rule), adam_descent(start, 3 * gradient, 0.05))


_held = unoptimised(partial(_hold_out, classes=CLASSES))


def test_scrub_rewind_returns_the_nearest_epoch() -> None:
    """Held-out examples are taken as drawn; the descent, the errors and the choice by hand."""
    rule = ScrubRewind(learning_rate=1.0, epochs=6, max_epochs=4, forget_batch=99, temperature=2.0)
    s, r = points(11, 8), points(12, 30)
    part_key, _ = jax.random.split(KEY)
    held, rest, alike = map(np.asarray, _held(part_key, s[1], r[1]))
    assert alike.all()
    start = to_host(fresh_params(seed=16))
    inner = r[0][rest], r[1][rest]

    def up(p: Any) -> Any:
        return mixture((-1, divergence_gradient(p, logits_of(start, s[0]), s[0], 2.0)))

    def down(p: Any) -> Any:
        kept = divergence_gradient(p, logits_of(start, inner[0]), inner[0], 2.0)
        return mixture((0.99, loss_gradient(p, inner)), (0.001, kept))

    order = [up, down] * 4 + [down] * 2
    ends = [2, 4, 6, 8, 9, 10]
    epochs = [momentum_descent(start, order[:end], 1.0) for end in ends]
    wrong = logits_of(epochs[-1], r[0][held]).argmax(axis=1) != r[1][held]
    by_label = [wrong[r[1][held] == y].mean() for y in s[1]]
    errors = [(logits_of(p, s[0]).argmax(axis=1) != s[1]).mean() for p in epochs]
    best = int(np.argmin(np.abs(np.array(errors) - np.mean(by_label))))
    assert 0 < best < 5
    assert_close(compiled(rule, LOGISTIC)(fresh_params(seed=16), s, r, KEY), epochs[best])


def test_checkpoints_are_those_of_scrub() -> None:
    same: dict[str, Any] = {"learning_rate": 0.1, "batch": 5, "forget_batch": 2}
    rule = ScrubRewind(epochs=3, max_epochs=2, **same)
    _, checkpoints = unoptimised(partial(rule._epochs, LOGISTIC))(fresh_params(), S, R, KEY)
    for epochs in (1, 3):
        plain = run_rule(Scrub(epochs=epochs, max_epochs=min(2, epochs), **same))
        assert_close({n: leaf[epochs - 1] for n, leaf in checkpoints.items()}, plain)


def test_a_label_that_is_not_retained_counts_as_an_error() -> None:
    """S holds label 2 alone and R none of it: the epoch that errs most on S is returned."""
    s = S[0], jnp.full(5, 2)
    r = R[0], R[1] % 2
    rule = ScrubRewind(learning_rate=0.3, epochs=5, max_epochs=5)
    part_key, scrub_key = jax.random.split(KEY)
    _, rest, alike = _held(part_key, s[1], r[1])
    assert not alike.any()
    walk = unoptimised(partial(rule._epochs, LOGISTIC))
    _, epochs = walk(fresh_params(seed=16), s, (r[0][rest], r[1][rest]), scrub_key)
    errors = [
        (logits_of({n: v[e] for n, v in to_host(epochs).items()}, s[0]).argmax(axis=1) != 2).mean()
        for e in range(5)
    ]
    made = to_host(compiled(rule, LOGISTIC)(fresh_params(seed=16), s, r, KEY))
    assert (logits_of(made, s[0]).argmax(axis=1) != 2).mean() == max(errors)
    assert min(errors) < max(errors)


def test_held_out_examples_have_the_labels_of_s() -> None:
    """Each retained 1 is held out in 2 of 4 draws: 2000 draws, 5σ, a false alarm below 3e-6."""
    wanted = jnp.array([0, 1, 1, 2, 2])
    labels = jnp.array([0, 0, 0, 1, 1, 1, 1, 2, 0, 0, 0, 0])
    draw = unoptimised(jax.vmap(lambda key: _hold_out(key, wanted, labels, CLASSES)))
    held, rest, alike = map(np.asarray, draw(jax.random.split(jax.random.key(3), 2000)))
    both = np.sort(np.concatenate([held, rest], axis=1), axis=1)
    assert np.array_equal(both, np.broadcast_to(np.arange(12), both.shape))
    # One 2 of two wanted: the fifth held out is of no use, and said to be.
    assert np.array_equal(alike, np.broadcast_to([True] * 4 + [False], alike.shape))
    taken = np.sort(np.asarray(labels)[held[:, :4]], axis=1)
    assert np.array_equal(taken, np.broadcast_to([0, 1, 1, 2], taken.shape))
    shares = np.array([(held[:, :4] == i).any(axis=1).mean() for i in range(3, 7)])
    assert np.abs(shares - 0.5).max() < 5 * 0.5 / np.sqrt(2000)
    assert len(_held(KEY, np.zeros(50, dtype=int), labels)[0]) == 6
