"""What `verify` recomputes, what it compares, and what it says it cannot know."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audits import (
    CertificateError,
    GroupMedians,
    ObservedReferences,
    SubmissionError,
    audit,
    audit_single,
    llm,
    load,
    score,
    verification,
    verify,
)
from audits.report._folder import RECORDS
from audits.scores import _measures, _scoreboard
from audits.verification._differences import same
from oracles import Observations
from tests.audits.conftest import World
from tests.audits.llm.files import log
from tests.audits.test_certificate import GOLDEN, small_audit

Make = Callable[[Path], None]
KINDS = ("certificate.json", "single.json", "logs.json", "scores.json")


@pytest.fixture(scope="module", autouse=True)
def _few_scores() -> Any:
    names = ("accuracy", "KLoM", "ZRF", "U-LiRA TPR")
    kept = tuple(one for one in _measures.RECIPES if one.name.startswith(names))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scoreboard, "RECIPES", kept)
        yield


def logs(name: str, count: int, first: int) -> list[llm.LLMLog]:
    rngs = [np.random.default_rng(first + k) for k in range(count)]
    return [log(f"{name}{k}", {"loss": rng.normal(size=30)}) for k, rng in enumerate(rngs)]


@pytest.fixture(scope="module")
def folders(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of each kind of result, by the name of its record."""
    where = {name: tmp_path_factory.mktemp("results") / name.split(".")[0] for name in KINDS}
    small_audit(world).report(where["certificate.json"])
    few = {"groups": ("forget", "test"), "probes": 2}
    refs = ObservedReferences(*(world(k, models=24, **few) for k in (1, 2)))
    audit_single(world(3, models=1, **few), refs).report(where["single.json"])
    compared = llm.compare(
        logs("m", 2, 10), untraining=logs("t", 3, 20), unlearning=logs("u", 3, 30), seed=1
    )
    compared.report(where["logs.json"])
    refs = ObservedReferences(*(world(k, models=12) for k in (1, 2, 4)))
    score(world(3, models=12), refs, seed=2).report(where["scores.json"])
    return where


def changed(folder: Path, to: Path, *path: str | int, value: Any) -> Path:
    """A copy of the folder with one value of its record changed; the record."""
    shutil.copytree(folder, to / folder.name)
    record = next(to / folder.name / name for name in RECORDS if (folder / name).exists())
    content = json.loads(record.read_text())
    part = content
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    record.write_text(json.dumps(content))
    return record


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_verified_by_what_it_holds(folders: dict[str, Path], kind: str) -> None:
    found = verification(folders[kind])
    assert found.differences == ()
    assert found.path.name == kind
    said = " ".join(str(found).split())
    assert "no difference found - Recomputed, and equal: " in said
    assert "- Not recomputed, the auditor's word alone: that " in said
    assert "; versions (indist " in said
    names = {str(p.relative_to(folders[kind])) for p in folders[kind].rglob("*") if p.is_file()}
    assert set(found.unchanged) == names - {kind}
    assert found.absent == ()


@pytest.mark.parametrize(
    ("kind", "path", "value", "message"),
    [
        ("single.json", ("untraining", "pvalue"), 0.5, "untraining.pvalue: certified 0.5"),
        ("single.json", ("untraining", "models"), 24.0, "untraining.models: certified 24.0"),
        ("single.json", ("untraining", "level"), "0.025", "untraining.level: certified '0.025'"),
        ("single.json", ("sentence",), "All is well.", "sentence: certified 'All is well.'"),
        ("single.json", ("provenance", "digests", "submission"), "0" * 64, "provenance.digests"),
        ("single.json", ("more",), 1, "more: certified 1, recomputed nothing"),
        ("logs.json", ("comparisons", 0, "pvalue"), 0.5, "comparisons[0].pvalue: certified 0.5"),
        ("logs.json", ("logs", "submission", 0, "digest"), "0", "logs.submission[0].digest"),
        ("logs.json", ("fit",), "unlearning only", "fit: certified 'unlearning only'"),
        ("scores.json", ("scores", 0, "value"), 0.123, "scores[0].value: certified 0.123"),
        ("scores.json", ("digests", "untraining"), "0", "digests.untraining: certified '0'"),
        (
            "certificate.json",
            ("predicate", "nearest", "difference"),
            None,
            "nearest.difference: certified ",
        ),
        (
            "certificate.json",
            ("subject",),
            [{"name": "observations", "digest": {"sha256": "0" * 64}}],
            "subject[0].digest.sha256: certified '000",
        ),
    ],
)
def test_a_changed_value_is_found(
    folders: dict[str, Path], tmp_path: Path, kind: str, path: Any, value: Any, message: str
) -> None:
    if value is None:
        # The next integer: a seed is not equal up to rounding.
        held = json.loads((folders[kind] / kind).read_text())
        value = held["predicate"]["nearest"]["difference"] + 1
    found = verify(changed(folders[kind], tmp_path, *path, value=value))
    assert any(message in text for text in found), found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("predicate", "version"), True),
        (("predicate", "version"), 2.0),
        (("predicate", "version"), "2"),
        (("predicate", "untraining", "estimate"), "0.5"),
        (("predicate", "untraining", "models_first"), 24.0),
        (("predicate", "untraining", "models_first"), True),
        (("predicate", "least_tolerance"), False),
        (("predicate", "declaration", "calibrated"), 0),
        (("predicate", "declaration", "observables"), "median margin on forget"),
        (("predicate", "files"), {"../report.html": "0" * 64}),
        (("predicate", "files"), {"/etc/passwd": "0" * 64}),
        (("predicate", "populations", 0, "name"), "untraining"),
        (("predicate", "populations", 0, "name"), "elsewhere"),
        (("predicate", "populations"), []),
        (("predicate", "populations", 0, "seeds"), 1.0),
        (("predicate", "populations", 0, "seeds"), [1, True]),
        (("predicate", "provenance", "sizes"), {"train": "1297"}),
        (("predicate", "provenance", "settings"), []),
        (("predicate", "provenance", "settings"), {"seed": 1.0}),
        (("predicate", "provenance", "settings"), {"seed": True}),
        (("predicate", "provenance", "settings"), {"discovery": "0.5"}),
        (("predicate", "provenance", "versions"), {"numpy": 1}),
    ],
)
def test_types_and_names_are_strict_in_a_certificate(
    folders: dict[str, Path], tmp_path: Path, path: Any, value: Any
) -> None:
    record = changed(folders["certificate.json"], tmp_path, *path, value=value)
    with pytest.raises(CertificateError):
        verify(record)


@pytest.mark.parametrize("kind", ["single.json", "logs.json", "scores.json"])
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("version", True, "field version: expected"),
        ("version", 9, "a newer indist may read it"),
        ("confidence", "0.95", "field confidence: expected a valid number, found '0.95'"),
        ("files", {"a/../b": "0" * 64}, "field files: expected paths"),
        ("files", {"report.html": 1}, "field files.report.html: expected a SHA-256"),
        ("files", None, "field files: expected a JSON object"),
    ],
)
def test_types_are_strict_in_other_records(
    folders: dict[str, Path], tmp_path: Path, kind: str, field: str, value: Any, message: str
) -> None:
    record = changed(folders[kind], tmp_path, field, value=value)
    with pytest.raises(SubmissionError, match=message):
        verify(record)


SINGLE = [
    ("submission", 1, "provenance.submission: expected a valid string, found 1"),
    ("method", True, "provenance.method: expected a valid string, found True"),
    ("sizes", {"train": "1297"}, "provenance.sizes.train: expected a valid integer, found '1297'"),
    ("sizes", {"train": -1}, "provenance.sizes.train: expected greater than or equal to 0, found"),
    ("settings", "seed 0", "provenance.settings: expected a valid dictionary"),
    ("settings", {"seed": 1.0}, "provenance.settings.seed: expected a valid integer, found 1.0"),
    ("settings", {"discovery": True}, "provenance.settings.discovery: expected a valid number"),
    ("seeds", {"submission": 1.0}, r"provenance.seeds.submission.*expected a valid integer"),
    ("seeds", {"submission": True}, r"provenance.seeds.submission.*expected .*, found True"),
    ("seeds", {"submission": [1, "2"]}, r"provenance.seeds.submission.*found \[1, '2'\]"),
    ("seeds", {"else": 1}, "provenance.seeds.else"),
    ("parameters", {"submission": "0"}, "provenance.parameters.submission: String should match"),
    ("versions", {"numpy": 1}, "provenance.versions.numpy: expected a valid string, found 1"),
    ("versions", ["2.0"], "provenance.versions: expected a valid dictionary"),
]
WORD: list[tuple[str, tuple[str, ...], Any, str]] = [
    *(("single.json", ("provenance", name), value, message) for name, value, message in SINGLE),
    ("single.json", ("warnings",), "none", "warnings: expected a valid list, found 'none'"),
    ("logs.json", ("versions",), {"scipy": 1}, "versions.scipy: expected a valid string, found 1"),
    ("logs.json", ("seed",), True, "seed: expected a valid integer, found True"),
    ("logs.json", ("cluster",), 0, "cluster: expected greater than or equal to 1, found 0"),
    ("scores.json", ("versions",), None, "versions: expected a valid dictionary, found None"),
    ("scores.json", ("seed",), 2.0, "seed: expected a valid integer, found 2.0"),
    ("scores.json", ("submission",), 1, "submission: expected a valid string, found 1"),
    ("scores.json", ("command",), ["indist"], "command: expected a valid string, found"),
    ("scores.json", ("models",), {"mine": 1}, "models.mine"),
]


@pytest.mark.parametrize(("kind", "path", "value", "message"), WORD)
def test_types_are_strict_where_nothing_is_recomputed(
    folders: dict[str, Path], tmp_path: Path, kind: str, path: Any, value: Any, message: str
) -> None:
    record = changed(folders[kind], tmp_path, *path, value=value)
    with pytest.raises(SubmissionError, match=rf"{kind}: field {message}"):
        verify(record)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the values are that hold no others."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        if isinstance(part, dict | list) and part:
            yield from leaves(part, (*path, key))
        else:
            yield (*path, key)


@pytest.mark.parametrize("kind", KINDS)
def test_no_leaf_may_be_of_another_type(
    folders: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    content = json.loads((folders[kind] / kind).read_text())
    rng = np.random.default_rng(7)
    word = [path for path in leaves(content) if {"provenance", "versions"} & {*path}]
    others = [path for path in leaves(content) if path not in word]
    drawn = rng.choice(len(others), 3, replace=False)
    for count, path in enumerate([*word, *(others[k] for k in drawn)]):
        value = content
        for key in path:
            value = value[key]
        another = 1 if isinstance(value, str) else {"": 0} if value is None else [value]
        record = changed(folders[kind], tmp_path / str(count), *path, value=another)
        try:
            found = verify(record)
        except (SubmissionError, CertificateError) as error:
            found = [str(error)]
        assert found, path


def test_only_numbers_that_are_not_whole_may_differ_by_rounding() -> None:
    assert same(0.1 + 0.2, 0.3)
    assert same(1, 1.0)
    assert not same(1.0, 1)
    assert not same(True, 1)
    assert not same(1, True)
    assert not same(2**32 - 2, 2**32 - 1)
    assert not same("0.3", 0.3)
    assert not same(None, 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_files_beside_the_record_are_compared(
    folders: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    shutil.copytree(folders[kind], tmp_path / "out")
    page = "scores.csv" if kind == "scores.json" else "report.html"
    (tmp_path / "out" / page).write_text("edited")
    found = verification(tmp_path / "out")
    assert found.differences == (f"{page}: changed since {kind} was written: its digest differs",)
    # Somebody may hand on the record and the observations alone.
    (tmp_path / "out" / page).unlink()
    found = verification(tmp_path / "out")
    assert (found.differences, found.absent) == ((), (page,))
    assert f"not there, so not compared: {page}." in " ".join(str(found).split())
    other = "report.html" if kind == "scores.json" else "scores.csv"
    (tmp_path / "out" / other).write_text("of another result")
    assert verify(tmp_path / "out") == [f"{other}: lies beside {kind}, which does not name it"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_recomputed_from_must_lie_beside_the_record(
    folders: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    shutil.copy(folders[kind] / kind, tmp_path)
    with pytest.raises(SubmissionError, match=rf"not found; .* must lie beside {kind}"):
        verify(tmp_path)
    assert verify(tmp_path, observations=folders[kind] / "observations") == []


def test_version_1_is_still_verified(world: World, tmp_path: Path) -> None:
    old = tmp_path / "old"
    small_audit(world, None).report(old)
    seen = old / "observations"
    content = json.loads((old / "certificate.json").read_text())
    # What version 1 had no fields for: it looked at the median margins, with joint bounds.
    assert content["predicate"]["declaration"].pop("looked_at") == []
    assert content["predicate"]["declaration"].pop("seed") is None
    for later in ("looks", "look", "look_confidence", "among", "references_seen"):
        del content["predicate"]["declaration"][later]
    for name in ("untraining", "unlearning", "references"):
        if content["predicate"][name]["forecast"]:
            del content["predicate"][name]["forecast"]["beside"]
    content["predicateType"] = "urn:indist:certificate:1"
    content["predicate"]["version"] = 1
    for later in ("files", "claimed", "progress", "shifts", "mean_distances", "least_alpha"):
        del content["predicate"][later]
    for later in ("sharing", "stands"):
        del content["predicate"][later]
    # Version 1 claimed these on other grounds; they are its word now.
    content["predicate"]["nearest"] |= {"low": -1.0, "high": 1.0, "confidence": 0.95, "seed": 1}
    content["predicate"]["over_unlearned"] = {"flag": True, "pvalue": 0.01, "group": "forget"}
    (tmp_path / "certificate.json").write_text(json.dumps(content))
    found = verification(tmp_path, observations=seen)
    assert found.differences == ()
    assert "report.html and report.md, which version 1 does not name" in found.declared
    assert any(text.startswith("the nearer reference and whether") for text in found.declared)
    assert not any("progress" in text for text in found.recomputed)
    # The golden one is of bounds that were improved since: only they differ, and it says so.
    versions, *others = verify(GOLDEN, observations=seen)
    assert versions.startswith("versions: certified by indist 0, recomputed by indist ")
    fields = {text.split(":")[0].split(".")[-1] for text in others}
    assert fields == {"lower", "models", "warnings[0]"}


@pytest.mark.parametrize("kind", ["single.json", "logs.json"])
def test_records_of_version_1_say_that_nothing_was_stored(
    folders: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    with pytest.raises(SubmissionError, match="is of version 1, which stored nothing"):
        verify(changed(folders[kind], tmp_path, "version", value=1))


def test_a_folder_holds_one_result_or_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=r"or coin-audit.json\), found none"):
        verify(tmp_path)
    for kind in ("certificate.json", "logs.json"):
        shutil.copy(folders[kind] / kind, tmp_path)
    with pytest.raises(CertificateError, match="found certificate.json and logs.json"):
        verify(tmp_path)


def test_a_submission_at_hand_is_compared(world: World, tmp_path: Path) -> None:
    few = {"models": 24, "groups": ("forget", "test"), "probes": 2}
    given = {"mine": world(3, **few), "other": world(4, **few)}
    for name, seen in given.items():
        seen.save(tmp_path / name, name="mine", method="scrub", seeds=list(range(24)))
    refs = ObservedReferences(world(1, **few), world(2, **few))
    audit(load(tmp_path / "mine.safetensors"), refs, seed=0).report(tmp_path / "out")
    found = verification(tmp_path / "out", submission=tmp_path / "mine.safetensors")
    assert found.differences == ()
    assert {f"{what} of the submission" for what in ("method", "seeds")} < set(found.recomputed)
    assert not any(text.startswith("its method") for text in found.declared)
    (text,) = verify(tmp_path / "out", submission=tmp_path / "other.safetensors")
    assert text.startswith("digest of observations of the submission: certified ")
    given["mine"].save(tmp_path / "mine", name="mine", method="ssd")
    assert [
        text.split(":")[0]
        for text in verify(tmp_path / "out", submission=tmp_path / "mine.safetensors")
    ] == ["method of the submission", "seeds of the submission"]


def test_margins_alone_are_verified_too(world: World, tmp_path: Path) -> None:
    # Reduced to margins, populations are stored as such; the warning of it is not recomputed.
    seen = {k: world(k, models=20) for k in (1, 2, 3)}
    given = seen[3]
    margins = np.stack([given.margins, np.zeros_like(given.margins)], axis=2).astype(np.float32)
    Observations(margins, np.zeros_like(given.labels), given.groups, given.ids).save(
        tmp_path / "mine", margins_only=True
    )
    found = audit(load(tmp_path / "mine.safetensors"), ObservedReferences(seen[1], seen[2]), seed=0)
    assert any("compared by margins alone" in text for text in found.warnings)
    found.report(tmp_path / "out")
    assert verify(tmp_path / "out") == []


def test_observations_of_double_precision_are_stored_whole(world: World, tmp_path: Path) -> None:
    few = {"models": 20, "groups": ("forget", "test"), "probes": 2}
    seen = [world(k, **few) for k in (1, 2, 3)]
    exact = [
        Observations(one.logits.astype(np.float64) / 3, one.labels, one.groups, one.ids)
        for one in seen
    ]
    audit(exact[2], ObservedReferences(exact[0], exact[1]), seed=0).report(tmp_path / "out")
    assert verify(tmp_path / "out") == []


def test_labels_of_any_whole_type_can_be_recomputed(world: World, tmp_path: Path) -> None:
    parts = [
        replace(seen, labels=seen.labels.astype(np.int64))
        for seen in (world(3, models=8), world(1, models=8), world(2, models=8))
    ]
    found = audit(parts[0], ObservedReferences(*parts[1:]), observables=(GroupMedians(),), seed=0)
    found.report(tmp_path / "out")
    assert verify(tmp_path / "out") == []
