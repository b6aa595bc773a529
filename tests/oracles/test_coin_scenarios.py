"""Scenarios drawn by coins: what each model gets, and that no bit of a reference tells a coin."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import optax
import pytest

import oracles
from oracles import CoinScenarios, Learner, Population, Scenario
from oracles.unlearners import UNLEARNERS

SCENARIOS = ("digits-random-labels", "digits-trigger", "sequences", "circles", "logistic-3v8")


def short(scenario: Scenario, steps: int = 12) -> Scenario:
    """The same with fewer steps, where the learner is not one of another kind."""
    learner = scenario.learner
    return replace(scenario, learner=replace(learner, steps=steps))


@pytest.fixture(scope="module", params=SCENARIOS)
def worlds(request: pytest.FixtureRequest) -> CoinScenarios:
    return oracles.coins(oracles.scenarios.load(request.param, seed=0), seed=3, models=3)


def test_each_model_has_its_own_sets(worlds: CoinScenarios) -> None:
    base, design = worlds.base, worlds.design
    inputs = base.train.inputs.reshape(len(base.train), -1)
    outside = base.excluding(base.behaviour)
    for k in range(3):
        world = worlds.scenario(k)
        kept = np.flatnonzero(worlds.included("nothing")[k])
        assert set(outside) <= set(kept)
        assert [f"train/{i:05d}" for i in kept if i in set(base.behaviour)] == sorted(
            name for name, coin in zip(design.candidates, design.coins[k], strict=True) if coin
        )
        assert (world.train.inputs == base.train.inputs[kept]).all()
        assert (world.train.labels == base.train.labels[kept]).all()
        forgotten = set(kept[world.forget])
        assert forgotten == set(kept) & set(base.forget)
        assert set(kept[world.behaviour]) == set(kept) & set(base.behaviour)
        rest = np.flatnonzero(worlds.included("forget")[k])
        assert set(rest) == set(kept) - forgotten
        assert (kept[world.excluding(world.forget)] == rest).all()
        assert (np.flatnonzero(worlds.included("behaviour")[k]) == outside).all()
        assert world.learner == base.learner
        assert inputs.shape[1:] == world.train.inputs.reshape(len(world.train), -1).shape[1:]
    assert len({len(worlds.scenario(k).train) for k in range(3)}) > 1
    assert len({worlds.scenario(k).digest for k in range(3)}) == 3


def test_probes_are_every_candidate_and_no_coin(worlds: CoinScenarios) -> None:
    base, probes = worlds.base, worlds.probes
    count = len(base.behaviour)
    assert tuple(probes.ids[:count].tolist()) == worlds.design.candidates
    places = np.array([int(name.removeprefix("train/")) for name in worlds.design.candidates])
    assert (probes.inputs[:count] == base.train.inputs[places]).all()
    assert (probes.labels[:count] == base.train.labels[places]).all()
    assert set(places[worlds.design.found]) == set(base.forget)
    assert ((probes.groups[:count] == "forget") == worlds.design.found).all()
    assert not np.isin(probes.groups[count:], ("forget", "behaviour")).any()
    others = ~np.isin(base.probes.groups, ("forget", "behaviour"))
    assert (probes.inputs[count:] == base.probes.inputs[others]).all()
    flipped = CoinScenarios(replace(worlds.design, coins=~worlds.design.coins), base)
    assert flipped.probes.digest == probes.digest
    assert all(worlds.scenario(k).probes.digest == probes.digest for k in range(3))


def test_retain_probes_are_no_candidates(worlds: CoinScenarios) -> None:
    """Of inputs and label; where equal examples lie in B and outside, there is nothing to tell."""
    base = worlds.base
    rows = [
        (x.tobytes(), int(y)) for x, y in zip(base.train.inputs, base.train.labels, strict=True)
    ]
    outside = {rows[i] for i in base.excluding(base.behaviour)}
    retain = worlds.probes.groups == "retain"
    assert retain.any()
    held = zip(worlds.probes.inputs[retain], worlds.probes.labels[retain], strict=True)
    assert all((x.tobytes(), int(y)) in outside for x, y in held)


LEARNERS: dict[str, tuple[str, dict[str, Any]]] = {
    "mlp": ("circles", {"steps": 12}),
    "sisa": ("circles", {"steps": 6, "shards": 2, "slices": 2, "hidden": 8}),
    "noisy-fine-tuning": ("circles", {"steps": 6, "noisy_steps": 3, "free_steps": 3}),
    "naive-bayes": ("circles", {}),
    "private": ("circles", {"steps": 4}),
    "objective-noise": ("logistic-3v8", {}),
    "langevin": ("logistic-3v8", {"steps": 9}),
    "descent-to-delete": ("logistic-3v8", {"steps": 9}),
    "rewind-to-delete": ("logistic-3v8", {}),
    "transformer": ("sequences", {"steps": 3, "blocks": 1, "width": 8}),
}


def with_learner(name: str) -> Scenario:
    scenario, settings = LEARNERS[name]
    return oracles.scenarios.load(scenario, seed=0, learner=name, learner_settings=settings)


def flipped(worlds: CoinScenarios, found: bool | None) -> CoinScenarios:
    """The same with all coins turned, or those of candidates that were found, or were not."""
    design = worlds.design
    turned = np.ones(len(design.found), bool) if found is None else design.found == found
    return CoinScenarios(replace(design, coins=design.coins ^ turned), worlds.base)


@pytest.mark.parametrize("name", LEARNERS)
def test_no_bit_of_a_reference_tells_a_tested_coin(name: str) -> None:
    """Exact retraining is never convicted: all its bits are the same with the tested coins turned.

    The original, and retraining with coins turned that are not forgotten, are others: so the
    comparison sees a difference where there is one.
    """
    worlds = oracles.coins(with_learner(name), seed=5, models=3)
    original = worlds.train(seed=0)
    assert flipped(worlds, True).train(seed=0).digest != original.digest
    untrained = worlds.train("forget", seed=0)
    assert flipped(worlds, True).train("forget", seed=0).digest == untrained.digest
    assert flipped(worlds, False).train("forget", seed=0).digest != untrained.digest
    unlearned = worlds.train("behaviour", seed=0)
    for found in (True, False, None):
        assert flipped(worlds, found).train("behaviour", seed=0).digest == unlearned.digest
    assert len({original.digest, untrained.digest, unlearned.digest}) == 3


def test_no_bit_of_retraining_by_name_tells_a_tested_coin() -> None:
    worlds = oracles.coins(with_learner("mlp"), seed=5, models=3)
    other, all_turned = flipped(worlds, True), flipped(worlds, None)
    made = {
        name: w.unlearn(w.train(seed=0), method=method, seed=1).digest
        for name, w, method in (
            ("untrained", worlds, "retrain"),
            ("untrained, turned", other, "retrain"),
            ("unlearned", worlds, "retrain-behaviour"),
            ("unlearned, turned", all_turned, "retrain-behaviour"),
        )
    }
    assert made["untrained"] == made["untrained, turned"]
    assert made["unlearned"] == made["unlearned, turned"]
    assert worlds.train("forget", seed=1).digest != made["untrained"]


def test_no_bit_of_exact_unlearning_tells_a_tested_coin() -> None:
    """Counts are subtracted exactly, so that what is left is the same with tested coins turned."""
    worlds = oracles.coins(with_learner("naive-bayes"), seed=5, models=2)
    turned = flipped(worlds, True)
    made = [w.unlearn(w.train(seed=0), method="summation-form", seed=0) for w in (worlds, turned)]
    assert made[0].digest == made[1].digest == worlds.train("forget", seed=0).digest
    assert made[0].digest != worlds.train(seed=0).digest


def test_the_same_models_as_training_each_on_its_own() -> None:
    """A slow twin: model k trained alone, by excluding what its coins kept out, has equal bits."""
    worlds = oracles.coins(with_learner("mlp"), seed=5, models=3)
    for without, stream in (("nothing", "coins/original"), ("forget", "coins/untraining")):
        made = worlds.train(without, seed=2).parameters()
        for k, included in enumerate(worlds.included(without)):
            alone = oracles.train(
                worlds.base, np.flatnonzero(~included).tolist(), stream=stream, models=3, seed=2
            ).parameters()
            for path in ("kernel_0", "bias_1"):
                assert (made[path][k] == alone[path][k]).all()


def test_shared_coins_give_each_model_one_world() -> None:
    worlds = oracles.coins(with_learner("mlp"), seed=5, models=3, shared=True)
    assert worlds.design.shared
    sets = [worlds.scenario(k) for k in range(3)]
    assert all((world.train.inputs == sets[0].train.inputs).all() for world in sets)
    logits = worlds.train(seed=0).observe(worlds.probes).logits
    assert (logits[0] != logits[1]).any()


def seen(population: Population, worlds: CoinScenarios) -> None:
    """Every model at every probe, under the candidates' names."""
    observed = population.observe(worlds.probes)
    assert observed.logits.shape == (worlds.models, len(worlds.probes), worlds.base.classes)
    assert observed.probes_like(worlds.probes)
    assert population.models == worlds.models


@pytest.mark.parametrize("method", ["finetune", "ssd", "output-suppression"])
def test_unlearners_run_on_every_model(method: str) -> None:
    worlds = oracles.coins(with_learner("mlp"), seed=5, models=2)
    originals = worlds.train(seed=0)
    made = worlds.unlearn(originals, method=method, seed=1)
    seen(made, worlds)
    assert made.digest == worlds.unlearn(originals, method=method, seed=1).digest
    assert made.recipe["coins"] == worlds.design.commitment
    assert made.recipe["method"] == method


def test_one_model_unlearned_is_what_unlearn_makes_of_it() -> None:
    """A twin: model 0 by `oracles.unlearn` in its own scenario, up to rounding of another width."""
    worlds = oracles.coins(with_learner("mlp"), seed=5, models=2)
    originals = worlds.train(seed=0)
    made = worlds.unlearn(originals, method="finetune", seed=1).observe(worlds.probes)
    alone = oracles.unlearn(worlds.scenario(0), originals, method="finetune", seed=1, models=1)
    expected = alone.observe(worlds.probes).logits[0]
    np.testing.assert_allclose(made.logits[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("method", UNLEARNERS)
def test_every_unlearner_runs_on_every_model(method: str) -> None:
    name = getattr(UNLEARNERS[method], "learner", None)
    if method == "private-identity":
        name = "private"
    worlds = oracles.coins(with_learner(name or "mlp"), seed=5, models=2)
    seen(worlds.unlearn(worlds.train(seed=0), method=method, seed=1), worlds)


def test_forgetting_is_seen_in_the_coins() -> None:
    """Wrong labels learnt by heart: coins move margins of originals, and not of references.

    Differences of means of candidates in and out are in standard errors, for 6 models of 65
    candidates; a reference passes 5 by chance less often than once in 100,000.
    """
    base = oracles.scenarios.load("digits-random-labels", seed=0, steps=500)
    worlds = oracles.coins(base, seed=7, models=6)
    inside, found = worlds.design.in_training, np.broadcast_to(worlds.design.found, (6, 65))

    def shift(population: Population, of: Any) -> float:
        margins = population.observe(worlds.probes).margins[:, :65]
        groups = [margins[of & inside], margins[of & ~inside]]
        error = np.sqrt(sum(group.var(ddof=1) / len(group) for group in groups))
        return float((groups[0].mean() - groups[1].mean()) / error)

    original, untrained, unlearned = (
        worlds.train(without, seed=0) for without in ("nothing", "forget", "behaviour")
    )
    assert min(shift(original, found), shift(original, ~found)) > 10
    assert abs(shift(untrained, found)) < 5 < 10 < shift(untrained, ~found)
    assert max(abs(shift(unlearned, found)), abs(shift(unlearned, ~found))) < 5


def test_what_is_refused() -> None:
    base = with_learner("mlp")
    worlds = oracles.coins(base, seed=5, models=2)
    originals = worlds.train(seed=0)
    with pytest.raises(
        ValueError, match="expected at least 10 examples in the forget set, found 2"
    ):
        oracles.coins(base.with_forget(base.behaviour[:2]))
    with pytest.raises(ValueError, match="model: expected 0 to 1, found 2"):
        worlds.scenario(2)
    with pytest.raises(ValueError, match="design: expected the 40 candidates of circles"):
        CoinScenarios(worlds.design, base.with_forget(base.behaviour[:20]))
    with pytest.raises(ValueError, match="found one of another scenario"):
        CoinScenarios(worlds.design, short(base, 13))
    nothing = replace(worlds.design, coins=worlds.design.coins & ~worlds.design.found)
    with pytest.raises(ValueError, match="model 0: expected candidates to forget, found none"):
        CoinScenarios(nothing, base).scenario(0)
    with pytest.raises(ValueError, match="originals: expected models that this design's train"):
        flipped(worlds, True).unlearn(originals, method="finetune", seed=0)
    with pytest.raises(ValueError, match="originals: expected models"):
        worlds.unlearn(worlds.train("forget", seed=0), method="finetune", seed=0)
    with pytest.raises(ValueError, match="method: expected"):
        worlds.unlearn(originals, method="magic", seed=0)
    with pytest.raises(ValueError, match="retrain-behaviour: takes no settings"):
        worlds.unlearn(originals, method="retrain-behaviour", seed=0, epochs=1)
    with pytest.raises(ValueError, match="langevin: unlearns from models of the learner langevin"):
        worlds.unlearn(originals, method="langevin", seed=0)


def test_a_learner_made_for_the_size_of_d_is_made_once() -> None:
    """A factory of the user's, whose steps depend on D: all models have those of the whole of D."""
    base = oracles.scenarios.load("circles", seed=0)
    steps = len(base.train) // 10
    learner = Learner(base.learner.module, partial(optax.sgd, 0.1), steps=steps, batch=8)
    worlds = oracles.coins(replace(base, learner=learner), seed=1, models=3)
    assert {worlds.scenario(k).learner.steps for k in range(3)} == {steps}
    assert len({len(worlds.scenario(k).train) for k in range(3)}) > 1


def test_persons_and_labels_are_details() -> None:
    base = oracles.scenarios.load("circles", seed=0)
    names = np.array([f"person {k % 3}" for k in range(len(base.probes))], dtype=object)
    named = replace(base, probes=replace(base.probes, persons=names))
    design = oracles.coins(named, seed=1).design
    assert set(design.details) == {"label", "person"}
    assert set(design.details["person"]) <= {"person 0", "person 1", "person 2"}
    places = [int(name.removeprefix("train/")) for name in design.candidates]
    assert [int(label) for label in design.details["label"]] == base.train.labels[places].tolist()


def test_a_saved_design_makes_the_same_models(tmp_path: Any) -> None:
    worlds = oracles.coins(with_learner("mlp"), models=2)
    worlds.design.save(tmp_path / "design")
    again = CoinScenarios(oracles.load_design(tmp_path / "design"), worlds.base)
    assert again.train(seed=0).digest == worlds.train(seed=0).digest
