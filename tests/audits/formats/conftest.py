"""Optional packages, or their stand-ins where they are not installed."""

import pytest

from oracles import Learner, Probes
from tests.audits.formats import samples
from tests.audits.formats.pth import torch

__all__ = ["torch"]


@pytest.fixture(scope="session")
def learner() -> Learner:
    return samples.net_learner()


@pytest.fixture(scope="session")
def probes() -> Probes:
    return samples.net_probes()
