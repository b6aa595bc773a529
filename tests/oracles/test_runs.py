"""Runs on random subsets: what is stored is what happened, and more can be added."""

from pathlib import Path

import jax
import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.metrics import roc_auc_score

from indist import estimators, oracles
from oracles.populations._runs import subset, targets
from oracles.storage.shards import StoreError
from tests.oracles.by_hand import plan_and_key


def test_runs_hold_what_models_of_their_subsets_do(circles: oracles.Scenario) -> None:
    """Against training on each subset alone, one model at a time."""
    runs = oracles.subset_runs(circles, models=6, seed=0, width=2)
    inputs, labels, groups = targets(circles)
    assert runs.examples == len(circles.train)
    assert (labels[: runs.examples] == circles.train.labels).all()
    assert (runs.labels == labels).all()
    assert (runs.groups == groups).all()
    assert (groups[circles.forget] == "forget").all()
    for model in (0, 5):
        included, learner = runs.included[model], circles.learner
        plan, key = plan_and_key(learner, "subsets/0", model, included)
        assert set(plan.ravel()) == set(np.flatnonzero(included))
        params = learner.train(key, circles.train.inputs, circles.train.labels, plan)
        logits = np.asarray(learner.logits(params, inputs), dtype=np.float64)
        score = logits - logsumexp(logits, axis=1, keepdims=True)
        right = np.take_along_axis(score, labels[:, None], axis=1)[:, 0]
        np.testing.assert_allclose(runs.probability[model], np.exp(right), atol=1e-4)
        others = np.where(np.arange(logits.shape[1]) == labels[:, None], -np.inf, score)
        margin = right - logsumexp(others, axis=1)
        np.testing.assert_allclose(runs.margin[model], margin, atol=1e-3)
        sure = np.abs(margin) > 1e-3
        assert (runs.correct[model] == (logits.argmax(axis=1) == labels))[sure].all()


def test_inclusion_is_a_fair_coin_for_each_pair(circles: oracles.Scenario) -> None:
    keys = jax.random.split(jax.random.key(1), 400)
    coins = jax.vmap(lambda key: subset(key, len(circles.train), 0.7))
    included = np.asarray(coins(keys))
    rate = included.mean(axis=0)
    # 5 standard errors over a few hundred examples: a false alarm in 5,000 seeds.
    assert np.abs(rate - 0.7).max() < 5 * np.sqrt(0.21 / 400)
    centred = included - 0.7
    together = centred.T @ centred / 400
    np.fill_diagonal(together, 0.0)
    assert np.abs(together).max() < 6 * 0.21 / np.sqrt(400)


def test_more_models_can_be_added(circles: oracles.Scenario, tmp_path: Path) -> None:
    few = oracles.subset_runs(circles, models=5, seed=0, directory=tmp_path, chunk=4)
    more = oracles.subset_runs(circles, models=9, seed=0, directory=tmp_path, resume=True)
    memory = oracles.subset_runs(circles, models=9, seed=0)
    assert more.digest == memory.digest == oracles.load_runs(tmp_path, circles).digest
    assert (more.margin[:5] == few.margin).all()
    with pytest.raises(StoreError, match="inclusion is 0.7 there and 0.5 here"):
        oracles.subset_runs(
            circles, models=9, seed=0, inclusion=0.5, directory=tmp_path, resume=True
        )
    with pytest.raises(StoreError, match="field format: expected indist-population"):
        oracles.load_population(tmp_path, circles.learner, circles.probes)
    with pytest.raises(StoreError, match="runs of another scenario than digits-class"):
        oracles.load_runs(tmp_path, oracles.scenarios.load("digits-class", seed=0))


def test_replicates_share_subsets_and_nothing_else(circles: oracles.Scenario) -> None:
    first, second = (
        oracles.subset_runs(circles, models=4, seed=0, replicate=which) for which in (0, 1)
    )
    assert (first.included == second.included).all()
    assert not np.isclose(first.margin, second.margin).any(axis=1).all()


def test_bad_inclusion(circles: oracles.Scenario) -> None:
    with pytest.raises(ValueError, match=r"inclusion: expected a number in \(0, 1\), found 1"):
        oracles.subset_runs(circles, models=2, seed=0, inclusion=1.0)
    with pytest.raises(ValueError, match="expected at least 20 included examples on average"):
        oracles.subset_runs(circles, models=2, seed=0, inclusion=0.01)


def test_leaving_out_examples_by_index(circles: oracles.Scenario) -> None:
    """The exact twin of memorization: populations that lack given examples."""
    forget = [int(index) for index in circles.forget]
    by_index = oracles.train(circles, forget, stream="s", models=4, seed=0)
    by_name = oracles.train(circles, "forget", stream="s", models=4, seed=0)
    assert by_index.digest == by_name.digest
    assert by_index.recipe["excluded"] == sorted(forget)
    with pytest.raises(ValueError, match="excluded: expected indices 0 to"):
        oracles.train(circles, [len(circles.train)], stream="s", models=2, seed=0)
    with pytest.raises(ValueError, match="expected some example to be left"):
        oracles.train(circles, range(len(circles.train)), stream="s", models=2, seed=0)


def test_wrong_labels_are_memorized() -> None:
    """Claim 1 of the note: the mislabelled examples are the memorized ones."""
    scenario = oracles.scenarios.load("digits-random-labels", seed=0)
    runs = oracles.subset_runs(scenario, models=60, seed=0)
    found = estimators.memorization(runs.included, runs.correct[:, : runs.examples])
    wrong = np.isin(np.arange(runs.examples), scenario.behaviour)
    assert found.estimand == "subset(0.7)"
    assert roc_auc_score(wrong, found.estimate) > 0.97
    assert found.estimate[wrong].mean() > 0.7
    assert found.estimate[~wrong].mean() < 0.2
