import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audits import (
    DEFAULT_OBSERVABLES,
    Certificate,
    CertificateError,
    Observable,
    ObservedReferences,
    SubmissionError,
    audit,
    read_certificate,
    verify,
)
from audits.certificate._certificate import schema
from audits.verdict._audit import Audit
from oracles import Observations
from tests.audits.conftest import World

HERE = Path(__file__).parent
GOLDEN = HERE / "golden" / "certificate-1.json"
SCHEMAS = HERE.parents[1] / "audits" / "certificate" / "schema"


def small_audit(
    world: World, observables: Sequence[Observable] | None = DEFAULT_OBSERVABLES
) -> Audit:
    """The audit that the golden certificate is of, but for what it looks at."""
    few = {"models": 24, "groups": ("forget", "test"), "probes": 2}
    references = ObservedReferences(world(1, {"forget": 5.0}, **few), world(2, **few))
    found = audit(
        world(3, {"forget": 5.0}, **few),
        references,
        epsilon=0.5,
        tolerance=0.4,
        observables=observables,
        seed=0,
    )
    provenance = replace(
        found.provenance, method="golden", versions={"indist": "0"}, seeds={"submission": [3, 4]}
    )
    return replace(found, provenance=provenance)


@pytest.fixture(scope="module")
def small(world: World) -> Audit:
    return small_audit(world)


@pytest.fixture(scope="module")
def folder(small: Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("audit") / "out"
    small.report(where)
    return where


@pytest.mark.parametrize("version", [1, 2])
def test_schema_is_current(version: int) -> None:
    # When a field was added to version 2: write what `schema` returns there. Never rename one.
    assert json.loads((SCHEMAS / f"certificate-{version}.json").read_text()) == schema(version)


def test_golden_certificate_of_version_1_is_still_read_and_written_alike() -> None:
    assert read_certificate(GOLDEN).to_json() == GOLDEN.read_text(encoding="utf-8")


def test_certificate_is_an_in_toto_statement_on_the_submission(small: Audit) -> None:
    content = json.loads(small.certificate().to_json())
    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["predicateType"] == "urn:indist:certificate:2"
    digest = small.observations["submission"].digest
    assert content["subject"] == [{"name": "observations", "digest": {"sha256": digest}}]
    predicate = content["predicate"]
    assert predicate["version"] == 2
    assert predicate["verdict"] == small.verdict
    assert predicate["declaration"]["observables"] == [
        "median margin on forget",
        "median margin on test",
        *(f"margin of example forget/{k}" for k in range(2)),
    ]
    assert predicate["declaration"]["looked_at"][1] == "each-example:most=500"
    assert [one["name"] for one in predicate["populations"]] == [
        "submission",
        "untraining",
        "unlearning",
    ]


def test_reading_gives_back_what_was_written(small: Audit, folder: Path) -> None:
    assert read_certificate(folder / "certificate.json") == written(small, folder)


def written(audit: Audit, folder: Path) -> Certificate:
    """The certificate of an audit that was written to a folder, the digests of its files in it."""
    digests = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "certificate.json"
    }
    made = audit.certificate()
    return made.model_copy(
        update={"predicate": made.predicate.model_copy(update={"files": digests})}
    )


def test_report_folder_is_whole(folder: Path) -> None:
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    stored = [
        f"observations/{name}.{kind}"
        for name in ("submission", "unlearning", "untraining")
        for kind in ("json", "safetensors")
    ]
    assert names == ["certificate.json", *stored, "report.html", "report.md"]


def test_verification_of_an_untouched_folder_finds_nothing(folder: Path) -> None:
    assert verify(folder / "certificate.json") == []


def test_a_report_that_fails_leaves_the_old_folder_alone(
    small: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "certificate.json").write_text("old")

    def fail(*_: object, redact: bool = False) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("audits.verdict._write.write_report", fail)
    with pytest.raises(OSError, match="disk full"):
        small.report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["certificate.json"]
    assert (tmp_path / "certificate.json").read_text() == "old"


def test_a_report_over_an_older_one_replaces_it(small: Audit, tmp_path: Path) -> None:
    (tmp_path / "observations").mkdir()
    (tmp_path / "observations" / "original.json").write_text("{}")
    small.report(tmp_path)
    assert not (tmp_path / "observations" / "original.json").exists()
    assert read_certificate(tmp_path / "certificate.json") == written(small, tmp_path)


def test_a_file_is_no_folder_for_a_report(small: Audit, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ValueError, match="expected a folder to write the report to, found a file"):
        small.report(tmp_path / "out")


def copy(folder: Path, to: Path, **changes: Any) -> Path:
    """The certificate with fields of its predicate changed, beside links to the observations."""
    content = json.loads((folder / "certificate.json").read_text())
    for path, value in changes.items():
        *way, last = path.split("__")
        part = content["predicate"]
        for key in way:
            part = part[key]
        part[last] = value
    (to / "certificate.json").write_text(json.dumps(content))
    (to / "observations").symlink_to(folder / "observations")
    return to / "certificate.json"


def test_a_changed_number_is_found(folder: Path, tmp_path: Path) -> None:
    path = copy(folder, tmp_path, untraining__upper=0.01, verdict="both")
    found = verify(path)
    assert len(found) == 3
    assert found[0].startswith("versions: certified by indist 0, recomputed by indist ")
    assert found[1].startswith("predicate.verdict: certified 'both', recomputed ")
    assert found[2].startswith("predicate.untraining.upper: certified 0.01, recomputed 0.")


def test_the_last_bits_of_other_machines_are_no_difference(folder: Path, tmp_path: Path) -> None:
    upper = read_certificate(folder / "certificate.json").predicate.untraining.upper
    assert verify(copy(folder, tmp_path, untraining__upper=upper * (1 + 5e-10))) == []


def test_a_changed_declaration_changes_what_is_recomputed(folder: Path, tmp_path: Path) -> None:
    found = verify(copy(folder, tmp_path, declaration__tolerance=0.05))
    assert any("decision" in text for text in found)


def test_observations_that_were_changed_are_found(
    small: Audit, folder: Path, tmp_path: Path
) -> None:
    path = copy(folder, tmp_path)
    (tmp_path / "observations").unlink()
    for name, seen in small.observations.items():
        seen.save(tmp_path / "observations" / name)
    given = small.observations["submission"]
    Observations(given.logits * 2, given.labels, given.groups, given.ids).save(
        tmp_path / "observations" / "submission"
    )
    found = verify(path)
    assert found[0].startswith("observations of submission: certified with digest ")
    assert found[20].endswith("more differences")
    assert any(
        text.startswith("versions: certified by indist 0, recomputed by indist ") for text in found
    )


def test_missing_observations_are_named(folder: Path, tmp_path: Path) -> None:
    path = copy(folder, tmp_path)
    with pytest.raises(SubmissionError, match=r"nowhere/submission.safetensors: not found"):
        verify(path, observations=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_type": "x"}, r"field _type: expected 'https://in-toto.io/Statement/v1'"),
        (
            {"predicateType": "urn:indist:certificate:3"},
            r"found urn:indist:certificate:3 and version 2; a newer indist may read it",
        ),
        ({"predicateType": "urn:other"}, r"found urn:other and version 2$"),
        ({"extra": 1}, r"field extra: expected only known fields, found this one"),
        ({"subject": []}, r"field subject: expected at least 1 item"),
    ],
)
def test_other_statements_are_refused(
    folder: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    content = json.loads((folder / "certificate.json").read_text()) | change
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(content))
    with pytest.raises(CertificateError, match=message):
        read_certificate(path)


def test_a_future_version_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="and version 3; a newer indist may read it"):
        read_certificate(copy(folder, tmp_path, version=3))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(folder: Path, tmp_path: Path, value: str) -> None:
    text = copy(folder, tmp_path, least_tolerance=123456789.0).read_text()
    path = tmp_path / "bad.json"
    path.write_text(text.replace("123456789.0", value))
    with pytest.raises(CertificateError, match="finite"):
        read_certificate(path)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="cannot be read"):
        read_certificate(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"_type": ')
    with pytest.raises(CertificateError, match="expected JSON"):
        read_certificate(tmp_path / "half.json")
