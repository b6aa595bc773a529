"""How fast populations train, beside other ways of training the same models on the same core.

    python benchmarks/training.py [--quick] [--seed 0] [--tables speed memory flat]

One core, one thread for all; CPU seconds, medians of interleaved rounds. PyTorch comes with the
dependency group ``benchmarks``; without it its columns stay empty.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

# Before JAX starts: one single-threaded device on one core, as for every contender.
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
os.environ["OMP_NUM_THREADS"] = "1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.bounds import table
from indist import oracles
from oracles.modules import ConvNet

MATRIX = 1536
RATE, MOMENTUM = 0.1, 0.9
Contender = Callable[[int], object]


@dataclass(frozen=True)
class Workload:
    """One learner on one data set, the plain form of its module, and what issue 4 asks for.

    Attributes:
        title: name in the table.
        scenario: world whose learner is trained.
        plain: the same model in flax.linen.
        multiplications: of one example through the model and back.
        widths: models a program; the best is shown, and the backend's default beside it.
        targets: contender to the ratio wanted; ``product`` is the share of a product's rate.
    """

    title: str
    scenario: oracles.Scenario
    plain: nn.Module
    multiplications: int
    widths: tuple[int, ...]
    targets: dict[str, float]


class PlainMLP(nn.Module):
    """Dense layers with ReLU between."""

    features: Sequence[int]

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        """Logits."""
        for width in self.features[:-1]:
            inputs = nn.relu(nn.Dense(width)(inputs))
        return nn.Dense(self.features[-1])(inputs)


class PlainConvNet(nn.Module):
    """Two convolutions with ReLU and a dense layer."""

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        """Logits."""
        hidden = nn.relu(nn.Conv(16, (3, 3))(inputs[..., None]))
        hidden = nn.relu(nn.Conv(32, (3, 3))(hidden))
        return nn.Dense(10)(hidden.reshape(len(inputs), -1))


def dense_multiplications(widths: Sequence[int]) -> int:
    """Forward, gradient of the weights, and of the input except the first layer's."""
    pairs = list(zip(widths, widths[1:], strict=False))
    return sum(a * b * (2 if layer == 0 else 3) for layer, (a, b) in enumerate(pairs))


def convolution_multiplications(side: int) -> int:
    """Of the net of W3 on square images, as a plain convolution counts them."""
    pixels = side * side
    return 2 * 9 * 16 * pixels + 3 * (9 * 16 * 32 * pixels + 32 * pixels * 10)


def toy(seed: int) -> oracles.Scenario:
    """1,000 points of four classes in the plane."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, 1000, dtype=np.int32)
    centres = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    points = (centres[labels] + rng.normal(size=(1000, 2))).astype(np.float32)
    examples = oracles.Examples(points, labels)
    probes = oracles.Probes.join([("test", examples.take(slice(0, 100)))])
    learner = oracles.Learner(oracles.MLP((32, 32, 4)), _sgd(), steps=1000, batch=100)
    index = np.arange(2)
    return oracles.Scenario("toy", "toy", {}, examples, index[:1], index, probes, 4, learner)


def large_images(seed: int, steps: int) -> oracles.Scenario:
    """1,000 images of 28x28 in ten classes, a random pattern each, under noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, 1000, dtype=np.int32)
    patterns = rng.normal(size=(10, 28, 28))
    images = (patterns[labels] + rng.normal(size=(1000, 28, 28))).astype(np.float32)
    examples = oracles.Examples(images, labels)
    probes = oracles.Probes.join([("test", examples.take(slice(0, 16)))])
    learner = oracles.Learner(ConvNet(10), _sgd(), steps=steps, batch=128)
    index = np.arange(2)
    return oracles.Scenario("images", "images", {}, examples, index[:1], index, probes, 10, learner)


def _sgd() -> Any:
    return partial(optax.sgd, RATE, momentum=MOMENTUM)


def workloads(quick: bool, seed: int) -> list[Workload]:
    """W1 to W4, and W5: the net of W3 on larger images."""
    digits = oracles.scenarios.load("digits-trigger", seed=seed)
    images = replace(
        digits,
        train=replace(digits.train, inputs=digits.train.inputs.reshape(-1, 8, 8)),
        probes=replace(digits.probes, inputs=digits.probes.inputs.reshape(-1, 8, 8)),
        learner=oracles.Learner(ConvNet(10), _sgd(), steps=100 if quick else 420, batch=128),
    )
    logistic = replace(digits, learner=oracles.Learner(oracles.MLP((10,)), _sgd(), 420, 128))
    return [
        Workload(
            "W1 digits MLP 64-128-10",
            digits,
            PlainMLP((128, 10)),
            dense_multiplications((64, 128, 10)),
            (4, 8),
            {"product": 0.55, "linen loop": 2.3, "PyTorch loop": 7.0, "torch.func": 3.5},
        ),
        Workload(
            "W2 toy MLP 2-32-32-4",
            toy(seed),
            PlainMLP((32, 32, 4)),
            dense_multiplications((2, 32, 32, 4)),
            (4, 8),
            {"linen loop": 4.5, "torch.func": 4.0},
        ),
        Workload(
            "W3 CNN 16-32 on 8x8",
            images,
            PlainConvNet(),
            convolution_multiplications(8),
            (1, 4),
            {"product": 0.65, "linen loop": 2.0, "PyTorch loop": 2.0, "torch.func": 2.0},
        ),
        Workload(
            "W4 logistic 64-10",
            logistic,
            PlainMLP((10,)),
            dense_multiplications((64, 10)),
            (4, 8),
            {"linen loop": 9.0, "torch.func": 9.0},
        ),
        Workload(
            "W5 CNN 16-32 on 28x28",
            large_images(seed, steps=20 if quick else 60),
            PlainConvNet(),
            convolution_multiplications(28),
            (1,),
            {"product": 0.65, "linen loop": 2.0, "PyTorch loop": 2.0, "torch.func": 2.0},
        ),
    ]


def ours(work: Workload, width: int | None) -> Contender:
    """`oracles.train` in memory: plans, training, logits, digests."""

    def run(models: int) -> object:
        return oracles.train(
            work.scenario, "nothing", stream="benchmark", models=models, seed=0, width=width
        )

    return run


def plan_of(work: Workload, model: int) -> np.ndarray:
    """Batches of one model in epochs, drawn by NumPy as a careful user would."""
    learner, examples = work.scenario.learner, len(work.scenario.train)
    epochs = -(-learner.steps * learner.batch // examples)
    rng = np.random.default_rng((0, model))
    order = rng.permuted(np.tile(np.arange(examples, dtype=np.int32), (epochs, 1)), axis=1)
    return order.ravel()[: learner.steps * learner.batch].reshape(learner.steps, learner.batch)


def linen_loop(work: Workload) -> Contender:
    """A jitted flax.linen step called from Python, for one model after the other."""
    data, optimiser = work.scenario.train, optax.sgd(RATE, momentum=MOMENTUM)
    start = work.plain.init(jax.random.key(0), data.inputs[:1])

    @jax.jit
    def step(params: Any, state: Any, inputs: Any, labels: Any) -> Any:
        def loss(params: Any) -> Any:
            logits = work.plain.apply(params, inputs)
            return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

        updates, state = optimiser.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    def run(models: int) -> object:
        params: Any = None
        for model in range(models):
            params, state = start, optimiser.init(start)
            for index in plan_of(work, model):
                params, state = step(params, state, data.inputs[index], data.labels[index])
        return jax.block_until_ready(params)

    return run


def torch_module(work: Workload) -> Any:
    """The plain module in PyTorch."""
    import torch

    if isinstance(work.plain, PlainConvNet):
        side = work.scenario.train.inputs.shape[1]
        return torch.nn.Sequential(
            torch.nn.Unflatten(1, (1, side)),
            torch.nn.Conv2d(1, 16, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(16, 32, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(32 * side * side, 10),
        )
    assert isinstance(work.plain, PlainMLP)
    widths = (work.scenario.train.inputs.shape[1], *work.plain.features)
    layers: list[Any] = []
    for into, out in zip(widths, widths[1:], strict=False):
        layers += [torch.nn.Linear(into, out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def torch_loop(work: Workload) -> Contender:
    """A PyTorch loop, for one model after the other."""
    import torch

    inputs = torch.from_numpy(work.scenario.train.inputs)
    labels = torch.from_numpy(work.scenario.train.labels).long()

    def run(models: int) -> object:
        for model in range(models):
            module = torch_module(work)
            optimiser = torch.optim.SGD(module.parameters(), RATE, momentum=MOMENTUM)
            for index in torch.from_numpy(plan_of(work, model)).long():
                optimiser.zero_grad()
                torch.nn.functional.cross_entropy(module(inputs[index]), labels[index]).backward()
                optimiser.step()
        return None

    return run


def torch_func(work: Workload, chunk: int) -> Contender:
    """torch.func: vmap of grad over stacked models, SGD in place."""
    import torch

    inputs = torch.from_numpy(work.scenario.train.inputs)
    labels = torch.from_numpy(work.scenario.train.labels).long()
    module = torch_module(work)

    def loss(params: Any, inputs: Any, labels: Any) -> Any:
        logits = torch.func.functional_call(module, params, (inputs,))
        return torch.nn.functional.cross_entropy(logits, labels)

    gradient = torch.func.vmap(torch.func.grad(loss))

    def run(models: int) -> object:
        for first in range(0, models, chunk):
            made = [torch_module(work) for _ in range(chunk)]
            params, _ = torch.func.stack_module_state(made)
            params = {name: value.detach() for name, value in params.items()}
            speed = {name: torch.zeros_like(value) for name, value in params.items()}
            plans = np.stack([plan_of(work, first + k) for k in range(chunk)], axis=1)
            for index in torch.from_numpy(plans).long():
                slopes = gradient(params, inputs[index], labels[index])
                for name, slope in slopes.items():
                    speed[name].mul_(MOMENTUM).add_(slope)
                    params[name].sub_(speed[name], alpha=RATE)
        return None

    return run


def chunks(work: Workload, quick: bool) -> tuple[int, ...]:
    """Models a call of torch.func, up to 512 where time and memory allow."""
    if not isinstance(work.plain, PlainConvNet):
        return (8, 32, 128) if quick else (8, 32, 128, 512)
    if quick:
        return (1, 4)
    return (1, 4, 16) if work.title.startswith("W5") else (1, 4, 32, 128, 512)


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process, all its threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def speed(quick: bool, seed: int) -> None:
    """CPU time a model of each contender, and ratios to ours."""
    try:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(seed)
    except ImportError:
        torch = None
        print("note: PyTorch is not installed (dependency group `benchmarks`): not compared\n")
    matrix = jnp.ones((MATRIX, MATRIX), dtype=jnp.float32)
    product = jax.jit(lambda a: a @ a)
    rounds = 3 if quick else 7
    print(f"Speed: CPU ms a model, medians of {rounds} interleaved rounds, one core; ratio: theirs")
    print("over ours at its best width; * marks a target missed. Product: floating-point rate of")
    print(f"ours over that of a float32 product of {MATRIX}x{MATRIX} in the same rounds.\n")
    for work in workloads(quick, seed):
        slow = isinstance(work.plain, PlainConvNet)
        contenders: dict[str, tuple[Contender, int]] = {
            f"ours, width {width}": (ours(work, width), 4 if slow else 32) for width in work.widths
        }
        contenders["linen loop"] = (linen_loop(work), 1 if slow else 2)
        if torch is not None:
            contenders["PyTorch loop"] = (torch_loop(work), 1)
            for chunk in chunks(work, quick):
                contenders[f"torch.func, chunk {chunk}"] = (torch_func(work, chunk), chunk)
        for run, models in contenders.values():
            run(models)
        rates: list[float] = []
        times: dict[str, list[float]] = {name: [] for name in contenders}
        jax.block_until_ready(product(matrix))
        for _ in range(rounds):
            seconds = cpu_seconds(lambda: jax.block_until_ready(product(matrix)))
            rates.append(2 * MATRIX**3 / seconds)
            for name, (run, models) in contenders.items():
                times[name].append(cpu_seconds(lambda run=run, models=models: run(models)) / models)
        medians = {name: float(np.median(found)) for name, found in times.items()}
        best = min((name for name in medians if name.startswith("ours")), key=medians.__getitem__)
        learner = work.scenario.learner
        operations = 2 * work.multiplications * learner.steps * learner.batch
        share = float(np.median(operations / (np.array(times[best]) * np.array(rates))))
        wanted = work.targets.get("product")
        missed = wanted is not None and share < wanted
        rows: list[list[str]] = [
            ["product", "", f"{share:.2f}{'*' if missed else ''}", f"{wanted or ''}"]
        ]
        least = min((n for n in medians if n.startswith("torch.func")), key=medians.get, default="")
        for name, median in medians.items():
            ratio = float(np.median(np.array(times[name]) / np.array(times[best])))
            kind = name.split(",")[0]
            target = work.targets.get(kind) if kind != "torch.func" or name == least else None
            missed = target is not None and ratio < target
            rows.append(
                [
                    name,
                    f"{median * 1e3:.2f}",
                    f"{ratio:.2f}{'*' if missed else ''}",
                    f"{target or ''}",
                ]
            )
        table([f"{work.title}, {learner.steps} steps", "CPU ms", "ratio", "target"], rows)


TINY = """
import sys
from dataclasses import replace
from functools import partial
import optax
from indist import oracles
from oracles.populations._cost import peak_memory
scenario = oracles.scenarios.load("circles", seed=int(sys.argv[3]))
learner = oracles.Learner(oracles.MLP((2,)), partial(optax.sgd, 0.1), steps=5, batch=8)
oracles.train(
    replace(scenario, learner=learner), "nothing", stream="memory", models=int(sys.argv[1]),
    seed=0, directory=sys.argv[2], chunk=128,
)
print(peak_memory() / 2**20)
"""


def memory(quick: bool, seed: int) -> None:
    """Peak resident memory of small and large populations, stored as they are made."""
    sizes = (200, 2000) if quick else (1000, 10_000)
    peaks: list[float] = []
    root = Path(__file__).resolve().parents[1]
    environment = os.environ | {"PYTHONPATH": str(root)}
    for models in sizes:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", TINY, str(models), f"{folder}/p", str(seed)]
            done = subprocess.run(
                command, env=environment, cwd=root, check=True, capture_output=True, text=True
            )
        peaks.append(float(done.stdout.split()[-1]))
    print("Memory: peak resident MiB of a fresh process that trains and stores a population; the")
    print("target is at most 1.1 of the first; * marks a target missed.\n")
    rows = [
        [str(models), f"{peak:.0f}", f"{peak / peaks[0]:.3f}{'*' if peak > 1.1 * peaks[0] else ''}"]
        for models, peak in zip(sizes, peaks, strict=True)
    ]
    table(["models", "MiB", "ratio"], rows)


def flat(quick: bool, seed: int) -> None:
    """CPU time a model of a cheap workload, by size of the population, stored as it is made."""
    scenario = oracles.scenarios.load("circles", seed=seed)
    learner = oracles.Learner(oracles.MLP((8, 2)), _sgd(), steps=50, batch=32)
    cheap = replace(scenario, learner=learner)

    def make(models: int) -> object:
        with tempfile.TemporaryDirectory() as folder:
            return oracles.train(
                cheap, "nothing", stream="flat", models=models, seed=0, directory=f"{folder}/p"
            )

    make(64)
    sizes = (64, 640) if quick else (64, 640, 2500, 10_000)
    each: list[float] = []
    for models in sizes:
        repeats = max(1, sizes[1] // models)
        times = [cpu_seconds(lambda models=models: make(models)) for _ in range(repeats)]
        each.append(float(np.median(times)) / models)
    print("Flat: CPU ms a model, 50 steps of an MLP 2-8-2, stored to a folder\n")
    rows = [
        [str(models), f"{seconds * 1e3:.3f}", f"{seconds / each[0]:.2f}"]
        for models, seconds in zip(sizes, each, strict=True)
    ]
    table(["models", "CPU ms", "ratio"], rows)


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller populations")
    parser.add_argument("--seed", type=int, default=0)
    names = ("speed", "memory", "flat")
    parser.add_argument("--tables", nargs="+", choices=names, default=list(names))
    asked = parser.parse_args()
    for name, show in (("speed", speed), ("memory", memory), ("flat", flat)):
        if name in asked.tables:
            show(asked.quick, asked.seed)


if __name__ == "__main__":
    main()
