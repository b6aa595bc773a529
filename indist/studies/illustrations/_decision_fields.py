"""What models think of each point of the plane, in the scenario of two circles."""

import numpy as np

import audits
import oracles
from indist.studies._rows import Record
from indist.studies.illustrations._sources import Work

METHODS = ("finetune", "neggrad", "scrub", "npo", "ssd")
POPULATIONS = ("original", "untraining", "unlearning")
SIDE = 33
# Round steps, so that the numbers beside the figure are short.
X, Y = np.arange(SIDE) / 10 - 0.1, np.arange(SIDE) / 10 - 1.6
POINT = "training example"
"""In the place of a population's name: the row is an example of B."""


def numbers(work: Work) -> list[Record]:
    """A row a grid point and population, and one a training example of B.

    Returns:
        ``population``, ``verdict`` (of an audit at ε = 1 and tolerance 0.2; none for references),
        ``x``, ``y``, ``circle`` (mean over models of the probability of a circle), ``group`` (of a
        training example).
    """
    references = work.references("circles")
    grid = np.stack(np.meshgrid(X, Y), axis=-1).reshape(-1, 2)
    plane = oracles.Probes.join(
        [("test", oracles.Examples(grid.astype(np.float32), np.zeros(len(grid), np.int32)))]
    )
    shown = {name: (getattr(references, name), "") for name in POPULATIONS}
    for method in METHODS:
        submission = work.unlearned(references, method)
        shown[method] = submission, audits.audit(submission, references, observables=None).verdict
    rows: list[Record] = []
    for name, (population, verdict) in shown.items():
        logits = population.observe(plane).logits.astype(np.float64)
        circle = (1 / (1 + np.exp(logits[..., 1] - logits[..., 0]))).mean(axis=0)
        rows += [
            {"population": name, "verdict": verdict, "x": x, "y": y, "circle": p}
            for (x, y), p in zip(
                np.round(grid, 1).tolist(), np.round(circle, 3).tolist(), strict=True
            )
        ]
    scenario = references.scenario
    for group, members in (
        ("forget", scenario.forget),
        ("behaviour", np.setdiff1d(scenario.behaviour, scenario.forget)),
    ):
        rows += [
            {"population": POINT, "x": float(x), "y": float(y), "group": group}
            for x, y in scenario.train.inputs[members]
        ]
    return rows
