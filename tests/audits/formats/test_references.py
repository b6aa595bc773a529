"""References of any format: each format as each reference and as the submission."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oracles
from audits import Audit, ObservedReferences, SubmissionError, audit, load
from audits.formats import as_margins
from oracles import Observations
from tests.audits.formats import samples
from tests.audits.formats.samples import SAMPLES

pytestmark = pytest.mark.usefixtures("torch")

PARTS = ("untraining", "unlearning", "original")


@pytest.fixture(scope="module")
def scenario() -> oracles.Scenario:
    """A scenario at whose probes models are run."""
    probes = samples.net_probes()
    train = oracles.Examples(probes.inputs, probes.labels)
    forget, behaviour = np.arange(2), np.arange(4)
    return oracles.Scenario(
        "net", "net", {}, train, forget, behaviour, probes, samples.CLASSES, samples.net_learner()
    )


def judged(submission: Any, references: ObservedReferences) -> Audit:
    return audit(submission, references, observables=None, seed=0)


def numbers(found: Audit) -> list[tuple[float, ...]]:
    """Every distance, with its bounds."""
    return [
        (row.estimate, row.lower, row.upper)
        for comparison in (found.untraining, found.unlearning)
        for row in comparison.by_observable
    ]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("part", ["submission", *PARTS])
def test_each_format_in_each_place(
    name: str, part: str, scenario: oracles.Scenario, tmp_path: Path
) -> None:
    """Beside observations of the same probes, in memory."""
    path = SAMPLES[name][1](tmp_path)
    runs = SAMPLES[name][0] in ("checkpoint-zip", "state-dicts", "safetensors", "onnx")
    world = scenario if runs else None
    read = ObservedReferences(path, path, scenario=world)
    seen = read.untraining
    assert isinstance(seen, Observations)
    others = {name: seen for name in PARTS if name != part}
    given = others | ({} if part == "submission" else {part: path})
    found = judged(
        load(path) if part == "submission" else seen, ObservedReferences(**given, scenario=world)
    )
    # All are the same models: whatever is between them is nothing.
    assert found.untraining.estimate == found.unlearning.estimate == 0.0


def write(folder: Path, name: str, suffix: str, seen: Observations) -> None:
    """Native observations, or a table."""
    if suffix == ".csv":
        lines = ["model,probe,group,label," + ",".join(f"logit_{c}" for c in range(3))]
        for k, j in np.ndindex(seen.logits.shape[:2]):
            values = ",".join(repr(float(value)) for value in seen.logits[k, j])
            lines.append(f"{k},{seen.ids[j]},{seen.groups[j]},{seen.labels[j]},{values}")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    else:
        seen.save(folder / name)


def some(seed: int, models: int = 5) -> Observations:
    probes = samples.net_probes()
    logits = np.random.default_rng(seed).normal(size=(models, 7, 3)).astype(np.float32)
    return Observations(logits, probes.labels, probes.groups, probes.ids)


@pytest.mark.parametrize("suffix", [".csv", ".safetensors"])
@pytest.mark.parametrize("below", ["", "observations"])
def test_a_folder_of_them(suffix: str, below: str, tmp_path: Path) -> None:
    folder = tmp_path / below
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate(PARTS):
        write(folder, name, suffix, some(seed))
    write(folder, "submission", ".safetensors", some(9))
    read = ObservedReferences.read(tmp_path)
    direct = ObservedReferences(some(0), some(1), some(2))
    mine = some(9)
    assert numbers(judged(mine, read)) == numbers(judged(mine, direct))
    assert read.original is not None


def test_files_of_one_model_each_are_one_population(tmp_path: Path) -> None:
    whole = some(3)
    for k in range(5):
        one = Observations(whole.logits[k : k + 1], whole.labels, whole.groups, whole.ids)
        write(tmp_path, f"run{k}", ".csv", one)
    read = ObservedReferences(f"{tmp_path}/*.csv", some(4))
    assert isinstance(read.untraining, Observations)
    assert np.array_equal(read.untraining.logits, whole.logits)
    paths = sorted(tmp_path.glob("*.csv"))
    assert np.array_equal(ObservedReferences(paths, some(4)).untraining.logits, whole.logits)


@pytest.mark.parametrize("margins", PARTS[:2])
def test_margins_of_one_reduce_all(margins: str) -> None:
    """References of margins alone, beside a submission with labels, and a submission without."""
    full = {"untraining": some(0), "unlearning": some(1)}
    reduced = {name: as_margins(seen) for name, seen in full.items()}
    table = ObservedReferences(**(full | {margins: _submission(reduced[margins])}))
    assert table.margins_only
    found = judged(some(9), table)
    wanted = judged(as_margins(some(9)), ObservedReferences(**reduced))
    assert numbers(found) == numbers(wanted)
    assert any("references hold one number a model" in text for text in found.warnings)


def _submission(seen: Observations) -> Any:
    from audits.submissions._submission import Submission

    return Submission("table", Path("table"), seen.models, None, None, seen, margins_only=True)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("untraining.csv",), "expected references: references.json, .* found no unlearning"),
        ((), "found no untraining"),
        (("untraining.csv", "untraining.safetensors", "unlearning.csv"), "one file or folder of"),
    ],
)
def test_what_is_missing_or_there_twice_is_said(
    files: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    for file in files:
        name, _, suffix = file.partition(".")
        write(tmp_path, name, f".{suffix}", some(0))
    with pytest.raises(SubmissionError, match=message):
        ObservedReferences.read(tmp_path)


def test_models_without_a_scenario_are_refused(tmp_path: Path) -> None:
    path = samples.onnx(tmp_path)
    with pytest.raises(SubmissionError, match="have to be run: give the scenario"):
        ObservedReferences(path, path)
    with pytest.raises(SubmissionError, match="not found"):
        ObservedReferences(tmp_path / "none.csv", path)
    for k in range(2):
        write(tmp_path, f"many{k}", ".csv", some(k))
    with pytest.raises(SubmissionError, match="found 2 populations"):
        ObservedReferences(f"{tmp_path}/many*.csv", path)
