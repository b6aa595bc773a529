"""Settings of unlearners: plain values, ranges that are said, and defaults that leave a model."""

from dataclasses import asdict
from typing import Any

import pytest

from indist import oracles

METHODS = sorted(oracles.unlearners.UNLEARNERS)


@pytest.mark.parametrize("method", METHODS)
def test_settings_are_plain(method: str) -> None:
    kind = oracles.unlearners.UNLEARNERS[method]
    assert all(isinstance(value, int | float | str) for value in asdict(kind()).values())
    assert kind(**asdict(kind())) == kind()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_default_settings_leave_a_working_model(method: str) -> None:
    scenario = oracles.scenarios.load("digits-trigger", seed=0)
    original = oracles.references(scenario, models=4, seed=0).original
    observed = oracles.unlearn(scenario, original, method=method, seed=1).observe(scenario.probes)
    assert observed.correct[:, observed.groups == "test"].mean() > 0.85


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        ("gradient-ascent", {"learning_rate": 0.0}, "learning_rate: expected a number over 0"),
        ("ascent-descent", {"rounds": 0}, "rounds: expected at least 1, found 0"),
        ("ascent-descent", {"descent_epochs": 0}, "descent_epochs: expected at least 1, found 0"),
        ("random-label", {"batch": 0}, "batch: expected at least 1, found 0"),
        ("salun", {"saliency": 0.0}, r"saliency: expected a number in \(0, 1\], found 0.0"),
        ("l1-sparse", {"alpha": -1.0}, "alpha: expected a number of at least 0, found -1.0"),
        ("l1-sparse", {"plain_epochs": 10}, "plain_epochs: expected 0 to 9, below epochs"),
        ("cf-k", {"last": 0}, "last: expected at least 1, found 0"),
        ("eu-k", {"last": 0}, "last: expected at least 1, found 0"),
        ("scrub", {"max_epochs": 11}, "max_epochs: expected 0 to 10, epochs, found 11"),
        ("scrub", {"temperature": 0.0}, "temperature: expected a number over 0, found 0.0"),
        ("scrub", {"forget_batch": 0}, "forget_batch: expected at least 1, found 0"),
        ("scrub", {"gamma": float("nan")}, "gamma: expected a number of at least 0, found nan"),
        ("bad-t", {"retained": 1.5}, r"retained: expected a number in \(0, 1\], found 1.5"),
        ("bad-t", {"epochs": 0}, "epochs: expected at least 1, found 0"),
        ("ssd", {"alpha": 0.0}, "alpha: expected a number over 0, found 0.0"),
        ("ssd", {"against": "test"}, "against: expected all or retain, found 'test'"),
        ("graddiff", {"retain_weight": -1.0}, "retain_weight: expected a number of at least 0"),
        ("npo", {"beta": 0.0}, "beta: expected a number over 0, found 0.0"),
        ("simnpo", {"gamma": -0.1}, "gamma: expected a number of at least 0, found -0.1"),
        ("simnpo", {"forget_weight": 0.0}, "forget_weight: expected a number over 0, found 0.0"),
        ("amnesiac", {"epochs": 0}, "epochs: expected at least 1, found 0"),
        ("amnesiac", {"momentum": 1.0}, r"momentum: expected a number in \[0, 1\), found 1.0"),
        ("scrub-r", {"max_epochs": 11}, "max_epochs: expected 0 to 10, epochs, found 11"),
        ("scrub-r", {"temperature": 0.0}, "temperature: expected a number over 0, found 0.0"),
        ("lf-ssd", {"alpha": 0.0}, "alpha: expected a number over 0, found 0.0"),
        ("lf-ssd", {"against": "S"}, "against: expected all or retain, found 'S'"),
        ("potion", {"remaining": 1.0}, r"remaining: expected a number in \[0, 1\), found 1.0"),
        ("potion", {"step": 1.0}, "step: expected a number over 1, found 1.0"),
        ("potion", {"step": float("nan")}, "step: expected a number over 1, found nan"),
        ("potion", {"tries": 0}, "tries: expected at least 1, found 0"),
        ("potion", {"batch": 0}, "batch: expected at least 1, found 0"),
        ("msg", {"redrawn": 0.0}, r"redrawn: expected a number in \(0, 1\], found"),
        ("msg", {"slowing": 1.5}, r"slowing: expected a number in \[0, 1\], found"),
        ("msg", {"epochs": 0}, "epochs: expected at least 1, found 0"),
        ("ct", {"learning_rate": 0.0}, "learning_rate: expected a number over 0"),
        ("unsir", {"impair_rate": 0.0}, "impair_rate: expected a number over 0, found 0.0"),
        ("unsir", {"repair_epochs": 0}, "repair_epochs: expected at least 1, found 0"),
        ("unsir", {"noise": 0}, "noise: expected at least 1, found 0"),
        ("unsir", {"noise_penalty": -1.0}, "noise_penalty: expected a number of at least 0"),
        ("boundary-shrink", {"step": 0.0}, "step: expected a number over 0, found 0.0"),
        ("boundary-shrink", {"momentum": 1.0}, "momentum: expected a number in"),
        ("rum", {"middle": "sal"}, "middle: expected one of nothing.*found 'sal'"),
        ("rum", {"epochs": 0}, "epochs: expected at least 1, found 0"),
        ("rem", {"target": 1.0}, r"target: expected a number in \[0, 1\)"),
        ("rem", {"seen": 0.0}, r"seen: expected a number in \(0, 1\], found 0.0"),
        ("rem", {"flushes": 0}, "flushes: expected at least 1, found 0"),
        ("rem", {"extra": 0.0}, "extra: expected a number over 0, found 0.0"),
        ("output-suppression", {"share": 0.0}, "share: expected a number over 0, found 0.0"),
        ("output-suppression", {"gap": 0.0}, "gap: expected a number over 0, found 0.0"),
        ("fisher", {"alpha": 0.0}, "alpha: expected a number over 0, found 0.0"),
        ("ntk-scrub", {"damping": 0.0}, "damping: expected a number over 0, found 0.0"),
        ("ntk-scrub", {"iterations": 0}, "iterations: expected at least 1, found 0"),
        ("influence", {"damping": -1.0}, "damping: expected a number over 0, found -1.0"),
        ("influence", {"scale": float("nan")}, "scale: expected a number over 0, found nan"),
        ("influence", {"iterations": 0}, "iterations: expected at least 1, found 0"),
        ("influence-expanded", {"doubt": 0.0}, r"doubt: expected a number in \(0, 1\], found 0.0"),
        ("influence-expanded", {"neighbours": 0}, "neighbours: expected at least 1, found 0"),
        (
            "prototype-subtraction",
            {"doubt": 1.1},
            r"doubt: expected a number in \(0, 1\], found 1.1",
        ),
        ("prototype-subtraction", {"epochs": 0}, "epochs: expected at least 1, found 0"),
        ("matched-stopping", {"alpha": 1.0}, r"alpha: expected a number in \(0, 1\), found 1.0"),
        ("matched-stopping", {"steps": 0}, "steps: expected at least 1, found 0"),
        ("matched-stopping", {"momentum": 1.0}, "momentum: expected a number in"),
    ],
)
def test_bad_settings(method: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        oracles.unlearners.UNLEARNERS[method](**settings)
