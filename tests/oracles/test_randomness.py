"""Batch plans and keys: the law of each, and that they depend on (seed, stream, model) alone."""

from typing import Any

import jax
import numpy as np
import pytest

from oracles.randomness import batch_plan, epoch_batches, stream_key, stream_number

EVERY = np.ones(10, dtype=bool)


def _part(key: Any) -> Any:
    """Ten of 14 examples, moved to 0 to 9."""
    included = np.isin(np.arange(14), np.arange(3, 13))
    return batch_plan(key, included, steps=4, batch=6) - 3


def _whole(key: Any) -> Any:
    return epoch_batches(key, 10, 4, 6)


def _plans(plan: Any, count: int) -> np.ndarray:
    return np.asarray(jax.jit(jax.vmap(plan))(jax.random.split(jax.random.key(0), count)))


@pytest.mark.parametrize("plan", [_part, _whole])
def test_each_epoch_visits_each_example_once(plan: Any) -> None:
    order = _plans(plan, 1).ravel()
    assert order.shape == (24,)
    assert sorted(order[:10]) == sorted(order[10:20]) == list(range(10))
    assert len(set(order[20:])) == 4


@pytest.mark.parametrize("plan", [_part, _whole])
def test_every_order_is_as_likely(plan: Any) -> None:
    """Pairs of the first two examples of an epoch: uniform over 90.

    Chi-square of 900 plans and two epochs each, below its 1 - 1e-6 quantile at 89 degrees (163.6).
    """
    pairs = np.zeros((10, 10))
    for order in _plans(plan, 900).reshape(900, -1):
        pairs[order[0], order[1]] += 1
        pairs[order[10], order[11]] += 1
    assert not np.diag(pairs).any()
    others = pairs[~np.eye(10, dtype=bool)]
    assert ((others - 20) ** 2 / 20).sum() < 163.6


def test_all_orders_of_a_few_examples_are_as_likely() -> None:
    """24 orders, 4,800 draws: chi-square below its 1 - 1e-6 quantile at 23 degrees (70.6)."""
    included = np.array([True, False, True, True, True])
    made = _plans(lambda key: batch_plan(key, included, 1, 4), 4800)
    _, counts = np.unique(made[:, 0], axis=0, return_counts=True)
    assert len(counts) == 24
    assert ((counts - 200) ** 2 / 200).sum() < 70.6


def test_a_plan_is_a_sort_of_random_words() -> None:
    """The same bits as NumPy's, from the same words; 1,000 examples of which 100 are left out."""
    key, included = jax.random.key(3), np.arange(1000) % 10 != 0
    plan = np.asarray(batch_plan(key, included, 30, 100)).ravel()
    numbers, orders = np.arange(1000, dtype=np.uint64), []
    for epoch in range(4):
        upper, lower = np.asarray(jax.random.bits(jax.random.fold_in(key, epoch), (2, 1000)))
        words = (upper.astype(np.uint64) << np.uint64(32)) | lower.astype(np.uint64)
        words = (words >> np.uint64(10) << np.uint64(10)) | numbers
        orders.append(np.argsort(words[included]))
    assert np.array_equal(plan, numbers[included][np.concatenate(orders)][:3000])


def test_plans_depend_on_key_and_included_examples_alone() -> None:
    key, included = jax.random.key(0), np.arange(50) > 9
    plan = batch_plan(key, included, 6, 20)
    drawn_inside = jax.jit(lambda key, included: batch_plan(key, included, 6, 20))
    assert np.array_equal(plan, drawn_inside(key, included))
    together = jax.vmap(lambda key: batch_plan(key, included, 6, 20))(
        jax.vmap(jax.random.key)(np.arange(3))
    )
    assert np.array_equal(plan, together[0])
    assert not np.array_equal(plan, together[1])
    assert np.array_equal(plan[:3], batch_plan(key, included, 3, 20))


def test_plans_take_memory_for_their_places_and_one_epoch() -> None:
    """64 kB of places and 8,192 examples, of which two are included: 8,192 epochs."""

    def memory(included: int) -> int:
        draw = jax.jit(lambda key: batch_plan(key, np.arange(8192) < included, 256, 64))
        analysis = draw.lower(jax.random.key(0)).compile().memory_analysis()
        assert analysis is not None
        return analysis.temp_size_in_bytes

    assert memory(2) < 1_000_000
    assert memory(2) <= 2 * memory(8192)


def test_a_plan_of_all_examples_is_that_of_a_mask_of_ones() -> None:
    key = jax.random.key(8)
    assert np.array_equal(batch_plan(key, EVERY, 4, 6), epoch_batches(key, 10, 4, 6))


def test_keys_of_other_streams_differ() -> None:
    keys = [stream_key(stream_number(s, n)) for s in (0, 1) for n in ("original", "untraining")]
    assert len({jax.random.key_data(key).tobytes() for key in keys}) == 4


def test_plans_are_the_same_on_every_machine() -> None:
    """Literal values: a change of generator would silently change every population."""
    key = jax.random.fold_in(stream_key(stream_number(0, "original")), 0)
    plan = epoch_batches(key, 1000, steps=1, batch=4)
    assert plan.tolist() == [[460, 514, 547, 232]]
