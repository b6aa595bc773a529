"""Populations that are Gaussian by construction, so that their true distances are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

import oracles
from indist.studies.scores._score_forms import SeenModels, attacked

SCENARIO, LEARNER = "logistic-3v8", "descent-to-delete"
_WHOLE = 1_000_000  # A batch of everything there is, so that nothing is drawn at random.

METHODS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "identity": ("identity", {}),
    "finetune, weak": ("finetune", {"learning_rate": 0.3, "batch": _WHOLE}),
    "finetune, strong": ("finetune", {"learning_rate": 1.0, "batch": _WHOLE}),
    "neggrad, weak": ("neggrad", {"learning_rate": 0.3, "alpha": 0.8, "batch": _WHOLE}),
    "neggrad, strong": ("neggrad", {"learning_rate": 1.0, "batch": _WHOLE}),
    "gradient-ascent, weak": ("gradient-ascent", {"learning_rate": 0.1}),
    "gradient-ascent, medium": ("gradient-ascent", {"learning_rate": 0.2}),
    "gradient-ascent, strong": ("gradient-ascent", {"learning_rate": 0.3}),
    "descent-to-delete, 1 step": ("descent-to-delete", {"iterations": 1}),
    "descent-to-delete, 3 steps": ("descent-to-delete", {"iterations": 3}),
}
"""Unlearners without randomness of their own, at several strengths."""

EXACT: Mapping[str, tuple[float, float, float]] = {
    "retrain on D∖S": (0.0, 1.0, 0.0),
    "retrain on D∖B": (0.0, 0.0, 1.0),
    "half-way from A(D) to A(D∖B)": (0.5, 0.0, 0.5),
    "half-way from A(D∖S) to A(D∖B)": (0.0, 0.5, 0.5),
    "half as far again beyond A(D∖B)": (-0.5, 0.0, 1.5),
}
"""Planted algorithms: shares of the secrets of A(D), A(D∖S) and A(D∖B)."""


@dataclass(frozen=True, eq=False)
class GaussianPopulations:
    """The secrets of all populations, and models drawn around them.

    Attributes:
        folder: where the minima are kept.
        models: in each population.
        attacked: how many of them attacks on one model are run against.
        shift: μ of the original from A(D∖B).
        seed: of the data, and of the attacks.
    """

    folder: Path
    models: int
    attacked: int
    shift: float
    seed: int

    @cached_property
    def scenario(self) -> oracles.Scenario:
        """Half of B was found; the learner is that of descent-to-delete."""
        plain = oracles.scenarios.load(SCENARIO, seed=self.seed, discovery=0.5)
        return plain.with_learner(LEARNER)

    @property
    def groups(self) -> np.ndarray:
        """The group of each probe."""
        return self.scenario.probes.groups

    @cached_property
    def _twin(self) -> oracles.Scenario:
        """The same scenario where the other half of B is to be forgotten."""
        scenario = self.scenario
        return scenario.with_forget(np.setdiff1d(scenario.behaviour, scenario.forget))

    @cached_property
    def secrets(self) -> dict[str, Float[np.ndarray, " features"]]:
        """The minima on D, on D∖S, on D∖B, and on D without the rest of B."""
        made = oracles.references(
            self.scenario,
            models=1,
            seed=self.seed,
            directory=self.folder / "references",
            resume=True,
        )
        rest = oracles.train(
            self._twin,
            "forget",
            stream="untraining",
            models=1,
            seed=self.seed,
            directory=self.folder / "without the rest",
            resume=True,
        )
        return {
            "original": _secret(made.original),
            "untraining": _secret(made.untraining),
            "unlearning": _secret(made.unlearning),
            "without the rest": _secret(rest),
        }

    @cached_property
    def algorithms(self) -> list[Float[np.ndarray, " features"]]:
        """What each algorithm makes of the original when it forgets S."""
        return self._made(self.scenario, "untraining")

    @cached_property
    def twins(self) -> list[Float[np.ndarray, " features"]]:
        """The same when it forgets B∖S."""
        return self._made(self._twin, "without the rest")

    def _made(self, scenario: oracles.Scenario, without: str) -> list[np.ndarray]:
        index = (scenario.forget, scenario.excluding(scenario.forget))
        sets = [
            (jnp.asarray(part.inputs), jnp.asarray(part.labels))
            for part in map(scenario.train.take, index)
        ]
        start = jnp.asarray(self.secrets["original"], jnp.float32)
        made: list[np.ndarray] = []
        for method, settings in METHODS.values():
            kind: Any = oracles.unlearners.UNLEARNERS[method]
            whole = {"batch": min(_WHOLE, len(index[1]))} if "batch" in settings else {}
            after = kind(**dict(settings) | whole)(
                scenario.learner, {"weights": start, "secret": start}, *sets, jax.random.key(0)
            )
            # What descent-to-delete publishes has its noise already; the others leave no secret.
            found = after["secret" if method == LEARNER else "weights"]
            made.append(np.asarray(found, dtype=np.float64))
        ends = np.stack([self.secrets[name] for name in ("original", without, "unlearning")])
        return made + [np.array(shares) @ ends for shares in EXACT.values()]

    @cached_property
    def sigma(self) -> float:
        """Standard deviation of the noise at publication."""
        gap = self.secrets["original"] - self.secrets["unlearning"]
        return float(np.linalg.norm(gap)) / self.shift

    def apart(
        self, first: Float[np.ndarray, " features"], second: Float[np.ndarray, " features"]
    ) -> float:
        """μ between the populations around two secrets."""
        return float(np.linalg.norm(first - second)) / self.sigma

    @cached_property
    def _rows(self) -> Float[np.ndarray, "probes features"]:
        """The log-odds of a probe's label are this row's product with the weights."""
        probes = self.scenario.probes
        rows = probes.inputs.reshape(len(probes), -1).astype(np.float64)
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1.0)
        return np.where(probes.labels == 1, 1.0, -1.0)[:, None] * rows

    def margins(
        self, secret: Float[np.ndarray, " features"], rng: np.random.Generator
    ) -> Float[np.ndarray, "models probes"]:
        """Of fresh models of the population around a secret."""
        noise = rng.normal(size=(self.models, len(secret)))
        return (secret + self.sigma * noise) @ self._rows.T

    def drawn(self, secret: Float[np.ndarray, " features"], rng: np.random.Generator) -> SeenModels:
        """Fresh models, the first of them attacked; the module begins at zero, as its teacher."""
        margins = self.margins(secret, rng)
        teacher = np.zeros((1, margins.shape[1]))
        few = margins[: self.attacked]
        return SeenModels(margins, attacked(few, self.groups, teacher, seed=self.seed))


def _secret(population: oracles.Population) -> Float[np.ndarray, " features"]:
    return np.asarray(population.parameters()["secret"][0], dtype=np.float64)
