"""What is imported for whom: who reads observations, claims or files waits for no JAX."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("jax", "flax", "optax", "sklearn", "scipy.stats", "matplotlib", "pandas", "ray", "pyarrow")


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("from oracles import Group, Examples, Probes, Observations", ()),
        ("from oracles import Population, load_population", ()),
        ("from oracles.mechanisms import Claim, Gaussian, SubsampledGaussian, mechanism", ()),
        ("from oracles.data import CifarBinary, HuggingFace, Idx, Npz", ()),
        ("from oracles.storage import arrays, digests, files, shards", ()),
        ("from oracles.scenarios import SCENARIOS", ("jax", "flax", "optax")),
        ("from oracles.unlearners import UNLEARNERS", ("jax", "flax", "optax")),
    ],
)
def test_nothing_heavy_is_imported(statement: str, allowed: tuple[str, ...]) -> None:
    script = f"import sys\n{statement}\nprint(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    made = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(made.stdout.split()) <= set(allowed)
