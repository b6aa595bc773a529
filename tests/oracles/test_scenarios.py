"""One contract for every scenario, and what a wrong scenario is told."""

from dataclasses import replace
from functools import partial

import numpy as np
import optax
import pytest

from indist import oracles
from oracles._deferred import build, describe
from oracles._probes import Examples, Probes
from oracles.scenarios import _digits_class, _digits_random_labels

NAMES = sorted(oracles.scenarios.SCENARIOS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("discovery", [0.1, 0.5, 1.0])
def test_contract(name: str, discovery: float) -> None:
    scenario = oracles.scenarios.load(name, seed=3, discovery=discovery)
    everything = np.arange(len(scenario.train))
    assert set(scenario.forget) <= set(scenario.behaviour) < set(everything)
    assert len(scenario.forget) == max(1, round(discovery * len(scenario.behaviour)))
    assert scenario.coincide == (discovery == 1.0)
    groups = set(scenario.probes.groups)
    assert groups == set(oracles.PROBE_GROUPS) - ({"behaviour"} if scenario.coincide else set())
    assert scenario.train.inputs.dtype == (np.int32 if name == "sequences" else np.float32)
    assert scenario.name == name
    assert scenario.settings["seed"] == 3
    assert oracles.scenarios.load(name, **scenario.settings).digest == scenario.digest
    assert scenario.train.labels.dtype == np.int32


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("discovery", [0.1, 0.5, 1.0])
def test_all_of_s_and_of_b_without_s_is_observed(name: str, discovery: float) -> None:
    scenario = oracles.scenarios.load(name, seed=3, discovery=discovery)
    held = {"forget": scenario.forget, "behaviour": scenario.excluding(scenario.forget)}
    held["behaviour"] = np.intersect1d(held["behaviour"], scenario.behaviour)
    for group, indices in held.items():
        inside = scenario.probes.groups == group
        found, expected = (
            sorted((x.tobytes(), int(y)) for x, y in zip(part.inputs, part.labels, strict=True))
            for part in (
                Examples(scenario.probes.inputs[inside], scenario.probes.labels[inside]),
                scenario.train.take(indices),
            )
        )
        assert found == expected, group


@pytest.mark.parametrize("discovery", [0.1, 0.5])
@pytest.mark.parametrize("name", ["digits-class", "digits-random-labels", "digits-subclass"])
def test_where_nothing_was_cut_nothing_has_changed(
    name: str, discovery: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The groups drawn afterwards are the same as when S and B∖S were cut at 100."""
    settings = {} if name == "digits-random-labels" else {"examples": 80}
    now = oracles.scenarios.load(name, seed=3, discovery=discovery, **settings)
    for module in (_digits_class, _digits_random_labels):
        monkeypatch.setattr(module, "HELD_A_GROUP", 100)
    assert (
        now.digest == oracles.scenarios.load(name, seed=3, discovery=discovery, **settings).digest
    )


def test_at_most_500_of_s_are_observed() -> None:
    scenario = oracles.scenarios.load("digits-random-labels", seed=0, wrong=0.5, discovery=1.0)
    assert len(scenario.forget) == 648
    assert (scenario.probes.groups == "forget").sum() == 500
    assert (scenario.probes.groups == "retain").sum() == 100


@pytest.mark.parametrize("name", NAMES)
def test_same_settings_same_world(name: str) -> None:
    first, second = (oracles.scenarios.load(name, seed=1) for _ in range(2))
    assert first.digest == second.digest
    assert first.digest != oracles.scenarios.load(name, seed=2).digest
    assert first.digest != oracles.scenarios.load(name, seed=1, discovery=0.25).digest


@pytest.mark.parametrize("name", NAMES)
def test_the_forget_set_alone_depends_on_discovery(name: str) -> None:
    half, whole = (oracles.scenarios.load(name, seed=1, discovery=d) for d in (0.5, 1.0))
    assert np.array_equal(half.train.inputs, whole.train.inputs)
    assert np.array_equal(half.behaviour, whole.behaviour)


def test_trigger_is_a_patch_with_the_attackers_label() -> None:
    scenario = oracles.scenarios.load("digits-trigger", seed=0, target=7)
    images = scenario.train.inputs.reshape(-1, 8, 8)
    assert (images[scenario.behaviour][:, 6:8, 6:8] == 1.0).all()
    assert (scenario.train.labels[scenario.behaviour] == 7).all()
    others = scenario.excluding(scenario.behaviour)
    assert not (images[others][:, 6:8, 6:8] == 1.0).all(axis=(1, 2)).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: oracles.scenarios.load("digit", seed=0), "one of cancer.*found 'digit'"),
        (
            lambda: oracles.scenarios.load("circles", seed=0, gamma=0.5),
            "expected knobs seed, discovery.*found 'gamma'",
        ),
        (
            lambda: oracles.scenarios.load("circles", seed=0, discovery=0.0),
            r"discovery: expected a number in \(0, 1\], found 0.0",
        ),
        (lambda: oracles.scenarios.load("circles", seed=0, cluster=1), "cluster: expected 2 to"),
        (lambda: oracles.scenarios.load("circles", seed=0, spread=0.0), "spread: expected"),
        (lambda: oracles.scenarios.load("digits-class", seed=0, digit=10), "digit: expected 0"),
        (lambda: oracles.scenarios.load("digits-trigger", seed=0, target=10), "target: expected"),
        (lambda: oracles.scenarios.load("digits-trigger", seed=0, poisoned=1), "poisoned: expec"),
    ],
)
def test_bad_knobs(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # pyright: ignore[reportCallIssue]


def test_bad_sets_are_named() -> None:
    good = oracles.scenarios.load("circles", seed=0)
    size = len(good.train)
    cases = {
        "forget set inside the behaviour, found training example 0": {"forget": np.array([0])},
        "behaviour set: expected indices 0 to": {"behaviour": np.array([size])},
        "forget set: expected at least one": {"forget": np.array([], dtype=int)},
        "each training example once": {"forget": np.array([good.behaviour[0]] * 2)},
        "examples outside the behaviour": {"behaviour": np.arange(size)},
        "expected training labels 0 to 0, found 0 to 1": {"classes": 1},
        "expected probes of shape": {
            "probes": Probes.join([("test", Examples(np.zeros((1, 3)), np.zeros(1, dtype=int)))])
        },
    }
    for message, change in cases.items():
        with pytest.raises(ValueError, match=message):
            replace(good, **change)


def test_bad_probes_are_named() -> None:
    one = Examples(np.zeros((2, 3)), np.zeros(2, dtype=int))
    with pytest.raises(ValueError, match="expected only forget.*found 'typo'"):
        Probes.join([("typo", one)])
    with pytest.raises(ValueError, match="expected unique ids, found 'a' twice"):
        Probes(one.inputs, one.labels, np.array(["test"] * 2), np.array(["a", "a"]))
    with pytest.raises(ValueError, match="expected as many of each"):
        Examples(np.zeros((2, 3)), np.zeros(1, dtype=int))


def test_recipes_state_what_they_do() -> None:
    recipe = partial(optax.chain, partial(optax.clip, 1.0), partial(optax.sgd, 0.1, nesterov=True))
    assert describe(recipe) == "optax.chain(optax.clip(1.0), optax.sgd(0.1, nesterov=True))"
    assert hasattr(build(recipe), "update")
    with pytest.raises(ValueError, match="expected functools.partial of a named function"):
        describe(lambda: optax.sgd(0.1))
    with pytest.raises(ValueError, match="expected a named function"):
        describe(partial(lambda: optax.sgd(0.1)))


def test_learners_of_one_description_are_equal() -> None:
    first, second = (oracles.scenarios.load("circles", seed=s).learner for s in (0, 1))
    assert first == second
    assert hash(first) == hash(second)
    assert first != replace(first, steps=1)
    with pytest.raises(ValueError, match="steps: expected at least 1, found 0"):
        replace(first, steps=0)
