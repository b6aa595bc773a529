"""Optional packages, or their stand-ins where they are not installed."""

from functools import partial

import numpy as np
import optax
import pytest

from oracles import MLP, Learner, Probes
from tests.audits.formats.pth import torch
from tests.audits.formats.samples import CLASSES, FEATURES, HIDDEN

__all__ = ["torch"]


@pytest.fixture(scope="session")
def learner() -> Learner:
    return Learner(MLP((HIDDEN, CLASSES)), partial(optax.sgd, 0.1), steps=1, batch=1)


@pytest.fixture(scope="session")
def probes() -> Probes:
    return Probes(
        inputs=np.random.default_rng(5).normal(size=(7, FEATURES)).astype(np.float32),
        labels=np.array([0, 1, 2, 0, 1, 2, 0], np.int32),
        groups=np.array(["forget"] * 4 + ["retain"] * 3),
        ids=np.array([f"p{k}" for k in range(7)]),
    )
