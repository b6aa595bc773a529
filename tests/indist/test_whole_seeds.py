"""Seeds are integers wherever one is taken: 1.0, True and "1" are not the seed 1, and refused.

In a process of their own: the tests' checks of types would refuse them first.
"""

import subprocess
import sys

_DOORS = """
import importlib, inspect, pkgutil
import numpy as np
from indist import audits, estimators, oracles, studies

def faces(package):
    yield package
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            yield importlib.import_module(module.name)

def doors():
    found = {}
    for package in (estimators, oracles, audits):
        for face in faces(package):
            for name in dir(face):
                made = getattr(face, name)
                if not name.startswith("_") and inspect.isfunction(made):
                    if made.__module__.startswith("estimators.checks"):
                        continue
                    if "seed" in inspect.signature(made).parameters:
                        found[f"{made.__module__}.{name}"] = made
    settings = [*oracles.scenarios.SCENARIOS.values(), *studies.STUDIES.values()]
    settings += [estimators.ClopperPearson, estimators.RankGrid, estimators.Split]
    settings += [estimators.Witness, estimators.Bayesian]
    return found | {kind.__name__: kind for kind in settings}

def call(door, seed):
    asked = inspect.signature(door).parameters.values()
    needed = [one for one in asked if one.default is one.empty and one.name != "seed"]
    named = {one.name: None for one in needed if one.kind is not one.VAR_KEYWORD}
    return door(**named, seed=seed)
"""

_REFUSED = """
seen = doors()
assert len(seen) > 40, len(seen)
for name, door in seen.items():
    if name == "audits._plan.plan":
        continue
    for wrong in (1.0, True, "1", np.float64(1), np.bool_(True), -1, 2**63):
        try:
            call(door, wrong)
        except ValueError as error:
            assert "seed: expected an integer in [0, 2^63), found" in str(error), error
        else:
            raise AssertionError(f"{name} takes {wrong!r}")
"""

_EQUAL = """
world = oracles.scenarios.load("circles", seed=np.int64(3))
assert world.settings == {**oracles.scenarios.load("circles", seed=3).settings}
assert world.digest == oracles.scenarios.load("circles", seed=3).digest
made = [oracles.train(world, "forget", stream="s", models=2, seed=s) for s in (5, np.uint8(5))]
assert made[0].recipe == made[1].recipe and made[0].digest == made[1].digest
assert type(made[1].recipe["seed"]) is int
runs = [oracles.subset_runs(world, models=2, seed=s, replicate=s) for s in (1, np.int32(1))]
assert runs[0].recipe == runs[1].recipe and runs[0].digest == runs[1].digest
for wrong in (1.0, True, "1"):
    try:
        oracles.subset_runs(world, models=2, seed=1, replicate=wrong)
    except ValueError as error:
        assert str(error).startswith("replicate: expected an integer"), error
    else:
        raise AssertionError(wrong)
"""


def _runs(*parts: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", "".join(parts)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr


def test_what_takes_a_seed_takes_no_other_number_or_text() -> None:
    _runs(_DOORS, _REFUSED)


def test_a_seed_of_numpy_makes_the_same_models_as_that_of_python() -> None:
    _runs(_DOORS, _EQUAL)
