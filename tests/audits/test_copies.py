"""Copies with noise are found; independent models, however close, are not taken for copies."""

import time
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from audits import GroupMedians, ObservedReferences, audit, audit_single
from audits.verdict._copies import copies_between, copies_within
from audits.verdict._warnings import near_copies
from oracles import Observations
from tests.audits.conftest import World

PROBES = 60
LAWS = ("normal", "curved", "heavy", "three", "even", "rounded", "saturated")


def drawn(
    rng: np.random.Generator, law: str, loadings: np.ndarray, models: int, scale: float = 1.0
) -> np.ndarray:
    """Margins of models that vary in as many directions as there are rows of loadings."""
    shape = (models, len(loadings))
    if law == "heavy":
        latent = rng.standard_t(3, size=shape)
    elif law == "three":
        latent = 0.2 * rng.normal(size=shape) + 3 * rng.integers(0, 3, size=(models, 1))
    elif law == "even":
        latent = rng.uniform(-1, 1, size=shape)
    else:
        latent = rng.normal(size=shape)
    margins = scale * latent @ loadings
    if law == "curved":
        margins = margins + np.tanh(margins[:, ::-1])
    if law == "rounded":
        margins = margins.round(2)
    return np.minimum(margins, 0.3) if law == "saturated" else margins


def alarms(submission: np.ndarray, untraining: np.ndarray, unlearning: np.ndarray) -> int:
    """How many of the six comparisons of an audit find copies."""
    every = (submission, untraining, unlearning)
    pairs = ((submission, untraining), (submission, unlearning), (untraining, unlearning))
    found = [copies_between(one, other) for one, other in pairs]
    return sum(part is not None for part in (*found, *map(copies_within, every)))


def test_independent_models_are_hardly_ever_taken_for_copies() -> None:
    # 252 audits at a promised rate of one in a thousand: more than 3 alarms once in 7,000 times
    # (Poisson's law with mean .25). Ten thousand were tried once, see audits.verdict._copies.
    rng = np.random.default_rng(1)
    found = 0
    for law, dimension, models in product(LAWS, (1, 2, 3, 5, 10, 100), (48,)):
        for kind in ("same", "few probes", "collapsed", "collapsed anywhere", "partly", "small"):
            probes = int(rng.integers(1, 3)) if kind == "few probes" else PROBES
            loadings = rng.normal(size=(dimension, probes))
            untraining = drawn(rng, law, loadings, models)
            unlearning = drawn(rng, law, loadings, models) + 0.5
            submission = drawn(rng, law, loadings, models)
            tight = float(10.0 ** rng.uniform(-4, -0.5))
            if kind == "collapsed":
                submission = drawn(rng, law, loadings, models, tight)
            elif kind == "collapsed anywhere":
                submission = submission[:1] + tight * drawn(rng, law, loadings, models)
            elif kind == "partly":
                submission[: models // 2] = 1 + 0.1 * drawn(rng, law, loadings, models // 2)
            elif kind == "small":
                submission = submission[:8]
            found += alarms(submission, untraining, unlearning) > 0
    assert found <= 3


@pytest.mark.parametrize("dimension", [10, 100])
@pytest.mark.parametrize("noise", [1e-6, 0.001, 0.01])
@pytest.mark.parametrize("copied", [1, 5, 256])
def test_copies_with_noise_are_found(dimension: int, noise: float, copied: int) -> None:
    rng = np.random.default_rng(2)
    loadings = rng.normal(size=(dimension, 200))
    reference = drawn(rng, "normal", loadings, 256)
    moved = noise * reference.std(axis=0) * rng.normal(size=(256, 200))
    submission = drawn(rng, "normal", loadings, 256)
    submission[:copied] = (reference[rng.permutation(256)] + moved)[:copied]
    between = copies_between(submission, reference)
    assert between is not None
    assert (between.models, 0.8 * noise < between.radius < 1.3 * noise) == (copied, True)
    assert copies_within(submission) is None
    twice = np.concatenate([submission, submission[:copied] + moved[:copied]])
    again = copies_within(twice[rng.permutation(len(twice))])
    assert again is not None
    assert again.models == 2 * copied


@pytest.mark.parametrize(
    ("dimension", "copied", "noise"), [(5, 5, 0.01), (3, 5, 0.001), (2, 128, 0.01), (1, 128, 1e-4)]
)
def test_with_few_dimensions_more_copies_or_less_noise_are_found(
    dimension: int, copied: int, noise: float
) -> None:
    rng = np.random.default_rng(3)
    loadings = rng.normal(size=(dimension, 200))
    reference, submission = (drawn(rng, "normal", loadings, 256) for _ in range(2))
    moved = noise * reference.std(axis=0) * rng.normal(size=(256, 200))
    submission[:copied] = (reference + moved)[:copied]
    assert copies_between(submission, reference) is not None


def test_copies_of_few_models_are_found() -> None:
    """Four models of which each is copied 16 times."""
    rng = np.random.default_rng(4)
    models = np.repeat(rng.normal(size=(16, 50)), 4, axis=0)
    found = copies_within(models + 0.01 * rng.normal(size=models.shape))
    assert found is not None
    assert found.models == 64


def test_one_probe_of_coarse_values_hides_no_copies() -> None:
    rng = np.random.default_rng(8)
    reference = rng.normal(size=(64, 30))
    copies = reference[::-1] + 0.001 * rng.normal(size=(64, 30))
    coarse = rng.integers(0, 3, size=(2, 64, 1)).astype(float)
    found = copies_between(
        np.concatenate([copies, coarse[0]], axis=1), np.concatenate([reference, coarse[1]], axis=1)
    )
    assert found is not None
    assert found.models == 64


def test_what_does_not_vary_or_is_too_little_gives_no_alarm() -> None:
    rng = np.random.default_rng(5)
    for models, reference in (
        (np.ones((9, 3)), np.ones((9, 3))),
        (rng.normal(size=(9, 3)), np.ones((9, 3))),
        (np.ones((9, 3)), rng.normal(size=(9, 3))),
        (rng.normal(size=(9, 3)), rng.normal(size=(3, 3))),
        (rng.normal(size=(0, 3)), rng.normal(size=(9, 3))),
        (rng.integers(0, 3, size=(64, 2)) * 1.0, rng.integers(0, 3, size=(64, 2)) * 1.0),
    ):
        assert copies_between(models, reference) is None
        assert copies_within(models) is None


def test_many_models_take_little_time() -> None:
    rng = np.random.default_rng(6)
    first, second = rng.normal(size=(2, 1_024, 200))
    times: list[float] = []
    for _ in range(3):
        start = time.process_time()
        copies_between(first, second)
        times.append(time.process_time() - start)
    assert min(times) < 1.0


def noisy(seen: Observations, scale: float, seed: int) -> Observations:
    """The same models in another order, with a little noise."""
    rng = np.random.default_rng(seed)
    moved = scale * seen.logits.std(axis=0) * rng.normal(size=seen.logits.shape)
    order = rng.permutation(seen.models)
    return replace(seen, logits=(seen.logits + moved).astype(np.float32)[order])


def test_an_audit_warns_of_copies_with_noise(world: World) -> None:
    references = ObservedReferences(world(1, {"forget": 6.0}), world(2))
    for name, scale in (("untraining", 0.001), ("unlearning", 0.01)):
        copied = noisy(getattr(references, name), scale, seed=7)
        found = audit(copied, references, observables=(GroupMedians(),), seed=0).warnings
        (said,) = [text for text in found if "look like copies" in text]
        assert said.startswith(
            f"60 submitted models look like copies of models of the {name} reference with noise of "
            "about "
        )
        assert "of the spread, as independent models do not come so close: the bounds" in said
    assert (
        near_copies({"submission": world(4), "untraining": world(1), "unlearning": world(2)}) == []
    )


def test_equal_models_have_a_sentence_of_their_own(world: World) -> None:
    references = ObservedReferences(world(1), world(2))
    equal = references.untraining
    part = replace(equal, logits=np.concatenate([equal.logits[:50], noisy(equal, 1e-3, 8).logits]))
    seen = {"submission": equal, "untraining": equal, "unlearning": world(2)}
    assert near_copies(seen) == []
    said = near_copies(seen | {"submission": part})
    assert len(said) == 2
    assert said[0].startswith("60 submitted models look like copies of models of the untraining")
    assert said[1].startswith("100 submitted models look like copies of one another with noise")


def test_references_that_share_models_but_for_noise_are_pointed_out(world: World) -> None:
    one = world(1)
    said = near_copies(
        {"submission": world(3), "untraining": one, "unlearning": noisy(one, 1e-3, 9)}
    )
    assert len(said) == 1
    assert said[0].startswith("60 untraining reference models look like copies of models of the")


def test_one_model_that_is_a_copy_but_for_noise_is_pointed_out(world: World) -> None:
    references = ObservedReferences(world(1), world(2))
    copied = noisy(references.unlearning, 1e-3, 10)
    (said,) = audit_single(replace(copied, logits=copied.logits[:1]), references).warnings
    assert said.startswith(
        "The submitted model looks like a copy of a model of the unlearning reference with noise of"
    )
