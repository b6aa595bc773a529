"""One door: many models, one model or logs, told by what they are to be compared with."""

import json
from pathlib import Path
from typing import Any

import pytest

from indist import oracles
from oracles import Observations
from tests.audits.llm import files
from tests.indist.helpers import run

MODELS = 8


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("references") / "circles"
    done = run("references", "circles", "-o", folder, "--models", MODELS)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def seen(references: Path) -> Observations:
    refs = oracles.load_references(references)
    return refs.original.observe(refs.probes)


def save(seen: Observations, models: slice, stem: Path, **about: Any) -> Path:
    stem.parent.mkdir(parents=True, exist_ok=True)
    few = Observations(seen.logits[models], seen.labels, seen.groups, seen.ids)
    few.save(stem, **about)
    return stem.with_suffix(".safetensors")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_model_gets_ranks_and_no_certificate(
    references: Path, seen: Observations, tmp_path: Path
) -> None:
    one = save(seen, slice(0, 1), tmp_path / "mine", name="mine", method="scrub")
    done = run("audit", one, "--references", references, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "exact rank test on" in said
    assert "no epsilon, no delta and no likeness follow from it" in said
    assert f"Report: {tmp_path / 'out' / 'report.html'}" in said
    assert names(tmp_path / "out") == ["observations", "report.html", "report.md", "single.json"]
    numbers = json.loads((tmp_path / "out" / "single.json").read_text())
    assert numbers["models"] == {"submission": 1, "untraining": MODELS, "unlearning": MODELS}
    assert numbers["provenance"]["method"] == "scrub"
    assert numbers["provenance"]["scenario"] == "circles"
    assert set(numbers["provenance"]["parameters"]) == {"untraining", "unlearning"}


def test_contents_of_examples_are_left_out_if_asked(
    references: Path, seen: Observations, tmp_path: Path
) -> None:
    few = save(seen, slice(0, 8), tmp_path / "few")
    one = save(seen, slice(0, 1), tmp_path / "one")
    for path, redact in ((few, ("--redact",)), (few, ()), (one, ("--redact",))):
        out = tmp_path / "out"
        done = run("audit", path, "--references", references, "-o", out, "--force", *redact)
        assert done.exit_code == 0, done.output
        left_out = "Left out of this report, as was asked" in (out / "report.html").read_text()
        assert left_out == (path == few and bool(redact))
    done = run("audit", "a.json", "--untraining", "b.json", "-o", tmp_path / "logs", "--redact")
    assert done.exit_code == 2
    assert "--redact: expected with --references only" in " ".join(done.output.split())


def test_files_of_one_model_each_are_one_submission(
    references: Path, seen: Observations, tmp_path: Path
) -> None:
    for k in range(3):
        save(seen, slice(k, k + 1), tmp_path / "runs" / f"seed{k}", method="scrub", seeds=[k])
    pattern = tmp_path / "runs" / "*.safetensors"
    done = run("audit", pattern, "--references", references, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    predicate = json.loads((tmp_path / "out" / "certificate.json").read_text())["predicate"]
    submitted = predicate["populations"][0]
    assert (submitted["name"], submitted["models"]) == ("submission", 3)
    assert submitted["seeds"] == [0, 1, 2]
    assert predicate["provenance"]["submission"] == "seed0 and 2 more"
    assert predicate["provenance"]["method"] == "scrub"
    # Joined, they are what they were in one file.
    together = save(seen, slice(0, 3), tmp_path / "together")
    done = run("audit", together, "--references", references, "-o", tmp_path / "whole")
    assert done.exit_code == 0, done.output
    whole = json.loads((tmp_path / "whole" / "certificate.json").read_text())["predicate"]
    assert whole["untraining"] == predicate["untraining"]
    assert whole["populations"][0]["observations"] == submitted["observations"]
    assert run("verify", tmp_path / "out" / "certificate.json").exit_code == 0


@pytest.fixture(scope="module")
def folders(references: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two folders of one unlearned model each."""
    made = [tmp_path_factory.mktemp("folders") / f"s{seed}" for seed in (1, 2)]
    words = ("--method", "identity", "--references", references, "--models", 1)
    for seed, folder in enumerate(made, 1):
        done = run("unlearn", "circles", *words, "--seed", seed, "-o", folder)
        assert done.exit_code == 0, done.output
    return made


def test_folders_of_one_model_each_are_one_submission(
    references: Path, folders: list[Path], tmp_path: Path
) -> None:
    done = run("audit", *folders, "--references", references, "-o", tmp_path)
    assert done.exit_code == 0, done.output
    predicate = json.loads((tmp_path / "certificate.json").read_text())["predicate"]
    assert predicate["populations"][0]["models"] == 2
    assert predicate["populations"][0]["seeds"] == [1, 2]
    # Identity leaves both what the first original was.
    assert any("repeated models are not independent runs" in text for text in predicate["warnings"])


def test_anything_else_is_audited_apart(
    references: Path, seen: Observations, tmp_path: Path
) -> None:
    given = (
        save(seen, slice(0, 1), tmp_path / "a" / "mine"),
        save(seen, slice(1, 3), tmp_path / "b" / "mine"),
        save(seen, slice(2, 5), tmp_path / "Mine"),
    )
    words = (*given, given[0], "--references", references)
    done = run("audit", *words, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert names(tmp_path / "out") == ["Mine-3", "mine", "mine-2"]
    assert (tmp_path / "out" / "mine" / "single.json").exists()
    for name, models in (("mine-2", 2), ("Mine-3", 3)):
        predicate = json.loads((tmp_path / "out" / name / "certificate.json").read_text())
        assert predicate["predicate"]["populations"][0]["models"] == models


def test_models_of_different_formats_are_not_joined(
    references: Path, seen: Observations, folders: list[Path], tmp_path: Path
) -> None:
    one = save(seen, slice(0, 1), tmp_path / "array")
    words = ("--references", references, "-o", tmp_path / "out")
    done = run("audit", one, folders[0], *words)
    assert done.exit_code == 0, done.output
    assert names(tmp_path / "out") == ["array", "s1"]
    numbers = json.loads((tmp_path / "out" / "s1" / "single.json").read_text())
    assert numbers["provenance"]["seeds"]["submission"] == 1
    assert "submission" in numbers["provenance"]["parameters"]


def test_what_does_not_fit_leaves_nothing_written(
    references: Path, seen: Observations, tmp_path: Path
) -> None:
    good = save(seen, slice(0, 1), tmp_path / "good")
    fewer = Observations(seen.logits[:1, 1:], seen.labels[1:], seen.groups[1:], seen.ids[1:])
    bad = save(fewer, slice(0, 1), tmp_path / "bad")
    done = run("audit", good, bad, "--references", references, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "bad.safetensors: probes: expected all" in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    for name, first, shift in (("mine", 0, 0.5), ("retain", 10, 0.5), ("clean", 20, 0.0)):
        for k in range(4):
            content = files.open_unlearning(first + k, shift=shift)
            files.written(folder / name / str(k) / "TOFU_EVAL.json", content)
    return folder


def test_logs_get_paired_tests_and_a_verdict(logs: Path, tmp_path: Path) -> None:
    every = {name: logs / name / "*" / "TOFU_EVAL.json" for name in ("mine", "retain", "clean")}
    metrics = ("--metric", "forget_Q_A_Prob/avg_loss", "--metric", "extraction_strength/score")
    words = ("--untraining", every["retain"], "--unlearning", every["clean"])
    options = ("--confidence", 0.9, "--seed", 5, "--cluster", 3)
    done = run("audit", every["mine"], *words, *metrics, *options, "-o", tmp_path)
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "inconsistent with models never trained on the behaviour" in said
    assert names(tmp_path) == ["logs.json", "observations", "report.html", "report.md"]
    numbers = json.loads((tmp_path / "logs.json").read_text())
    assert numbers["fit"] == "untraining only"
    assert (numbers["confidence"], numbers["seed"], numbers["cluster"]) == (0.9, 5, 3)
    for of in numbers["comparisons"]:
        assert [one["metric"] for one in of["metrics"]] == list(metrics[1::2])
        assert {one["clusters"] for one in of["metrics"]} == {10}
    assert {name: len(of) for name, of in numbers["logs"].items()} == {
        "submission": 4,
        "untraining": 4,
        "unlearning": 4,
    }


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("mine/0", "--untraining", "retain/0", "retain/1", "retain/2"), "retain/*/TOFU_EVAL.json"),
        (("mine/0", "--untraining=retain/0", "retain/1"), "retain/*/TOFU_EVAL.json"),
        (
            ("mine/0", "--untraining", "retain/0", "--unlearning", "clean/0", "clean/1"),
            "clean/*/TOFU_EVAL.json",
        ),
        (("--untraining", "retain/0", "retain/1", "retain/2", "mine/0"), "*/TOFU_EVAL.json"),
    ],
)
def test_an_unquoted_pattern_of_references_is_refused(
    logs: Path, tmp_path: Path, words: tuple[str, ...], pattern: str
) -> None:
    paths = [
        word if word.startswith("--") and "=" not in word
        else f"{word.replace('=', f'={logs}/')}/TOFU_EVAL.json" if "=" in word
        else f"{logs / word}/TOFU_EVAL.json"
        for word in words
    ]  # fmt: skip
    done = run("audit", *paths, "-o", tmp_path / "out")
    assert done.exit_code == 2, done.output
    said = " ".join(done.output.split())
    assert "expected one path, or a pattern in quotes such as" in said
    assert f"{pattern}'; found " in said
    assert "which would be taken for submissions" in said
    assert not (tmp_path / "out").exists()


def test_submissions_may_stand_behind_their_reference(logs: Path, tmp_path: Path) -> None:
    mine, retain = (logs / name / "0" / "TOFU_EVAL.json" for name in ("mine", "retain"))
    done = run("audit", "--untraining", retain, mine, "-o", tmp_path)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("1 submitted, 1 reference (1 untraining)\n")


def test_every_audit_begins_with_how_many_there_are(
    references: Path, seen: Observations, logs: Path, tmp_path: Path
) -> None:
    every = {name: logs / name / "*" / "TOFU_EVAL.json" for name in ("mine", "retain", "clean")}
    words = ("--untraining", every["retain"], "--unlearning", every["clean"])
    done = run("audit", every["mine"], *words, "-o", tmp_path / "logs")
    assert done.output.startswith("4 submitted, 8 references (4 untraining, 4 unlearning)\n")
    one = save(seen, slice(0, 1), tmp_path / "one")
    more = save(seen, slice(1, 5), tmp_path / "more")
    for given, numbers in (
        ((one,), "1 submitted, 16"),
        ((more,), "4 submitted, 16"),
        ((one, more), "5 submitted in 2 submissions, 16"),
    ):
        done = run(
            "audit",
            *given,
            "--references",
            references,
            "-o",
            tmp_path / numbers[:2].strip() / numbers[-2:],
        )
        assert done.output.startswith(f"{numbers} references (8 untraining, 8 unlearning)\n")


def test_a_folder_holds_one_result(
    references: Path, seen: Observations, logs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    mine, retain = (logs / name / "0" / "TOFU_EVAL.json" for name in ("mine", "retain"))
    given = {
        "single.json": (save(seen, slice(0, 1), tmp_path / "one"), "--references", references),
        "certificate.json": (
            save(seen, slice(1, 5), tmp_path / "more"),
            "--references",
            references,
        ),
        "logs.json": (mine, "--untraining", retain),
    }
    pages = ["observations", "report.html", "report.md"]
    held = None
    for record, words in given.items():
        if held is not None:
            before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
            done = run("audit", *words, "-o", out)
            assert done.exit_code == 2, done.output
            said = " ".join(done.output.split())
            assert f"already holds another result ({held}); add --force to replace it" in said
            after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
            assert after == before
        done = run("audit", *words, "-o", out, "--force")
        assert done.exit_code == 0, done.output
        assert names(out) == sorted([*pages, record])
        # The same again is no other result.
        assert run("audit", *words, "-o", out).exit_code == 0
        assert run("verify", out).exit_code == 0
        held = record
    other = (logs / "mine" / "1" / "TOFU_EVAL.json", "--untraining", retain)
    assert run("audit", *other, "-o", out).exit_code == 2


def test_files_that_no_result_has_made_are_never_removed(
    references: Path, seen: Observations, tmp_path: Path
) -> None:
    one = save(seen, slice(0, 1), tmp_path / "one")
    (tmp_path / "out" / "observations" / "raw").mkdir(parents=True)
    (tmp_path / "out" / "scores.csv").write_text("mine")
    done = run("audit", one, "--references", references, "-o", tmp_path / "out", "--force")
    assert done.exit_code == 2, done.output
    assert "expected only what a report has put there, found raw" in " ".join(done.output.split())
    (tmp_path / "out" / "observations" / "raw").rmdir()
    done = run("audit", one, "--references", references, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "scores.csv").read_text() == "mine"


def test_single_and_logs_are_no_commands_any_more() -> None:
    for command in ("single", "logs"):
        done = run(command)
        assert done.exit_code == 2
        assert f"No such command '{command}'" in " ".join(done.output.split())
    shown = " ".join(run("audit", "--help").output.split())
    for words in ("--untraining", "--unlearning", "--metric", "--cluster", "--references"):
        assert words in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "expected --references, to audit models, --untraining, to audit models or logs of a"),
        ((), "found none of them"),
        (("--unlearning", "LOG"), "--unlearning: expected --untraining beside it, models"),
        (
            ("--untraining", "LOG", "--metric", "forget_truth_ratio"),
            "found 'forget_truth_ratio'; did you mean 'forget_truth_ratio/score'?",
        ),
        (("--references", "REF", "--untraining", "LOG"), "found --references and --untraining"),
        (("--references", "REF", "--metric", "loss"), "--metric: expected with --untraining only"),
        (("--references", "REF", "--cluster", "2"), "--cluster: expected with --untraining only"),
        (("--untraining", "LOG", "--claim", "1", "0"), "--claim: expected with --references only"),
        (
            ("--untraining", "LOG", "--leave-out-damaged"),
            "--leave-out-damaged: expected with --references only",
        ),
        (
            ("--untraining", "NOTHING"),
            "NOTHING: not found; expected models, or a log, or a pattern",
        ),
    ],
)
def test_what_is_asked_for_must_be_clear(
    words: tuple[str, ...], message: str, references: Path, logs: Path, tmp_path: Path
) -> None:
    places = {"REF": references, "LOG": logs / "retain" / "0" / "TOFU_EVAL.json"}
    mine = logs / "mine" / "0" / "TOFU_EVAL.json"
    done = run("audit", mine, *(places.get(w, w) for w in words), "-o", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert message in " ".join(done.output.split())
    assert "Traceback" not in done.output
    assert not (tmp_path / "out").exists()


def test_nothing_that_fits_a_pattern_is_said(references: Path, tmp_path: Path) -> None:
    pattern = tmp_path / "*.npz"
    done = run("audit", pattern, "--references", references, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "expected a submission or a pattern that fits 1 to" in " ".join(done.output.split())
    done = run("audit", tmp_path / "a.npz", "--references", references, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "a.npz: not found; expected a submission" in " ".join(done.output.split())
