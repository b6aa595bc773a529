"""The command line: what it prints, its exit codes, and one sentence for every mistake."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from indist import oracles
from indist._cli._errors import parse_settings
from tests.indist.helpers import run


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("references") / "circles"
    done = run("references", "circles", "-o", folder, "--models", 40)
    assert done.exit_code == 0, done.output
    assert "40 models each of original, untraining and unlearning" in done.output
    return folder


@pytest.fixture(scope="module")
def submission(references: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("submissions") / "finetune"
    words = ("--method", "finetune", "--references", references, "-o", folder)
    done = run("unlearn", "circles", *words, "--set", "epochs=2")
    assert done.exit_code == 0, done.output
    assert "40 models unlearned by finetune" in done.output
    return folder


def test_lists() -> None:
    for command, names in (
        ("scenarios", ["circles", "digits-class", "digits-trigger"]),
        ("unlearners", ["identity", "retrain", "finetune", "neggrad", "retrain-behaviour"]),
        ("learners", ["mlp", "cnn", "langevin", "sisa"]),
    ):
        done = run(command)
        assert done.exit_code == 0
        assert all(name in done.output for name in names)
    one = run("unlearners", "scrub")
    assert one.exit_code == 0
    assert "2302.09880" in one.output
    assert "temperature" in one.output
    wrong = run("scenarios", "circle")
    assert wrong.exit_code == 2
    assert "expected one of" in wrong.output


def test_a_certified_method_and_what_it_claims(tmp_path: Path) -> None:
    refs, made = tmp_path / "refs", tmp_path / "made"
    world = ("logistic-3v8", "--learner", "descent-to-delete")
    assert run("references", *world, "-o", refs, "--models", 24).exit_code == 0
    words = ("--method", "descent-to-delete", "--references", refs, "-o", made)
    done = run("unlearn", "logistic-3v8", *words)
    assert done.exit_code == 0, done.output
    audit = run("audit", made, "--references", refs, "-o", tmp_path / "audit")
    assert "DescentToDelete" in audit.output
    predicate = json.loads((tmp_path / "audit" / "certificate.json").read_text())["predicate"]
    assert predicate["claimed"]["finding"] != "contradicted"
    assert "What is claimed" in (tmp_path / "audit" / "report.html").read_text()
    assert run("verify", tmp_path / "audit" / "certificate.json").exit_code == 0
    said = run("audit", made, "--references", refs, "-o", tmp_path / "b", "--claim", 0.5, 0.125)
    assert "epsilon 0.5, delta 0.125" in " ".join(said.output.split())


def test_bad_learners_are_one_sentence(tmp_path: Path) -> None:
    for words, message in (
        (("--learner", "mlpp"), "learner: expected one of mlp"),
        (("--learner", "mlp", "--set-learner", "depth=3"), "mlp: expected settings hidden"),
        (("--set-learner", "depth=3"), "--set-learner: expected --learner beside it"),
        (("--learner", "langevin", "--set-learner", "sigma=0"), "sigma: expected a number over 0"),
    ):
        done = run("references", "circles", "-o", tmp_path / "refs", *words)
        assert done.exit_code == 2
        assert message in " ".join(done.output.split())
    assert not (tmp_path / "refs").exists()


def test_a_study_of_few_cells(tmp_path: Path) -> None:
    few = ("--models", 2, "--scenario", "circles", "--method", "identity", "--method", "rem")
    done = run("study", "algorithms", "-o", tmp_path, *few)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "algorithms.csv").read_text().count("\n") == 3
    assert json.loads((tmp_path / "algorithms.json").read_text())["settings"]["models"] == 2
    for words, message in (
        (("algorithm",), "study: expected one of claims, algorithms"),
        (("sandwich", "--method", "rem"), "study sandwich: expected one of models, discovery"),
        (("algorithms", "--method", "remm"), "method: expected one of identity"),
    ):
        done = run("study", *words, "-o", tmp_path)
        assert done.exit_code == 2
        assert message in " ".join(done.output.split())


def test_audit_then_verify(references: Path, submission: Path, tmp_path: Path) -> None:
    done = run("audit", submission, "--references", references, "-o", tmp_path / "audit")
    assert done.exit_code == 0, done.output
    certificate = json.loads((tmp_path / "audit" / "certificate.json").read_text())
    assert certificate["predicate"]["verdict"].upper() in done.output
    for name in ("report.html", "report.md"):
        assert (tmp_path / "audit" / name).stat().st_size > 1000
    done = run("verify", tmp_path / "audit" / "certificate.json")
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "certificate.json: no difference found - Recomputed, and equal: verdict, " in said
    assert "report.html; report.md. - Not recomputed, the auditor's word alone: " in said
    assert "digests of parameters of submission, original, untraining, unlearning; " in said
    assert "every number and digest" not in said


def test_verify_compares_the_submission_itself(
    references: Path, submission: Path, tmp_path: Path
) -> None:
    assert run("audit", submission, "--references", references, "-o", tmp_path).exit_code == 0
    done = run("verify", tmp_path, "--submission", submission)
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "digest of parameters of the submission; observations of the submission, which" in said
    assert "digests of parameters of original, untraining, unlearning; " in said
    done = run("verify", tmp_path, "--submission", references / "original")
    assert done.exit_code == 1
    assert "digest of parameters of the submission: certified " in done.output


def test_tolerance_can_be_calibrated(references: Path, submission: Path, tmp_path: Path) -> None:
    words = ("--references", references, "-o", tmp_path, "--tolerance", "calibrated")
    done = run("audit", submission, *words)
    assert done.exit_code == 0, done.output
    predicate = json.loads((tmp_path / "certificate.json").read_text())["predicate"]
    assert predicate["declaration"]["calibrated"] is True
    assert 0 < predicate["declaration"]["tolerance"] < 1


def test_verify_finds_a_changed_number(references: Path, submission: Path, tmp_path: Path) -> None:
    assert run("audit", submission, "--references", references, "-o", tmp_path).exit_code == 0
    path = tmp_path / "certificate.json"
    certificate = json.loads(path.read_text())
    certificate["predicate"]["verdict"] = "both"
    path.write_text(json.dumps(certificate))
    done = run("verify", path)
    assert done.exit_code == 1
    assert "verdict" in done.output


def test_verify_claims_no_more_of_files_than_it_compared(
    references: Path, submission: Path, tmp_path: Path
) -> None:
    assert run("audit", submission, "--references", references, "-o", tmp_path).exit_code == 0
    path, page = tmp_path / "certificate.json", tmp_path / "report.html"
    page.write_text("forged")
    certificate = json.loads(path.read_text())
    digest = hashlib.sha256(page.read_bytes()).hexdigest()
    certificate["predicate"]["files"]["report.html"] = digest
    path.write_text(json.dumps(certificate))
    done = run("verify", path)
    assert done.exit_code == 0
    said = " ".join(done.output.split())
    assert "Files whose bytes have the digests that it gives: observations/" in said
    assert "written" not in said
    seen = tmp_path / "observations" / "submission.safetensors"
    seen.write_bytes(seen.read_bytes()[:-1] + bytes([seen.read_bytes()[-1] ^ 1]))
    assert run("verify", path).exit_code == 2
    shown = " ".join(run("verify", "--help").output.split())
    assert "1 on any difference, and 2 where a file is missing or cannot be read" in shown


@pytest.mark.parametrize(
    ("words", "models"),
    [((), 256), (("--quick",), 128), (("--quick", "--models", 32), 32), (("--models", 9), 9)],
)
def test_demo_runs_as_many_models_as_are_asked_for(
    words: tuple[object, ...], models: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*_: object, models: int, **__: object) -> None:
        raise ValueError(f"asked for {models}")

    monkeypatch.setattr(oracles, "references", told)
    done = run("demo", "--scenario", "circles", "-o", tmp_path / "out", *words)
    assert f"asked for {models}" in done.output


def test_unlearning_without_references_trains_its_own_originals(tmp_path: Path) -> None:
    words = ("--method", "identity", "--models", 4, "-o", tmp_path / "own")
    done = run("unlearn", "circles", *words)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("references", "circle", "-o", "OUT"), "scenario: expected one of cancer-source, circles"),
        (("references", "circles", "-o", "REFERENCES"), "already holds references; add --resume"),
        (("references", "circles", "-o", "OUT", "--set", "spread"), "--set: expected NAME=VALUE"),
        (("references", "circles", "-o", "OUT", "--set", "wide=1"), "expected knobs seed,"),
        (("references", "circles", "-o", "OUT", "--models", "0"), "Invalid value"),
        (
            ("references", "circles", "-o", "OUT", "--discovery", "2"),
            "discovery: expected a number in (0, 1]",
        ),
        (
            ("unlearn", "digits-class", "--method", "identity", "-o", "OUT", "--references", "REF"),
            "expected references of digits-class, found those of circles",
        ),
        (
            ("unlearn", "circles", "--method", "magic", "-o", "OUT", "--references", "REF"),
            "method: expected one of identity",
        ),
        (("audit", "NOWHERE", "--references", "REF", "-o", "OUT"), "NOWHERE"),
        (("audit", "SUBMISSION", "--references", "NOWHERE", "-o", "OUT"), "references.json"),
        (
            ("audit", "SUBMISSION", "--references", "REF", "-o", "OUT", "--tolerance", "0"),
            "tolerance: expected",
        ),
        (
            ("audit", "SUBMISSION", "--references", "REF", "-o", "OUT", "--tolerance", "small"),
            "tolerance: expected a number or calibrated, found 'small'",
        ),
        (("verify", "NOWHERE"), "NOWHERE"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_2(
    words: tuple[str, ...], message: str, references: Path, submission: Path, tmp_path: Path
) -> None:
    places = {
        "OUT": tmp_path / "out",
        "REF": references,
        "REFERENCES": references,
        "SUBMISSION": submission,
        "NOWHERE": tmp_path / "NOWHERE",
    }
    done = run(*(places.get(word, word) for word in words))
    assert done.exit_code == 2, done.output
    assert message in " ".join(done.output.split())
    assert "Traceback" not in done.output
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("samples")
    rng = np.random.default_rng(0)
    np.save(folder / "p.npy", rng.normal(1, 1, 300))
    np.save(folder / "q.npy", rng.normal(0, 1, 300))
    return folder / "p.npy", folder / "q.npy"


def test_certify_prints_claim_measurement_and_sandwich(samples: tuple[Path, Path]) -> None:
    gaussian = ("--mechanism", "gaussian", "--set", "mu=1")
    done = run("certify", *gaussian, "--delta", 1e-5)
    assert done.exit_code == 0, done.output
    assert "(4.37718, 1e-05) claimed by Gaussian(mu=1)" in done.output
    done = run("certify", *samples, *gaussian, "--epsilon", 1)
    assert done.exit_code == 0, done.output
    assert "is not contradicted" in done.output
    done = run("certify", *samples, "--claim", 1, 0.01)
    assert done.exit_code == 0, done.output
    assert "is contradicted" in done.output
    done = run("certify", *samples, "--epsilon", 1)
    assert done.exit_code == 0, done.output
    assert "measured lower bound" in done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "expected two files of samples, a --mechanism, or a --claim"),
        (("P",), "samples: expected two files or none, found 1"),
        (("P", "Q"), "expected a claim, an epsilon or a delta"),
        (("P", "Q", "--set", "mu=1"), "--set: expected with --mechanism only"),
        (("--mechanism", "gausian", "--delta", "0"), "did you mean 'gaussian'?"),
        (("--mechanism", "gaussian", "--claim", "1", "0"), "expected one of them, found both"),
        (("--mechanism", "gaussian", "--set", "mu=-1", "--delta", "0.1"), "mu"),
    ],
)
def test_certify_mistakes(words: tuple[str, ...], message: str, samples: tuple[Path, Path]) -> None:
    places = {"P": samples[0], "Q": samples[1]}
    done = run("certify", *(places.get(word, word) for word in words))
    assert done.exit_code == 2, done.output
    assert message in " ".join(done.output.split())


def test_settings_are_read_as_what_they_look_like() -> None:
    read = parse_settings(
        ["a=1", "b=1.5", "c=true", "d=word", "e=1e-3", "f=8,2.5", "g=8,", "h=a,1"]
    )
    assert read == {
        **{"a": 1, "b": 1.5, "c": True, "d": "word", "e": 1e-3, "f": (8, 2.5)},
        **{"g": "8,", "h": "a,1"},
    }
    with pytest.raises(ValueError, match="found 'a' twice"):
        parse_settings(["a=1", "a=2"])


def test_plan_says_what_an_audit_needs() -> None:
    done = run("plan", "circles", "--tolerance", 0.3, "--epsilon", 0)
    assert done.exit_code == 0, done.output
    for words in (
        "call a perfect match at ε = 0, tolerance 0.3",
        "reference models",
        "submitted models",
        "models/s",
    ):
        assert words in done.output
    done = run("plan", "circles")
    assert done.exit_code == 2
    assert "expected either a tolerance or a half-width" in done.output


def test_damaged_references_are_named_left_out_or_repaired(
    submission: Path, tmp_path: Path
) -> None:
    words = ("circles", "-o", tmp_path / "refs", "--models", 40)
    assert run("references", *words, "--chunk", 8).exit_code == 0
    broken = sorted((tmp_path / "refs" / "unlearning").glob("*.safetensors"))[0]
    broken.write_bytes(broken.read_bytes()[:-1])
    auditing = ("audit", submission, "--references", tmp_path / "refs", "-o", tmp_path / "audit")
    done = run(*auditing)
    assert done.exit_code == 2
    assert f"{broken.name} (models" in done.output
    assert run(*auditing, "--leave-out-damaged").exit_code == 0
    done = run("references", *words, "--chunk", 8, "--repair")
    assert done.exit_code == 0, done.output
    assert "damaged, to be trained again" in done.output
    assert broken.name in done.output
    # With more references it is another result.
    assert run(*auditing).exit_code == 2
    assert run(*auditing, "--force").exit_code == 0
