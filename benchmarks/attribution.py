"""Which training labels are wrong, by other libraries: baselines for memorization's estimates.

    python benchmarks/attribution.py [--quick] [--seed 0]

All 1,797 digits, 90 labels wrong. traker (TRAK) and dattri (TRAK, TracIn) come with the dependency
group ``benchmarks``. pyDVL does not: 0.9.2, the newest that resolves beside NumPy 2, fails on
import, and 0.10.0 runs there but declares ``numpy<2``, so that it has to be asked for apart:

    pip install pyDeprecate more-itertools cvxpy tqdm cloudpickle psutil
    pip install --no-deps pydvl==0.10.0

Tried: pyDVL 0.10.0, traker 0.3.2, dattri 0.3.0, torch 2.13.0 (CPU), scikit-learn 1.9.1,
NumPy 2.4.6, Python 3.11. What cannot be imported is noted and left out.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

# Before any library starts tqdm: bars would run through the tables.
os.environ.setdefault("TQDM_DISABLE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.neural_network import MLPClassifier

from benchmarks.bounds import table

WRONG = 90
NEIGHBOURS, FOLDS, TREES = 10, 10, 500
HIDDEN, STEPS, BATCH, RATE, MOMENTUM = 64, 1000, 128, 0.2, 0.9
MODELS, CHECKPOINTS, DIMENSIONS = 10, 10, 512
Baseline = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def nearest_neighbours(inputs: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Share of the nearest other examples with another label."""
    # Without a query, an example is not its own neighbour.
    near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(inputs).kneighbors(return_distance=False)
    return (labels[near] != labels[:, None]).mean(axis=1)


def held_out_probability(inputs: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """One minus the label's probability under a network trained on the other folds."""
    network = MLPClassifier(
        (HIDDEN,),
        solver="sgd",
        alpha=0.0,
        batch_size=BATCH,
        learning_rate_init=RATE,
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        max_iter=round(STEPS * BATCH / (len(labels) * (1 - 1 / FOLDS))),
        n_iter_no_change=STEPS,
        random_state=seed,
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # The number of steps is given: that they do not reach the optimum is no news.
        warnings.filterwarnings("ignore", "Stochastic Optimizer: Maximum iterations")
        found = cross_val_predict(network, inputs, labels, cv=folds, method="predict_proba")
    column = np.searchsorted(np.unique(labels), labels)
    return 1.0 - np.asarray(found)[np.arange(len(labels)), column]


def pydvl_knn_shapley(inputs: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """KNN-Shapley values (arXiv:1908.08619), negated; every fold is once the validation set."""
    from pydvl.valuation import Dataset, KNNShapleyValuation

    values = np.zeros(len(labels))
    for rest, fold in KFold(FOLDS, shuffle=True, random_state=seed).split(inputs):
        valuation = KNNShapleyValuation(
            KNeighborsClassifier(NEIGHBOURS), Dataset(inputs[fold], labels[fold]), progress=False
        )
        values[rest] += valuation.fit(Dataset(inputs[rest], labels[rest])).result.values
    return -values


def pydvl_data_oob(inputs: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Data-OOB values (arXiv:2304.07718) of a random forest, negated."""
    from pydvl.valuation import DataOOBValuation, Dataset

    forest = RandomForestClassifier(TREES, random_state=seed).fit(inputs, labels)
    return -DataOOBValuation(forest).fit(Dataset(inputs, labels)).result.values


def module(inputs: np.ndarray, labels: np.ndarray) -> Any:
    """The network of the scenario in PyTorch."""
    from torch import nn

    into, out = inputs.shape[1], int(labels.max()) + 1
    return nn.Sequential(nn.Linear(into, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, out))


def tensors(inputs: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
    """Inputs and labels in PyTorch."""
    import torch

    return torch.tensor(inputs), torch.tensor(labels, dtype=torch.int64)


def trained(
    inputs: np.ndarray, labels: np.ndarray, seed: int, *, every: int = STEPS
) -> list[dict[str, Any]]:
    """Parameters of one network after each ``every`` of its steps."""
    import torch

    torch.manual_seed(seed)
    network, data, kept = module(inputs, labels), tensors(inputs, labels), []
    optimiser = torch.optim.SGD(network.parameters(), RATE, momentum=MOMENTUM)
    for step in range(1, STEPS + 1):
        batch = torch.randint(len(labels), (BATCH,))
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(data[0][batch]), data[1][batch]).backward()
        optimiser.step()
        if step % every == 0:
            kept.append({name: value.clone() for name, value in network.state_dict().items()})
    return kept


def ensemble(inputs: np.ndarray, labels: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """Final parameters of independent networks, as TRAK averages over."""
    return [trained(inputs, labels, seed * MODELS + model)[-1] for model in range(MODELS)]


def traker_trak(inputs: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Self-influence by TRAK (arXiv:2303.14186), its authors' package."""
    from trak import TRAKer

    data, count = tensors(inputs, labels), len(labels)
    states = ensemble(inputs, labels, seed)
    with tempfile.TemporaryDirectory() as folder:
        attributor = TRAKer(
            model=module(inputs, labels),
            task="image_classification",
            train_set_size=count,
            save_dir=folder,
            device="cpu",
            proj_dim=DIMENSIONS,
            projector_seed=seed,
            use_half_precision=False,
            logging_level=logging.ERROR,
        )
        for model, state in enumerate(states):
            attributor.load_checkpoint(state, model_id=model)
            attributor.featurize(data, num_samples=count)
        attributor.finalize_features()
        for model, state in enumerate(states):
            attributor.start_scoring_checkpoint("self", state, model, num_targets=count)
            attributor.score(data, num_samples=count)
        # They lie in a file of the folder.
        return np.array(np.diagonal(attributor.finalize_scores("self")))


def dattri_self_influence(
    inputs: np.ndarray,
    labels: np.ndarray,
    states: list[dict[str, Any]],
    output: Callable[[Any, Any], Any],
    attributor: Callable[[Any, Callable[[Any, Any], Any]], Any],
) -> np.ndarray:
    """Self-influence by an attributor of dattri on ``output`` (logits, mask of the label)."""
    import torch
    from dattri.task import AttributionTask
    from torch.utils.data import DataLoader, TensorDataset

    network = module(inputs, labels)
    classes = torch.arange(int(labels.max()) + 1)

    def of(params: Any, example: Any) -> Any:
        logits = torch.func.functional_call(network, params, (example[0][None],))[0]
        return output(logits, classes == example[1])

    task = AttributionTask(loss_func=of, model=network, checkpoints=states)
    loader = DataLoader(TensorDataset(*tensors(inputs, labels)), batch_size=len(labels))
    return attributor(task, of).self_attribute(loader).detach().numpy().ravel()


def dattri_trak(inputs: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Self-influence by TRAK (arXiv:2303.14186), dattri's implementation."""
    import torch
    from dattri.algorithm.trak import TRAKAttributor

    def margin(logits: Any, is_label: Any) -> Any:
        others = torch.logsumexp(logits.masked_fill(is_label, -torch.inf), 0)
        return (logits * is_label).sum() - others

    def attributor(task: Any, output: Any) -> Any:
        # The margin is the log odds of the label.
        return TRAKAttributor(
            task,
            lambda params, example: torch.sigmoid(output(params, example)),
            projector_kwargs={"proj_dim": DIMENSIONS, "proj_seed": seed},
        )

    states = ensemble(inputs, labels, seed)
    return dattri_self_influence(inputs, labels, states, margin, attributor)


def dattri_tracin(inputs: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Self-influence by TracIn (arXiv:2002.08484) over checkpoints of one network."""
    import torch
    from dattri.algorithm.tracin import TracInAttributor

    def loss(logits: Any, is_label: Any) -> Any:
        return torch.logsumexp(logits, 0) - (logits * is_label).sum()

    def attributor(task: Any, output: Any) -> Any:
        return TracInAttributor(
            task,
            weight_list=torch.full((CHECKPOINTS,), RATE),
            normalized_grad=False,
            projector_kwargs={"proj_dim": DIMENSIONS, "proj_seed": seed},
        )

    states = trained(inputs, labels, seed, every=STEPS // CHECKPOINTS)
    return dattri_self_influence(inputs, labels, states, loss, attributor)


def baselines() -> dict[str, Baseline]:
    """Scores of examples by name, greater where a label is more suspicious.

    Each is called with inputs [n, d] (float32), labels [n] and a seed, and returns [n] scores; what
    it trains, it trains within the call.
    """
    found: dict[str, Baseline] = {
        "nearest neighbours": nearest_neighbours,
        "held-out probability": held_out_probability,
    }
    libraries: dict[str, tuple[str, dict[str, Baseline]]] = {
        "pydvl.valuation": (
            "pyDVL (see benchmarks/attribution.py)",
            {"pyDVL, KNN-Shapley": pydvl_knn_shapley, "pyDVL, Data-OOB": pydvl_data_oob},
        ),
        "trak": ("traker (dependency group `benchmarks`)", {"traker, TRAK": traker_trak}),
        "dattri.algorithm": (
            "dattri (dependency group `benchmarks`)",
            {"dattri, TRAK": dattri_trak, "dattri, TracIn": dattri_tracin},
        ),
    }
    for name, (title, methods) in libraries.items():
        try:
            with warnings.catch_warnings():
                # pyDVL decorates with deprecated arguments of pyDeprecate.
                warnings.simplefilter("ignore", FutureWarning)
                import_module(name)
        # AttributeError: pyDVL before 0.10 beside NumPy 2.
        except (ImportError, AttributeError) as error:
            print(f"note: {title} cannot be imported: not compared ({error})\n")
        else:
            found |= methods
    return found


def digits(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs [n, 64] in [0, 1], labels [n], and which labels [n] are wrong."""
    pixels, labels = load_digits(return_X_y=True)
    labels, rng = np.asarray(labels), np.random.default_rng(seed)
    changed = np.sort(rng.choice(len(labels), WRONG, replace=False))
    labels[changed] = (labels[changed] + rng.integers(1, 10, WRONG)) % 10
    return np.asarray(pixels, dtype=np.float32) / 16, labels, np.isin(range(len(labels)), changed)


def main() -> None:
    """Print the area under the curve for the wrong labels, and seconds, of each baseline."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one draw of wrong labels, not five")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + (1 if asked.quick else 5))
    rows: list[list[str]] = []
    for name, score in baselines().items():
        areas, seconds = [], []
        for seed in seeds:
            inputs, labels, wrong = digits(seed)
            start = time.perf_counter()
            scores = score(inputs, labels, seed)
            seconds.append(time.perf_counter() - start)
            areas.append(float(roc_auc_score(wrong, scores)))
        middle = f"{np.mean(areas):.4f}"
        rows.append([name, middle, f"{min(areas):.4f}", f"{np.median(seconds):.1f}"])
    print(f"Wrong labels: AUROC of {WRONG} wrong labels among 1,797 digits; draws: {len(seeds)};")
    print("median seconds a draw, training included.\n")
    table(["baseline", "AUROC", "least", "seconds"], rows)


if __name__ == "__main__":
    main()
