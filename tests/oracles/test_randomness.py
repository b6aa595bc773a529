"""Batch plans and keys: the law of each, and that they depend on (seed, stream, model) alone."""

import jax
import numpy as np
import pytest

from oracles.randomness import batch_plan, epoch_batches, stream_key, stream_number


def _host(seed: int) -> np.ndarray:
    return batch_plan(stream_number(seed, "x"), 5, np.arange(3, 13), steps=4, batch=6) - 3


def _device(seed: int) -> np.ndarray:
    return np.asarray(epoch_batches(jax.random.key(seed), 10, 4, 6))


@pytest.mark.parametrize("plan", [_host, _device])
def test_each_epoch_visits_each_example_once(plan: object) -> None:
    order = plan(0).ravel()  # pyright: ignore[reportCallIssue]
    assert order.shape == (24,)
    assert sorted(order[:10]) == sorted(order[10:20]) == list(range(10))
    assert len(set(order[20:])) == 4


@pytest.mark.parametrize("plan", [_host, _device])
def test_every_order_is_as_likely(plan: object) -> None:
    """First example of the plan: uniform over 10; chi-square below its 1 - 1e-6 quantile (45.1)."""
    first = [int(plan(seed).ravel()[0]) for seed in range(600)]  # pyright: ignore
    counts = np.bincount(first, minlength=10)
    assert ((counts - 60) ** 2 / 60).sum() < 45.1


def test_plans_depend_on_seed_stream_and_model_alone() -> None:
    included = np.arange(50)
    plan = batch_plan(stream_number(0, "a"), 7, included, 3, 20)
    assert np.array_equal(plan, batch_plan(stream_number(0, "a"), 7, included, 3, 20))
    for seed, stream, model in ((1, "a", 7), (0, "b", 7), (0, "a", 8)):
        other = batch_plan(stream_number(seed, stream), model, included, 3, 20)
        assert not np.array_equal(plan, other)


def test_keys_of_other_streams_differ() -> None:
    keys = [stream_key(stream_number(s, n)) for s in (0, 1) for n in ("original", "untraining")]
    assert len({jax.random.key_data(key).tobytes() for key in keys}) == 4


def test_plans_are_the_same_on_every_machine() -> None:
    """Literal values: a change of generator would silently change every population."""
    plan = batch_plan(stream_number(0, "original"), 0, np.arange(1000), steps=1, batch=4)
    assert plan.tolist() == [[489, 711, 949, 522]]
