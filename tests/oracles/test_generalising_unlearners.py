"""The unlearners that are built to generalise beyond S, against arithmetic by hand.

The model has one hidden layer. Batches hold all of R, so that their order cannot matter; draws are
shared by key.
"""

from dataclasses import replace
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from indist import oracles
from oracles.unlearners import InfluenceExpanded, MatchedStopping, PrototypeSubtraction
from oracles.unlearners._layers import last_features
from oracles.unlearners._membership import membership
from tests.oracles.by_hand import (
    CLASSES,
    KEY,
    LOGISTIC,
    assert_close,
    fresh_params,
    momentum_descent,
    points,
    to_host,
    unoptimised,
)

COUNT = 24
LEARNER = replace(LOGISTIC, module=oracles.MLP((6, CLASSES)), steps=4, batch=COUNT)
# S has two of the three labels.
S, R = points(1, 7, 2, shift=0.7), points(2, COUNT, shift=0.7)


def _start() -> Any:
    """θ0: fresh parameters, biases included."""
    return fresh_params(LEARNER, scale=0.3)


def _made(rule: Any, forget: Any = S, retain: Any = R) -> Any:
    return unoptimised(partial(rule, LEARNER))(_start(), forget, retain, KEY)


def _hidden(params: Any, inputs: Any) -> Any:
    inputs = np.asarray(inputs, dtype=np.float64)
    return np.maximum(inputs @ params["kernel_0"].T + params["bias_0"], 0)


def _logits(params: Any, inputs: Any) -> Any:
    return _hidden(params, inputs) @ params["kernel_1"].T + params["bias_1"]


def _back(params: Any, inputs: Any, pull: Any) -> dict[str, Any]:
    """Gradient in the parameters, given that in the logits of each example."""
    inputs, hidden = np.asarray(inputs, dtype=np.float64), _hidden(params, inputs)
    below = (pull @ params["kernel_1"]) * (hidden > 0)
    return {
        "kernel_0": below.T @ inputs,
        "bias_0": below.sum(axis=0),
        "kernel_1": pull.T @ hidden,
        "bias_1": pull.sum(axis=0),
    }


def _weighted_gradient(params: Any, weights: Any, retain: Any = R) -> dict[str, Any]:
    """Of Σ v ℓ / Σ v over R."""
    pull = softmax(_logits(params, retain[0]), axis=1)
    pull[np.arange(COUNT), np.asarray(retain[1])] -= 1
    return _back(params, retain[0], pull * (weights / weights.sum())[:, None])


def _membership(of_s: Any, s_labels: Any, of_r: Any, r_labels: Any, neighbours: int) -> Any:
    """w by one loop an example, distances by differences."""
    points = [*map(np.asarray, of_s), *map(np.asarray, of_r)]
    labels = [*map(int, s_labels), *map(int, r_labels)]
    count, total = len(s_labels), len(labels)

    def others(i: int) -> list[int]:
        return [j for j in range(total) if j != i and labels[j] == labels[i]]

    def reach(i: int) -> float:
        apart = sorted(np.sqrt(((points[i] - points[j]) ** 2).sum()) for j in others(i))
        return apart[min(neighbours, len(apart)) - 1]

    def share(i: int) -> float:
        kernel = {
            j: np.exp(-((points[i] - points[j]) ** 2).sum() / (reach(i) * reach(j)))
            for j in others(i)
        }
        return sum(k for j, k in kernel.items() if j < count) / sum(kernel.values())

    members = [sum(labels[j] == labels[i] for j in range(count)) for i in range(count)]
    peers = [1 + len(others(i)) for i in range(count)]
    rate = max(np.mean([share(i) for i in range(count)]), sum(members) / sum(peers))
    shares = [share(i) for i in range(count, total)]
    return np.array([min(1.0, (1 - rate) / rate * g / max(1 - g, 1e-12)) for g in shares])


def _weights(doubt: float, neighbours: int, forget: Any = S, retain: Any = R) -> Any:
    start = to_host(_start())
    of_s, of_r = _hidden(start, forget[0]), _hidden(start, retain[0])
    return np.maximum(1 - _membership(of_s, forget[1], of_r, retain[1], neighbours) / doubt, 0)


def _alike(forget: Any = S, retain: Any = R) -> list[int]:
    """The nearest of R with another label, for each of S."""
    found: list[int] = []
    for x, y in zip(np.asarray(forget[0]), np.asarray(forget[1]), strict=True):
        apart = {
            j: ((np.asarray(retain[0][j]) - x) ** 2).sum()
            for j in range(len(retain[1]))
            if int(retain[1][j]) != y
        }
        found.append(min(apart, key=apart.__getitem__))
    return found


# --- the estimate of membership


@pytest.mark.parametrize("neighbours", [1, 3, 50])
def test_membership(neighbours: int) -> None:
    """50 neighbours are more than there are: all of a label are taken."""
    rng = np.random.default_rng(0)
    of_s, of_r = rng.normal(size=(5, 2)), rng.normal(size=(30, 2))
    s_labels, r_labels = np.array([0, 0, 1, 1, 1]), np.arange(30) % 3
    twin = _membership(of_s, s_labels, of_r, r_labels, neighbours)
    assert ((twin > 0.01) & (twin < 0.99)).any()
    assert not twin[r_labels == 2].any()
    s, r = (jnp.asarray(part, dtype=jnp.float32) for part in (of_s, of_r))
    made = membership(s, jnp.asarray(s_labels), r, jnp.asarray(r_labels), neighbours)
    np.testing.assert_allclose(made, twin, rtol=0, atol=1e-4)


def test_membership_finds_the_rest_of_a_cluster() -> None:
    """40 of a cluster far from 60 others of its label, 10 of them in S."""
    rng = np.random.default_rng(1)
    cluster, others = rng.normal(size=(40, 3)) + 6, rng.normal(size=(60, 3))
    retain = np.concatenate([cluster[10:], others]).astype(np.float32)
    made = np.asarray(
        membership(
            jnp.asarray(cluster[:10], dtype=jnp.float32),
            jnp.zeros(10, dtype=int),
            jnp.asarray(retain),
            jnp.zeros(90, dtype=int),
            7,
        )
    )
    assert made[:30].min() > 0.1
    assert made[30:].max() < 0.01


def test_membership_of_one_alone() -> None:
    """One example of a label that R lacks: nothing is likely, and nothing is NaN."""
    made = membership(jnp.ones((1, 2)), jnp.array([4]), jnp.zeros((3, 2)), jnp.arange(3), 7)
    assert made.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        (oracles.MLP((6, 5, CLASSES)), S[0]),
        (oracles.MLP((CLASSES,)), S[0]),
        (oracles.ConvNet(CLASSES, (2, 3)), jnp.arange(60.0).reshape(3, 4, 5) / 30),
        (oracles.Transformer(5, width=4, blocks=1), jnp.arange(12).reshape(3, 4) % 5),
    ],
)
def test_the_last_layer_reads_these_features(module: Any, inputs: Any) -> None:
    """Closed form: kernel times features, plus bias, are the logits."""
    learner = replace(LEARNER, module=module)
    params = unoptimised(learner.init)(KEY, inputs)
    name = sorted(name for name in params if name.startswith("kernel"))[-1]
    if "dense" not in name and "logits" not in name:
        name = f"kernel_{len(module.features) - 1}"
    bias = params[name.replace("kernel", "bias")]
    made = unoptimised(partial(last_features, learner))(params, inputs) @ params[name].T + bias
    said = unoptimised(learner.logits)(params, inputs)
    np.testing.assert_allclose(made, said, rtol=0, atol=1e-5)


# --- the rules


@pytest.mark.parametrize("doubt", [1.0, 0.5])
def test_influence_expanded(doubt: float) -> None:
    weights = _weights(doubt, 3)
    assert 0 < (weights == 0).sum() < COUNT
    assert ((weights > 0) & (weights < 1)).any()
    made = _made(InfluenceExpanded(doubt=doubt, neighbours=3))
    init_key, _ = jax.random.split(KEY)
    fresh = to_host(LEARNER.init(init_key, R[0]))
    twin = momentum_descent(fresh, 4 * [lambda p: _weighted_gradient(p, weights)], 0.1)
    assert_close(made, twin, atol=3e-5)


def test_prototype_subtraction() -> None:
    rule = PrototypeSubtraction(learning_rate=0.05, epochs=3, batch=COUNT, doubt=0.5, neighbours=3)
    start, labels = to_host(_start()), np.asarray(S[1])
    of_s, of_alike = _hidden(start, S[0]), _hidden(start, np.asarray(R[0])[_alike()])
    middles = [of_alike[labels == y].mean(axis=0) for y in (0, 1)]
    apart = [of_s[labels == y].mean(axis=0) - m for y, m in zip((0, 1), middles, strict=True)]
    basis, _ = np.linalg.qr(np.array(apart).T)
    aim = sum(basis[:, k] * (basis[:, k] @ middles[k]) for k in (0, 1))
    begun = start | {
        "kernel_1": start["kernel_1"] @ (np.eye(6) - basis @ basis.T),
        "bias_1": start["bias_1"] + start["kernel_1"] @ aim,
    }
    weights = _weights(0.5, 3)
    twin = momentum_descent(begun, 3 * [lambda p: _weighted_gradient(p, weights)], 0.05)
    assert_close(_made(rule), twin, atol=3e-5)


def test_subtraction_moves_a_label_onto_its_look_alikes() -> None:
    """Closed form: with one label in S and no repair to speak of, mean logits are theirs."""
    one = (S[0], jnp.zeros(len(S[1]), dtype=jnp.int32))
    made = to_host(_made(PrototypeSubtraction(learning_rate=1e-12, epochs=1), one))
    wanted = _logits(to_host(_start()), np.asarray(R[0])[_alike(one)]).mean(axis=0)
    np.testing.assert_allclose(_logits(made, S[0]).mean(axis=0), wanted, rtol=0, atol=1e-5)


def _confidence(row: Any, label: Any) -> float:
    p = softmax(row)[int(label)]
    return float(np.log(p) - np.log1p(-p))


def _confidences(params: Any, forget: Any) -> Any:
    rows = _logits(params, forget[0])
    return np.array([_confidence(row, y) for row, y in zip(rows, forget[1], strict=True)])


def _aim(forget: Any, retain: Any) -> float:
    logits, labels = _logits(to_host(_start()), retain[0]), np.asarray(retain[1])
    each = [
        np.median([_confidence(row, y) for row in logits[labels == labels[alike]]])
        for y, alike in zip(forget[1], _alike(forget, retain), strict=True)
    ]
    return float(np.median(each))


@cache
def _known() -> list[Any]:
    """S and R with the labels that θ0 gives them."""
    answers = (_logits(to_host(_start()), inputs).argmax(axis=1) for inputs in (S[0], R[0]))
    return [
        (inputs, jnp.asarray(labels, dtype=jnp.int32))
        for inputs, labels in zip((S[0], R[0]), answers, strict=True)
    ]


@pytest.mark.parametrize(("steps", "ends"), [(200, True), (3, False)])
def test_matched_stopping(steps: int, ends: bool) -> None:
    """It ends when S is where it should be, or when its steps are used up."""
    rule = MatchedStopping(
        learning_rate=0.02, steps=steps, batch=COUNT, alpha=0.3, doubt=0.5, neighbours=3
    )
    forget, retain = _known()
    aim, weights = _aim(forget, retain), _weights(0.5, 3, forget, retain)
    params, count = to_host(_start()), len(S[1])
    velocity = {name: np.zeros_like(leaf) for name, leaf in params.items()}
    done = 0
    while done < steps and np.median(_confidences(params, forget)) > aim:
        pull = np.zeros((count, CLASSES))
        for one, (row, y) in enumerate(zip(_logits(params, S[0]), forget[1], strict=True)):
            if _confidence(row, y) > aim:
                p = softmax(row)
                pull[one] = -p / (1 - p[int(y)])
                pull[one, int(y)] = 1
        of_s = _back(params, S[0], pull / count)
        of_r = _weighted_gradient(params, weights, retain)
        for name in params:
            velocity[name] = 0.9 * velocity[name] + 0.3 * of_r[name] + 0.7 * of_s[name]
            params[name] = params[name] - 0.02 * velocity[name]
        done += 1
    assert 3 <= done < 200
    assert (done < steps) == ends
    assert_close(_made(rule, forget, retain), params, atol=3e-5)


def test_matched_stopping_leaves_alone_what_is_matched() -> None:
    """Where S is already below what is expected of it, θ0 keeps its bits."""
    logits = _logits(to_host(_start()), R[0])
    least = int(np.argmin([_confidence(row, 2) for row in logits]))
    alone = (R[0][least][None], jnp.array([2], dtype=jnp.int32))
    rest = (R[0], jnp.arange(COUNT, dtype=jnp.int32) % 2)
    assert _confidences(to_host(_start()), alone) < _aim(alone, rest)
    made = _made(MatchedStopping(steps=5), alone, rest)
    for name in made:
        assert np.array_equal(made[name], _start()[name])


@pytest.mark.parametrize("rule", [InfluenceExpanded, PrototypeSubtraction, MatchedStopping])
def test_a_module_without_a_last_kernel_is_refused(rule: Any) -> None:
    learner = replace(LEARNER, module=oracles.BinaryLinear())
    params = learner.init(KEY, R[0])
    two = ((S[0], S[1] % 2), (R[0], R[1] % 2))
    with pytest.raises(ValueError, match=r"last layer with a kernel of 2 rows.*found weights"):
        rule()(learner, params, *two, KEY)
