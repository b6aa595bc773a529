"""A folder of parameters: run on the references' probes, and refused when it does not fit."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from audits import Limits, ObservedReferences, SubmissionError, audit, load
from audits.submissions._submission import Submission
from indist import oracles
from oracles.storage.digests import digest_arrays
from tests.oracles.conftest import quick


@pytest.fixture(scope="module")
def references() -> oracles.References:
    return oracles.references(quick(oracles.scenarios.load("circles", seed=0)), models=6, seed=0)


@pytest.fixture(scope="module")
def made(references: oracles.References, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("submission") / "mine"
    oracles.unlearn(
        references.scenario, references.original, method="finetune", seed=1, directory=folder
    )
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "mine"))


def observe(submission: Submission, references: oracles.References) -> oracles.Observations:
    scenario = references.scenario
    return submission.observe(scenario.probes, learner=scenario.learner, scenario=scenario.digest)


def shard_in(folder: Path) -> Path:
    (shard,) = folder.glob("*.safetensors")
    return shard


def rewrite(folder: Path, change: Any) -> None:
    """Changes the arrays of the first shard, and the manifest's digest with them."""
    file = shard_in(folder)
    arrays = {name: value.copy() for name, value in load_file(file).items()}
    change(arrays)
    save_file(arrays, file)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["shards"][0]["digest"] = digest_arrays(arrays)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def edit(folder: Path, **fields: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text()) | fields
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_folder_is_what_it_was_in_memory(made: Path, references: oracles.References) -> None:
    found = load(made)
    assert (found.name, found.models, found.method, found.seeds) == ("mine", 6, "finetune", 1)
    again = oracles.unlearn(references.scenario, references.original, method="finetune", seed=1)
    assert observe(found, references).digest == again.observe(references.probes).digest


def test_logits_are_made_from_the_parameters_when_there_are_none(
    folder: Path, references: oracles.References
) -> None:
    stored = observe(load(folder), references)
    rewrite(folder, lambda arrays: arrays.pop("logits"))
    np.testing.assert_allclose(
        observe(load(folder), references).logits, stored.logits, rtol=1e-4, atol=1e-4
    )


def test_an_audit_names_what_it_audited(made: Path, references: oracles.References) -> None:
    found = audit(load(made), references, seed=0)
    provenance = found.provenance
    assert (provenance.submission, provenance.method) == ("mine", "finetune")
    assert provenance.scenario == "circles"
    assert provenance.settings["seed"] == 0
    assert provenance.seeds == {"submission": 1, "original": 0, "untraining": 0, "unlearning": 0}
    assert set(provenance.parameters) == {"submission", "original", "untraining", "unlearning"}
    again = oracles.unlearn(references.scenario, references.original, method="finetune", seed=1)
    assert provenance.parameters["submission"] == again.digest
    subjects = found.certificate().subject
    assert [one.name for one in subjects] == ["observations", "parameters"]
    assert found.verdict == "inconclusive"


def test_a_population_can_be_audited_against_observed_references(
    references: oracles.References,
) -> None:
    seen = [
        getattr(references, name).observe(references.probes)
        for name in ("untraining", "unlearning", "original")
    ]
    found = audit(references.original, ObservedReferences(*seen), seed=0)
    assert found.provenance.scenario is None
    assert found.provenance.parameters["submission"] == references.original.digest


def test_a_folder_needs_references_that_hold_models(
    made: Path, references: oracles.References
) -> None:
    seen = references.untraining.observe(references.probes)
    with pytest.raises(SubmissionError, match="mine: expected references that hold models"):
        audit(load(made), ObservedReferences(seen, seen), seed=0)


def test_logits_that_are_not_the_parameters_own_are_refused(
    folder: Path, references: oracles.References
) -> None:
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["logits"][4] += 1.0

    rewrite(folder, change)
    with pytest.raises(
        SubmissionError,
        match=r"array 'logits': expected what the parameters give, found other numbers in model 4",
    ):
        observe(load(folder), references)


def test_parameters_that_are_not_finite_are_refused(
    folder: Path, references: oracles.References
) -> None:
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["params/kernel_0"][2, 0, 0] = np.nan

    rewrite(folder, change)
    with pytest.raises(
        SubmissionError,
        match=r"array 'params/kernel_0': expected finite numbers, found NaN .* in model 2 \(1 of 6",
    ):
        observe(load(folder), references)


def rename(arrays: dict[str, np.ndarray]) -> None:
    arrays["params/weights"] = arrays.pop("params/kernel_1")


def cut(arrays: dict[str, np.ndarray]) -> None:
    arrays["params/kernel_0"] = np.ascontiguousarray(arrays["params/kernel_0"][:, :-1])


def add(arrays: dict[str, np.ndarray]) -> None:
    arrays["params/scale"] = np.ones((6, 1), np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename, "expected the parameters of the learner, found no 'params/kernel_1'"),
        (cut, r"found 'params/kernel_0' of shape \[7, 2\] a model where \[8, 2\] was expected"),
        (add, "found the unknown 'params/scale'"),
    ],
)
def test_parameters_of_another_learner_are_refused(
    folder: Path, references: oracles.References, change: Any, message: str
) -> None:
    rewrite(folder, change)
    with pytest.raises(SubmissionError, match=message):
        observe(load(folder), references)


def test_arrays_of_other_names_are_refused(folder: Path) -> None:
    rewrite(folder, lambda arrays: arrays.update(more=np.ones((6, 1), np.float32)))
    with pytest.raises(SubmissionError, match="array 'more': expected logits or a name that"):
        load(folder)


def test_the_models_come_first(folder: Path) -> None:
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["params/bias_0"] = arrays["params/bias_0"][:5].copy()

    rewrite(folder, change)
    with pytest.raises(SubmissionError, match=r"'params/bias_0': expected 6 models first, found"):
        load(folder)


def test_another_scenario_is_refused(folder: Path) -> None:
    other = oracles.references(quick(oracles.scenarios.load("circles", seed=1)), models=2, seed=0)
    with pytest.raises(
        SubmissionError,
        match="field recipe.scenario: expected the scenario of the references, found another",
    ):
        observe(load(folder), other)


def test_numbers_that_were_changed_are_refused(
    folder: Path, references: oracles.References
) -> None:
    arrays = load_file(shard_in(folder))
    save_file({name: value * 2 for name, value in arrays.items()}, shard_in(folder))
    with pytest.raises(SubmissionError, match="its numbers differ from the manifest's digest"):
        observe(load(folder), references)


def test_truncated_shards_are_refused(folder: Path) -> None:
    file = shard_in(folder)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(SubmissionError, match=r"safetensors: expected .* \(truncated\?\)"):
        load(folder)
    file.unlink()
    with pytest.raises(SubmissionError, match="safetensors: cannot be read"):
        load(folder)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"version": 2}, "field version: expected 1, found 2; a newer indist may read it"),
        ({"format": "zip"}, "field format: expected 'indist-population', found 'zip'"),
        ({"more": 1}, "field more: Extra inputs are not permitted, found 1"),
        ({"recipe": None}, "field recipe: expected an object, found None"),
        ({"shards": []}, "field shards: expected at least one shard, found none"),
        (
            {"shards": [{"file": "../x.safetensors", "start": 0, "stop": 6, "digest": "0" * 64}]},
            "field shards.0.file: String should match pattern",
        ),
    ],
)
def test_manifests_that_are_wrong(folder: Path, fields: dict[str, Any], message: str) -> None:
    edit(folder, **fields)
    with pytest.raises(SubmissionError, match=message) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_limits_hold(folder: Path) -> None:
    with pytest.raises(SubmissionError, match="expected at most 5 models, found 6"):
        load(folder, limits=Limits(models=5))
    with pytest.raises(SubmissionError, match="expected at most 99 bytes of numbers"):
        load(folder, limits=Limits(array_bytes=99))


def test_a_filtered_population_is_run_with_its_filter(tmp_path: Path) -> None:
    """Output suppression hands in more than parameters: the same numbers from disk."""
    scenario = oracles.scenarios.load(
        "circles", seed=0, learner="mlp", learner_settings={"steps": 9}
    )
    refs = oracles.references(scenario, models=4, seed=0)
    folder = tmp_path / "filtered"
    made = oracles.unlearn(
        scenario, refs.original, method="output-suppression", seed=1, directory=folder
    )
    read = load(folder)
    seen = read.observe(scenario.probes, learner=scenario.learner, scenario=scenario.digest)
    assert seen.digest == made.observe(scenario.probes).digest
    assert not np.array_equal(seen.logits, refs.original.observe(scenario.probes).logits)
    moved = read.observe(scenario.probes, learner=scenario.learner, scenario=None)
    np.testing.assert_allclose(moved.logits, seen.logits, atol=1e-4)


@pytest.mark.parametrize("method", ["sisa", "summation-form", "descent-to-delete"])
def test_populations_of_special_learners_are_read_back(method: str, tmp_path: Path) -> None:
    """Their parameters are counts, keys and secrets beside weights."""
    settings = {"sisa": {"steps": 9, "hidden": 4}}.get(method, {})
    learner = oracles.unlearners.UNLEARNERS[method].learner
    world = oracles.scenarios.load("circles", seed=0).with_learner(learner, **settings)
    refs = oracles.references(world, models=3, seed=0)
    folder = tmp_path / "made"
    made = oracles.unlearn(world, refs.original, method=method, seed=1, directory=folder)
    seen = load(folder).observe(world.probes, learner=world.learner, scenario=world.digest)
    assert seen.digest == made.observe(world.probes).digest
