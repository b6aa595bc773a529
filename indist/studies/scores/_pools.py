"""Pools of models from which a perfect unlearner and bad ones are drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float

import oracles
from indist.studies._cells import finished_cell
from indist.studies.scores._score_forms import Case, SeenModels, attacked

SCENARIO = "circles"
PARTIAL = "neggrad"
BAD: Mapping[str, tuple[str, ...]] = {
    "untraining": ("identity", "half", PARTIAL),
    "unlearning": ("identity", "half", PARTIAL, "retrain"),
}
"""Bad unlearners of each question: nothing done; to half of the models; NegGrad+; for unlearning,
exact retraining on D∖S, a perfect answer to the other question."""

_TEACHERS = 16


@dataclass(frozen=True, eq=False)
class Pools:
    """Pools of models, each standing for a population; made when first asked for.

    Attributes:
        folder: where they are kept.
        models: in each pool.
        attacked: how many of them attacks on one model are run against.
        seed: of data and pools; unlearners take the next one.
    """

    folder: Path
    models: int
    attacked: int
    seed: int

    @cached_property
    def scenario(self) -> oracles.Scenario:
        """With S half of B, so that its twin forgets the other half."""
        return oracles.scenarios.load(SCENARIO, seed=self.seed, discovery=0.5)

    @cached_property
    def pools(self) -> dict[str, tuple[SeenModels, SeenModels]]:
        """Each population, and beside it the twin that forgot B∖S; see `Case`."""
        scenario = self.scenario
        rest = np.setdiff1d(scenario.behaviour, scenario.forget)
        twin = scenario.with_forget(rest)
        where = self.folder / "pools"
        made = oracles.references(
            scenario,
            models=self.models,
            seed=self.seed,
            directory=where / "references",
            resume=True,
        )
        forgotten = [
            oracles.unlearn(
                asked,
                made.original,
                method=PARTIAL,
                seed=self.seed + 1,
                directory=where / f"{PARTIAL} {name}",
                resume=True,
            )
            for name, asked in (("S", scenario), ("the rest", twin))
        ]
        other = oracles.train(
            twin,
            "forget",
            stream="untraining",
            models=self.models,
            seed=self.seed,
            directory=where / "without the rest",
            resume=True,
        )
        original, never = self._seen(made.original), self._seen(made.unlearning)
        return {
            "identity": (original, original),
            "unlearning": (never, never),
            "untraining": (self._seen(made.untraining), self._twin(other)),
            PARTIAL: (self._seen(forgotten[0]), self._twin(forgotten[1])),
        }

    @cached_property
    def teachers(self) -> Float[np.ndarray, "t probes"]:
        """Margins of models as they are initialised."""
        learner, probes = self.scenario.learner, self.scenario.probes
        keys = jax.random.split(jax.random.key(self.seed), _TEACHERS)
        logits = jax.vmap(
            lambda key: learner.logits(learner.init(key, probes.inputs), probes.inputs)
        )
        seen = oracles.Observations(
            np.asarray(logits(keys)), probes.labels, probes.groups, probes.ids
        )
        return seen.margins

    def _seen(self, population: oracles.Population) -> SeenModels:
        probes = self.scenario.probes
        margins = population.observe(probes).margins
        attacks = finished_cell(
            self.folder / "pools" / "attacks" / f"{population.digest}.json",
            {"population": population.digest, "attacked": self.attacked, "seed": self.seed},
            lambda: {
                name: values.tolist()
                for name, values in attacked(
                    margins[: self.attacked], probes.groups, self.teachers, seed=self.seed
                ).items()
            },
        )
        return SeenModels(margins, {name: np.array(values) for name, values in attacks.items()})

    def _twin(self, population: oracles.Population) -> SeenModels:
        """Twins are asked for their margins alone."""
        return SeenModels(population.observe(self.scenario.probes).margins, {})

    def cases(self, question: str, size: int, rng: np.random.Generator) -> Iterator[Case]:
        """The perfect unlearner, then each bad one, all against the same draw of the reference."""
        groups = self.scenario.probes.groups

        def drawn(pool: SeenModels) -> SeenModels:
            return pool.take(rng.integers(len(pool.margins), size=size))

        original, perfect = self.pools["identity"], self.pools[question]
        half = tuple(first.join(second) for first, second in zip(original, perfect, strict=True))
        bad = self.pools | {"half": half, "retrain": self.pools["untraining"]}
        theirs, start = drawn(perfect[0]), drawn(original[0])
        for name in (question, *BAD[question]):
            ours, twins = bad[name]
            yield Case(groups, drawn(ours), drawn(twins), theirs, start)
