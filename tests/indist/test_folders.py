"""A folder holds one kind of result: other files are refused before anything is computed."""

import json
from pathlib import Path

import numpy as np
import pytest

from indist import audits, oracles
from tests.audits.llm import files
from tests.indist.helpers import run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of folders: references, a submission, others of it, and an audit."""
    top = tmp_path_factory.mktemp("folders")
    assert run("references", "circles", "-o", top / "refs", "--models", 4).exit_code == 0
    words = ("unlearn", "circles", "--method", "identity", "--references", top / "refs")
    assert run(*words, "-o", top / "submission").exit_code == 0
    assert run(*words, "--models", 1, "-o", top / "one").exit_code == 0
    done = run("audit", top / "submission", "--references", top / "refs", "-o", top / "audit")
    assert done.exit_code == 0, done.output
    (top / "seeds" / "cells").mkdir(parents=True)
    (top / "seeds" / "seeds.json").write_text("{}")
    return top


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


AUDIT = ("--references", "TOP/refs")


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("references", "circles", "--models", 2), "submission"),
        (("references", "circles", "--models", 2), "audit"),
        (("unlearn", "circles", "--method", "identity", *AUDIT), "refs"),
        (("unlearn", "circles", "--method", "identity", *AUDIT), "audit"),
        (("demo", "--scenario", "circles", "--models", 2), "audit"),
        (("demo", "--scenario", "circles", "--models", 2), "refs"),
        (("study", "seeds", "--quick"), "audit"),
        (("study", "claims", "--quick"), "seeds"),
        (("memorize", "circles", "--models", 2), "audit"),
        (("coins", "draw", "circles"), "audit"),
        (("figures", "claimed"), "audit"),
        (("audit", "TOP/submission", *AUDIT), "refs"),
        (("audit", "TOP/submission", *AUDIT), "submission"),
        (("audit", "TOP/one", *AUDIT), "submission"),
        (("audit", "TOP/one", "TOP/submission", *AUDIT), "audit"),
        (("score", "TOP/submission", *AUDIT), "refs"),
    ],
)
def test_a_folder_of_another_kind_is_refused_before_anything_is_computed(
    words: tuple[object, ...], output: str, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(*_: object, **__: object) -> None:
        raise AssertionError("computed before the folder was looked at")

    for name in ("train", "unlearn", "subset_runs", "coins", "training_cost"):
        monkeypatch.setattr(oracles, name, compute)
    monkeypatch.setattr("oracles.populations._references.train", compute)
    for name in ("audit", "audit_single", "score"):
        monkeypatch.setattr(audits, name, compute)
    before = contents(made)
    typed = [str(word).replace("TOP", str(made)) for word in words]
    done = run(*typed, "-o", made / output)
    assert done.exit_code == 2, done.output
    assert "holds other files; give a new folder" in " ".join(done.output.split())
    assert contents(made) == before


@pytest.mark.parametrize(
    ("words", "output", "held"),
    [
        (("references", "circles", "--models", 4), "refs", "references"),
        (("unlearn", "circles", "--method", "identity"), "submission", "a population"),
    ],
)
def test_what_could_be_continued_is_refused_before_anything_is_computed(
    words: tuple[object, ...], output: str, held: str, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(*_: object, **__: object) -> None:
        raise AssertionError("computed before the folder was looked at")

    for name in ("oracles.train", "oracles.populations._references.train"):
        monkeypatch.setattr(name, compute)
    done = run(*words, "-o", made / output)
    assert done.exit_code == 2, done.output
    assert f"already holds {held}; add --resume" in " ".join(done.output.split())


def test_references_that_were_killed_at_once_go_on(made: Path, tmp_path: Path) -> None:
    # Data and probes are written before the file that tells a folder of references.
    for name in ("scenario.safetensors", "probes.json"):
        (tmp_path / name).write_bytes((made / "refs" / name).read_bytes())
    done = run("references", "circles", "--models", 2, "--resume", "-o", tmp_path)
    assert done.exit_code == 0, done.output
    assert oracles.load_references(tmp_path).original.models == 2


def test_a_study_that_was_killed_keeps_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("indist.studies.Seeds.run", stop)
    monkeypatch.setattr("indist.studies.Sandwich.run", stop)
    assert run("study", "seeds", "--quick", "-o", tmp_path).exit_code == 130
    (tmp_path / "cells").mkdir()
    done = run("study", "sandwich", "--quick", "-o", tmp_path)
    assert done.exit_code == 2
    assert "holds other files; give a new folder" in " ".join(done.output.split())
    assert run("study", "seeds", "--quick", "-o", tmp_path).exit_code == 130


@pytest.mark.parametrize("store", ["references", "train", "unlearn", "subset_runs"])
def test_python_refuses_a_folder_of_other_files_before_it_computes(
    store: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = oracles.load_references(made / "refs")

    def compute(*_: object, **__: object) -> None:
        raise AssertionError("computed before the folder was looked at")

    monkeypatch.setattr("oracles.engines._local.Local.make", compute)
    (tmp_path / "certificate.json").write_text("{}")
    settings = {
        "references": (stored.scenario,),
        "train": (stored.scenario, "nothing"),
        "unlearn": (stored.scenario, stored.original),
        "subset_runs": (stored.scenario,),
    }
    named = {"train": {"stream": "mine"}, "unlearn": {"method": "identity"}}.get(store, {})
    with pytest.raises(ValueError, match="holds other files; give a new folder"):
        getattr(oracles, store)(
            *settings[store], models=2, seed=0, directory=tmp_path, resume=True, **named
        )
    assert contents(tmp_path) == {tmp_path / "certificate.json": b"{}"}


@pytest.mark.parametrize(
    "words",
    [
        ("submission", "--epsilon", 2),
        ("submission", "--tolerance", 0.3),
        ("submission", "--confidence", 0.9),
        ("one",),
        ("refs/untraining",),
    ],
)
def test_another_result_is_refused_before_it_is_computed(
    words: tuple[object, ...], made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(*_: object, **__: object) -> None:
        raise AssertionError("computed before the folder was looked at")

    for name in ("audit", "audit_single"):
        monkeypatch.setattr(audits, name, compute)
    name, *options = words
    done = run("audit", made / str(name), "--references", made / "refs", *options,
               "-o", made / "audit")  # fmt: skip
    assert done.exit_code == 2, done.output
    assert "already holds another result (certificate.json)" in " ".join(done.output.split())


def test_another_result_of_one_model_or_of_logs_is_refused_before_it_is_computed(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = ("audit", made / "one", "--references", made / "refs", "-o", tmp_path / "single")
    log = tmp_path / "TOFU_EVAL.json"
    log.write_text(json.dumps(files.open_unlearning(0)))
    logs = ("audit", log, "--untraining", log, "-o", tmp_path / "logs")
    for words in (single, logs):
        done = run(*words)
        assert done.exit_code == 0, done.output

    def compute(*_: object, **__: object) -> None:
        raise AssertionError("computed before the folder was looked at")

    monkeypatch.setattr(audits, "audit_single", compute)
    monkeypatch.setattr(audits.llm, "compare", compute)
    for words in (
        (*single, "--confidence", 0.9),
        (*logs, "--confidence", 0.9),
        (*logs, "--cluster", 2),
        (*logs, "--seed", 1),
    ):
        done = run(*words)
        assert done.exit_code == 2, done.output
        assert "already holds another result" in " ".join(done.output.split())


def test_ones_own_folder_goes_on(made: Path) -> None:
    references = ("references", "circles", "-o", made / "refs", "--models", 4)
    auditing = ("--references", made / "refs", "-o")
    (made / "audit" / "notes.txt").write_text("mine")
    for words in (
        (*references, "--resume"),
        ("audit", made / "submission", *auditing, made / "audit"),
        ("audit", made / "one", made / "submission", *auditing, made / "both"),
        ("audit", made / "one", made / "submission", *auditing, made / "both"),
        ("audit", made / "one", *auditing, made / "seeds", "--force"),
    ):
        done = run(*words)
        assert done.exit_code == 0, done.output
    assert (made / "both" / "one" / "single.json").exists()
    assert (made / "seeds" / "seeds.json").exists()
    assert (made / "audit" / "notes.txt").read_text() == "mine"


def test_ingest_replaces_only_what_it_has_written(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("model,probe,group,margin\n0,a,forget,1\n")
    np.savez(tmp_path / "scores.npz", tr_mem=np.array([0.5, 0.25]), tr_label=np.array([0, 1]))
    for name in ("references.json", "certificate.json", "alone.safetensors", "alone.csv"):
        (tmp_path / name).write_text('{"format": "another"}')
    before = contents(tmp_path)
    for given, stem in (
        (table, "references"),
        (table, "certificate"),
        (table, "alone"),
        (tmp_path / "scores.npz", "alone"),
    ):
        done = run("ingest", given, "-o", tmp_path / stem)
        assert done.exit_code == 2, done.output
        said = " ".join(done.output.split())
        assert "would be replaced, and was not made by indist ingest; give another name" in said
        assert contents(tmp_path) == before
    for given, stem in ((table, "mine"), (tmp_path / "scores.npz", "scores")):
        for _ in range(2):
            done = run("ingest", given, "-o", tmp_path / stem)
            assert done.exit_code == 0, done.output
        assert run("ingest", given, "-o", tmp_path / "alone", "--force").exit_code == 0


def test_a_later_declared_look_needs_no_force(made: Path, tmp_path: Path) -> None:
    few, folder = tmp_path / "few", tmp_path / "audit"
    words = ("unlearn", "circles", "--method", "identity", "--references", made / "refs")
    assert run(*words, "--models", 2, "-o", few).exit_code == 0
    looks = ("--references", made / "refs", "--looks", "2,4", "-o", folder)
    for submitted, look in ((few, 1), (made / "submission", 2)):
        done = run("audit", submitted, *looks)
        assert done.exit_code == 0, done.output
        declared = json.loads((folder / "certificate.json").read_text())["predicate"]["declaration"]
        assert (declared["looks"], declared["look"]) == ([2, 4], look)
    done = run("audit", few, *looks)
    assert done.exit_code == 2
    assert "already holds another result" in " ".join(done.output.split())
