"""The three populations that an audit needs: O = A(D), T = A(D∖S), and A(D∖B)."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.numpy import save

from estimators.checks import check_counts, check_seed
from estimators.kinds import check_name
from oracles._doors import check_scenario
from oracles._named import following_files
from oracles._population import Population, load_population
from oracles._probes import Probes, listed_probes
from oracles._scenario import Scenario
from oracles.engines._by_name import engine as engine_of
from oracles.engines._engine import Engine
from oracles.engines._width import with_width
from oracles.populations._make import CHUNK
from oracles.populations._training import Excluded, Exclusion, Training, train
from oracles.scenarios._registry import load
from oracles.storage._folder import Folder, open_folder, writing
from oracles.storage.files import json_bytes
from oracles.storage.shards import (
    MANIFEST,
    PopulationFolder,
    Shard,
    StoreError,
    check_recipe,
    check_store,
    first_problem,
    read_manifest,
    refuse_difference,
)

_EXCLUDED: Mapping[str, Excluded] = {
    "original": "nothing",
    "untraining": "forget",
    "unlearning": "behaviour",
}
REFERENCES = "references.json"
# Written before it, and the same at every time.
_SCENARIO, _PROBES = "scenario.safetensors", "probes.json"


@dataclass(frozen=True, eq=False)
class References:
    """The original population and both references of one scenario.

    Attributes:
        scenario: the scenario.
        original: O, trained on D.
        untraining: T, trained on D∖S.
        unlearning: trained on D∖B.
    """

    scenario: Scenario
    original: Population
    untraining: Population
    unlearning: Population

    @property
    def probes(self) -> Probes:
        """The probes of the scenario."""
        return self.scenario.probes


class ReferencesManifest(BaseModel):
    """What ``references.json`` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["indist-references"] = "indist-references"
    version: Literal[1] = 1
    scenario: dict[str, Any]
    seed: int = Field(ge=0, strict=True)
    models: int = Field(ge=1)


def references(
    scenario: Scenario,
    *,
    models: int,
    seed: int,
    directory: Folder | Path | str | None = None,
    resume: bool = False,
    engine: str | Engine = "local",
    exclusion: Exclusion = "resampled",
    chunk: int = CHUNK,
    width: int | None = None,
) -> References:
    """Trains the original population and both references.

    The three are independent of one another: equal seeds, other streams. Model k of each depends on
    (scenario, seed, k) alone, so a larger population begins with the models of a smaller one.

    Args:
        scenario: the scenario.
        models: models in each population, at least 1; about 256 decide most audits.
        seed: seed of all three.
        directory: folder to store them in, a path or a URL; None keeps them in memory.
        resume: continue, or add models to, a folder made with the same settings.
        engine: where to train: see `oracles.engines`.
        exclusion: how examples are left out: see `oracles.train`.
        chunk: models a shard, what an interrupted run can lose.
        width: models a device in one compiled program; None takes the default of
            backend and module.

    Returns:
        The references.

    Raises:
        ValueError: when ``models``, ``chunk`` or ``width`` is below 1, or the engine is unknown.
        StoreError: when the folder cannot be used; the first differing setting is named.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> refs = oracles.references(scenario, models=4, seed=0)
        >>> refs.untraining.observe(scenario.probes).logits.shape[0]
        4
    """
    seed = check_seed(seed)
    check_scenario(scenario)
    check_name(exclusion, "exclusion", get_args(Exclusion))
    folder = open_folder(directory) if directory is not None else None
    chosen = engine_of(engine)
    check_counts(models=models)

    def made(name: str) -> Population:
        return train(
            scenario,
            _EXCLUDED[name],
            stream=name,
            models=models,
            seed=seed,
            directory=folder.child(name) if folder else None,
            resume=resume,
            engine=chosen,
            exclusion=exclusion,
            chunk=chunk,
            width=width,
        )

    with writing(folder, shared=not chosen.alone) if folder else nullcontext():
        if folder:
            _open_folder(folder, scenario, models, seed, resume=resume or not chosen.alone)
            for name in _EXCLUDED:
                part = folder.child(name)
                if part.exists(MANIFEST):
                    task = Training(scenario, _EXCLUDED[name], exclusion, name, seed, 1)
                    task = with_width(task, width, models=models, directory=part)
                    check_recipe(part, task.recipe, models)
            # Where a part cannot be added to, the folder stays as it was.
            folder.write(REFERENCES, json_bytes(_manifest(scenario, models, seed).model_dump()))
        return References(scenario, made("original"), made("untraining"), made("unlearning"))


def repair(directory: Folder | Path | str) -> list[Shard]:
    """Takes the damaged shards of stored references off their manifests.

    The next run with ``resume`` makes just those models again, to the same bits.

    Args:
        directory: the folder.

    Returns:
        The damaged shards.

    Raises:
        StoreError: when it is no folder of references, or a manifest itself is damaged.
    """
    folder = open_folder(directory)
    _read_references(folder)
    damaged: list[Shard] = []
    with writing(folder):
        for name in _EXCLUDED:
            part = folder.child(name)
            if part.exists(MANIFEST):
                recipe = read_manifest(part).recipe
                damaged += PopulationFolder(part, recipe, resume=True).drop_damaged()
    return damaged


def load_references(
    directory: Folder | Path | str,
    *,
    learner: str | None = None,
    scenario: str | None = None,
    leave_out_damaged: bool = False,
) -> References:
    """Reads the three populations that `references` or ``indist references`` stored.

    Args:
        directory: the folder, a path or a URL.
        learner: the ``package.module:factory`` that they were made with, if any: code is run only
            where the caller names it, not because a file does.
        scenario: the scenario file that they were made in, where it lies outside the current folder
            or names data outside its own: such files are read only where the caller names it.
        leave_out_damaged: check every shard at once and go on without the damaged ones.

    Returns:
        The references, shards opened only when needed.

    Raises:
        StoreError: when a file is missing or damaged, or the scenario can no longer be rebuilt.
    """
    folder = open_folder(directory)
    manifest = _read_references(folder)
    settings = manifest.scenario.get("settings", {})
    if not isinstance(settings, dict):
        found = type(settings).__name__
        raise StoreError(
            f"{folder}/{REFERENCES}: field scenario.settings: expected an object, found {found}"
        )
    try:
        with following_files(code=learner, scenario=scenario):
            world = load(str(manifest.scenario.get("name")), **settings)
    except (TypeError, ValueError) as error:
        raise StoreError(f"{folder}/{REFERENCES}: field scenario: {error}") from None
    if manifest.scenario.get("digest") != world.digest:
        raise StoreError(
            f"{folder}: was made of other data, sets, probes or learner than {world.name} has "
            "now; put them back, or give another folder"
        )
    refuse_difference(folder, manifest.scenario, world.description)
    parts: list[Population] = []
    for name in _EXCLUDED:
        part = load_population(
            folder.child(name),
            world.learner,
            world.probes,
            leave_out_damaged=leave_out_damaged,
        )
        if part.models != manifest.models and not leave_out_damaged:
            raise StoreError(
                f"{folder.child(name)}: expected {manifest.models} models, found {part.models}; "
                "run indist references again with --resume"
            )
        parts.append(part)
    return References(world, *parts)


def _read_references(folder: Folder) -> ReferencesManifest:
    path = f"{folder}/{REFERENCES}"
    try:
        return ReferencesManifest.model_validate(json.loads(folder.read(REFERENCES)))
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be read ({error.strerror or error}); expected a folder made by indist "
            "references"
        ) from None
    except ValidationError as error:
        raise StoreError(f"{path}: {first_problem(error)}") from None
    except ValueError as error:
        raise StoreError(f"{path}: is not JSON ({error})") from None


def _open_folder(
    folder: Folder, scenario: Scenario, models: int, seed: int, *, resume: bool
) -> None:
    """Starts a folder of references, or checks that an old one has the same settings."""
    if check_store(folder, REFERENCES, "references", resume=resume, own=(_SCENARIO, _PROBES)):
        old = _read_references(folder)
        new = _manifest(scenario, models, seed)
        refuse_difference(
            folder, old.model_dump(exclude={"models"}), new.model_dump(exclude={"models"})
        )
        if old.models > models:
            raise StoreError(
                f"{folder}: was made for {old.models} models a population; ask for at least that"
            )
    else:
        _write_scenario(folder, scenario)


def _manifest(scenario: Scenario, models: int, seed: int) -> ReferencesManifest:
    return ReferencesManifest(scenario=scenario.description, seed=seed, models=models)


def _write_scenario(folder: Folder, scenario: Scenario) -> None:
    """Data, sets and probes as plain arrays, for those who unlearn with other tools."""
    probes = scenario.probes
    arrays = {
        "train_inputs": scenario.train.inputs,
        "train_labels": scenario.train.labels,
        "forget": scenario.forget,
        "probe_inputs": probes.inputs,
        "probe_labels": probes.labels,
    }
    packed = save({name: np.ascontiguousarray(value) for name, value in arrays.items()})
    folder.write(_SCENARIO, packed)
    folder.write(_PROBES, json_bytes(listed_probes(probes)))
