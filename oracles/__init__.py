"""Oracles know models: scenarios, learners, vectorised populations, references and unlearners.

Users reach this package as ``from indist import oracles``.
"""

from oracles import data, engines, forget_sets, learners, mechanisms, scenarios, unlearners
from oracles._learner import Learner
from oracles._modules import MLP, BinaryLinear, ConvNet, Transformer
from oracles._population import Population, load_population
from oracles._probes import PROBE_GROUPS, Examples, Observations, Probes
from oracles._scenario import Scenario
from oracles.populations._cost import Cost, training_cost
from oracles.populations._references import References, load_references, references, repair
from oracles.populations._relearn import relearn_losses, relearn_time
from oracles.populations._runs import Runs, load_runs, subset_runs
from oracles.populations._training import train
from oracles.populations._unlearn import ORACLES, unlearn
from oracles.storage.shards import StoreError

__all__ = [
    "MLP",
    "ORACLES",
    "PROBE_GROUPS",
    "BinaryLinear",
    "ConvNet",
    "Cost",
    "Examples",
    "Learner",
    "Observations",
    "Population",
    "Probes",
    "References",
    "Runs",
    "Scenario",
    "StoreError",
    "Transformer",
    "data",
    "engines",
    "forget_sets",
    "learners",
    "load_population",
    "load_references",
    "load_runs",
    "mechanisms",
    "references",
    "relearn_losses",
    "relearn_time",
    "repair",
    "scenarios",
    "subset_runs",
    "train",
    "training_cost",
    "unlearn",
    "unlearners",
]

__indist__ = True
