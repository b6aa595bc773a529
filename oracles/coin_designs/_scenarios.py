"""Scenarios whose training and forget sets are drawn by coins, and models of all of them."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

import jax
import numpy as np
from jaxtyping import Bool, Int

from estimators.checks import check_seed
from estimators.kinds import check_kind, check_name
from oracles._doors import check_population, check_scenario
from oracles._population import Population
from oracles._probes import Probes
from oracles._scenario import Scenario
from oracles.coin_designs._design import CoinDesign
from oracles.coin_designs._draw import draw_coins
from oracles.coin_designs._training import CoinTraining
from oracles.engines._local import Local
from oracles.engines._width import with_width
from oracles.populations._make import make_shards
from oracles.populations._progress import progress_bar
from oracles.populations._training import population_recipe
from oracles.populations._unlearn import ORACLES, Unlearning, check_learner, unlearner_of
from oracles.storage.shards import Shard, Span, shard_of, stored_arrays
from oracles.unlearners._contract import released
from oracles.unlearners._registry import UNLEARNERS
from oracles.unlearners._retrain import Retrain

Without = Literal["nothing", "forget", "behaviour"]
"""What is left out of D_c: nothing, S_c, or every candidate."""

_STREAMS: Mapping[Without, str] = {
    "nothing": "coins/original",
    "forget": "coins/untraining",
    "behaviour": "coins/unlearning",
}
_FEWEST_FOUND = 10


@dataclass(frozen=True, eq=False)
class CoinScenarios:
    """A design over the behaviour of a scenario, and the scenario that each model has by it.

    Candidates are the examples of B; those of S are the found ones. Model k trains on
    D_c = (D∖B) ∪ {candidates with coin 1} and is to forget S_c, the found ones among them.

    The learner is that of ``base``, made once for all of D and before any coin: no setting of it,
    such as its steps, its batch or bounds of its inputs, is computed from D_c. Do not give the
    scenario of one model another learner with `Scenario.with_learner`, which would make it for D_c:
    give it to ``base``.

    Attributes:
        design: who is in which training set.
        base: the scenario that the candidates are of; its D holds all of them.

    Raises:
        ValueError: when the design is of other candidates than the scenario has.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> worlds = oracles.coins(scenario, seed=1, models=2)
        >>> worlds.design.coins.shape
        (2, 40)
        >>> originals = worlds.train(seed=0)
        >>> unlearned = worlds.unlearn(originals, method="finetune", seed=0, epochs=1)
        >>> seen = unlearned.observe(worlds.probes)
        >>> seen.models, list(seen.ids[:40]) == list(worlds.design.candidates)
        (2, True)
    """

    design: CoinDesign
    base: Scenario

    def __post_init__(self) -> None:
        check_kind(self.design, "design", CoinDesign, "a design, as oracles.coins draws it")
        check_scenario(self.base)
        expected = _names(self.base), _found(self.base).tolist()
        if (self.design.candidates, self.design.found.tolist()) != expected:
            raise ValueError(
                f"design: expected the {len(self.base.behaviour)} candidates of {self.base.name} "
                f"with its forget set, found {len(self.design.candidates)} others"
            )
        made = self.design.scenario
        if made is not None and made.get("digest") != self.base.digest:
            raise ValueError(
                f"design: expected one of {self.base.name} with its data, learner and settings, "
                "found one of another scenario"
            )

    @property
    def models(self) -> int:
        """How many models the design is for."""
        return self.design.models

    @cached_property
    def probes(self) -> Probes:
        """At what all models are observed: every candidate, then the probes of other groups.

        Candidates come in the design's order and under their names there, in the groups ``forget``
        (found) and ``behaviour`` (not found), whether or not a model trained on them. No probe
        depends on a coin.
        """
        probes = self.base.with_forget(self.base.forget).probes
        others = probes.ids[len(self.design.candidates) :]
        return replace(probes, ids=np.array([*self.design.candidates, *others.tolist()]))

    def scenario(self, model: int) -> Scenario:
        """The scenario of one model: D_c in the order of D, S_c, and the candidates in D_c as B.

        Args:
            model: its number, from 0.

        Returns:
            The scenario, with the probes and the learner that all models share.

        Raises:
            ValueError: when there is no such model, or its coins left none of the found candidates
                in D_c, so that there is nothing to forget.
        """
        check_kind(model, "model", int, "the number of a model")
        if not 0 <= model < self.models:
            raise ValueError(f"model: expected 0 to {self.models - 1}, found {model}")
        inside, forget = self.design.in_training[model], self.design.to_forget[model]
        if not forget.any():
            raise ValueError(
                f"model {model}: expected candidates to forget, found none: coins kept out all "
                f"{self.design.found.sum()} that were found; give a scenario where more were"
            )
        kept = self.included("nothing")[model]
        place, candidates = np.cumsum(kept) - 1, _candidates(self.base)
        return replace(
            self.base,
            settings={**self.base.settings, "coins": self.design.commitment, "model": model},
            train=self.base.train.take(kept),
            forget=np.sort(place[candidates[forget]]),
            behaviour=np.sort(place[candidates[inside]]),
            probes=self.probes,
        )

    def included(self, without: Without) -> Bool[np.ndarray, "models train"]:
        """Whether each model trains on each example of D, with some of them left out.

        Args:
            without: ``nothing``: D_c; ``forget``: D_c∖S_c; ``behaviour``: D∖B for all models.
        """
        check_name(without, "without", get_args(Without))
        by_coins = {
            "nothing": self.design.in_training,
            "forget": self.design.in_training & ~self.design.found,
            "behaviour": np.zeros_like(self.design.in_training),
        }
        included = np.ones((self.models, len(self.base.train)), dtype=bool)
        included[:, _candidates(self.base)] = by_coins[without]
        return included

    def train(self, without: Without = "nothing", *, seed: int) -> Population:
        """Trains all K models, in one compiled program.

        Model k depends on its examples, the seed and k alone: those without ``forget`` on no coin
        of a found candidate, and those without ``behaviour`` on no coin, not by a single bit.

        Args:
            without: ``nothing``: the originals, trained on D_c; ``forget``: exact retraining on
                D_c∖S_c; ``behaviour``: exact retraining on D∖B.
            seed: of the models' keys, chosen without looking at the coins.

        Returns:
            K models, observed at ``probes``.

        Raises:
            ValueError: for an unknown ``without``, or a bad seed.
        """
        check_name(without, "without", get_args(Without))
        return self._trained(without, _STREAMS[without], check_seed(seed))

    def _trained(self, without: Without, stream: str, seed: int) -> Population:
        world = replace(self.base, probes=self.probes)
        task = CoinTraining(
            world,
            without,
            "resampled",
            stream,
            seed,
            1,
            self.included(without),
            self.design.commitment,
        )
        task = with_width(task, None, models=self.models)
        made = make_shards(task, models=self.models, directory=None, resume=False, engine=Local())
        return Population(made.recipe, world.learner, self.probes, made.shards)

    def unlearn(
        self, originals: Population, *, method: str, seed: int, **settings: Any
    ) -> Population:
        """Unlearns S_c from each original, one after the other.

        Unlearners are compiled anew for each pair of sizes of S_c and R_c, which takes 1 to 4
        seconds a model: 20 models of ``digits-random-labels`` took 32 s by ``finetune``, 57 s by
        ``ssd``, 64 s by ``npo``, 73 s by ``salun`` and 86 s by ``scrub`` on a busy machine of two
        cores, where unlearning itself takes 0.02 s a model. The two methods that are nothing but
        training, ``retrain`` and the oracle ``retrain-behaviour``, run in one program for all
        models, in 2 s.

        Args:
            originals: K models, as `train` makes them.
            method: a key of `oracles.unlearners.UNLEARNERS`, or of `oracles.ORACLES`.
            seed: of the unlearner's own randomness, chosen without looking at the coins.
            **settings: settings of the method, such as ``learning_rate=0.02``.

        Returns:
            K models, observed at ``probes``.

        Raises:
            ValueError: for originals of another design, an unknown method or setting, or a model
                with nothing to forget.
        """
        seed = check_seed(seed)
        check_population(originals, "originals")
        made = originals.recipe
        if (made.get("coins"), made.get("excluded")) != (self.design.commitment, "nothing"):
            raise ValueError("originals: expected models that this design's train() made of D_c")
        check_name(method, "method", [*UNLEARNERS, *ORACLES])
        if method in ORACLES:
            if settings:
                raise ValueError(f"{method}: takes no settings, found {next(iter(settings))!r}")
            return self._trained("behaviour", f"unlearn/{method}", seed)
        unlearner = unlearner_of(method, settings)
        check_learner(method, unlearner, self.base)
        if isinstance(unlearner, Retrain):
            return self._trained("forget", f"unlearn/{method}", seed)
        return self._unlearned(originals, method, unlearner, seed)

    def _unlearned(
        self, originals: Population, method: str, unlearner: Any, seed: int
    ) -> Population:
        worlds = [self.scenario(k) for k in range(self.models)]
        learner = released(unlearner, self.base.learner)

        def made(model: int) -> Shard:
            task = Unlearning(worlds[model], originals, method, unlearner, seed, 1)
            own = jax.tree.map(lambda leaf: leaf[0], task.arguments(np.array([model])))
            params, logits = jax.tree.map(
                lambda leaf: np.asarray(leaf)[None], jax.jit(task.program())(own, task.shared())
            )
            # A shard a model, as some methods release S with it, which differs in size.
            return shard_of(Span(model, model + 1), stored_arrays(params, logits))

        shards: list[Shard] = []
        title = f"{method} ({self.base.name})"
        # Nearly all of the time is compilation, and the command makes a device of each core.
        threads = jax.local_device_count()
        with (
            progress_bar(title, self.models) as advance,
            ThreadPoolExecutor(threads) as pool,
        ):
            for shard in pool.map(made, range(self.models)):
                shards.append(shard)
                advance(1)
        recipe = population_recipe(self.base, seed, f"unlearn/{method}", 1) | {
            "method": method,
            "method_settings": asdict(unlearner),
            "original": dict(originals.recipe),
            "coins": self.design.commitment,
        }
        return Population(recipe, learner, self.probes, tuple(shards))


def coins(
    scenario: Scenario,
    *,
    seed: int | None = None,
    models: int = 1,
    shared: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> CoinScenarios:
    """Draws coins for the behaviour of a scenario: who of B is in the training set.

    Candidates are the examples of B, those of S are the found ones, and all models have D∖B.

    Args:
        scenario: the scenario; its learner is made for all of D, and no part of it for D_c.
        seed: of the coins, for tests, demonstrations and studies: see `draw_coins`.
        models: K, how many models are to be trained.
        shared: whether all of them are trained on one draw; otherwise each has coins of its own.
        settings: what the audit will use: see `draw_coins`.

    Returns:
        Design and scenarios.

    Raises:
        ValueError: when S has fewer than 10 examples: of so few, coins would often leave none to
            forget, and no audit could show much.

    Example:
        >>> from indist import oracles
        >>> worlds = oracles.coins(oracles.scenarios.load("digits-trigger", seed=0), seed=0)
        >>> world = worlds.scenario(0)
        >>> bool(len(world.train) == 1297 - 60 + worlds.design.coins.sum())
        True
    """
    if seed is not None:
        seed = check_seed(seed)
    check_scenario(scenario)
    if len(scenario.forget) < _FEWEST_FOUND:
        raise ValueError(
            f"{scenario.name}: expected at least {_FEWEST_FOUND} examples in the forget set, found "
            f"{len(scenario.forget)}: of so few, coins would often leave none to forget"
        )
    order = _candidates(scenario)
    probes = scenario.with_forget(scenario.forget).probes
    details = {"label": [str(label) for label in scenario.train.labels[order]]}
    if probes.persons is not None:
        details["person"] = probes.persons[: len(order)].tolist()
    design = draw_coins(
        _names(scenario),
        found=_found(scenario),
        models=models,
        shared=shared,
        seed=seed,
        settings=settings,
        details=details,
        scenario=scenario.description,
    )
    return CoinScenarios(design, scenario)


def _candidates(scenario: Scenario) -> Int[np.ndarray, " candidates"]:
    """Indices into D of the candidates: S, then the rest of B, as `Scenario.with_forget` does."""
    unseen = np.setdiff1d(scenario.behaviour, scenario.forget)
    return np.concatenate([np.sort(scenario.forget), unseen])


def _found(scenario: Scenario) -> Bool[np.ndarray, " candidates"]:
    return np.arange(len(scenario.behaviour)) < len(scenario.forget)


def _names(scenario: Scenario) -> tuple[str, ...]:
    return tuple(f"train/{index:05d}" for index in _candidates(scenario).tolist())
