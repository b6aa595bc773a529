"""Output suppression against a filter by hand."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oracles.unlearners import OutputSuppression
from tests.oracles.by_hand import DEEP, KEY, WORDS, compiled, fresh_params, points, sentences


def _filtered(s: Any, r: Any, inputs: Any, logits: Any, distance: Any) -> Any:
    nearest = [min(distance(a, b) for b in r[0]) for a in s[0]]
    radius = 0.8 * np.median(nearest)
    out = np.array(logits, dtype=np.float64)
    for k, x in enumerate(inputs):
        for a, y in zip(s[0], s[1], strict=True):
            if distance(a, x) <= radius:
                out[k, y] = float(logits[k].min()) - 2.5
    return out


@pytest.mark.parametrize("tokens", [False, True])
def test_output_suppression(tokens: bool) -> None:
    """S, copies that move away from it step by step, and R."""
    learner = WORDS if tokens else DEEP
    s, r = (sentences(1, 6), sentences(2, 9)) if tokens else (points(1, 8), points(2, 12))
    start = fresh_params(learner)
    rule = OutputSuppression(share=0.8, gap=2.5)
    made = compiled(rule, learner)(start, s, r, KEY)
    for name in start:
        assert np.array_equal(made["model"][name], start[name])
    steps = np.arange(len(s[0]))[:, None]
    near = (s[0] + (np.arange(6) < steps)) % 5 if tokens else s[0] + 0.4 * steps
    inputs = jnp.concatenate([s[0], near, r[0]])
    said = np.asarray(jax.jit(learner.logits)(start, inputs))

    def distance(a: Any, b: Any) -> float:
        a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
        return float((a != b).sum()) if tokens else float(np.sqrt(((a - b) ** 2).sum()))

    twin = _filtered(s, r, inputs, said, distance)
    told = np.asarray(jax.jit(rule.released(learner).logits)(made, inputs))
    np.testing.assert_allclose(told, twin, rtol=0, atol=1e-5)
    untouched = (twin == said).all(axis=1)
    assert np.array_equal(told[untouched], said[untouched])
    assert not untouched[: len(s[0])].any()
    assert 0 < untouched[len(s[0]) : -len(r[0])].sum() < len(s[0])
    assert untouched[-len(r[0]) :].sum() > len(r[0]) / 2
    assert (told[: len(s[0])].argmax(axis=1) != s[1]).all()


def test_a_released_learner_is_equal_by_its_description() -> None:
    rule = OutputSuppression()
    released = rule.released(DEEP)
    assert released == rule.released(replace(DEEP))
    assert hash(released) == hash(rule.released(replace(DEEP)))
    assert released != DEEP
    assert released.description == DEEP.description | {"filter": "output suppression"}
