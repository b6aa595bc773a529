"""References of any origin on the command line: the same verdict as from indist's own folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from indist import oracles
from tests.indist.helpers import run

MODELS = 6
FAST = ("--seed", "0", "--observable", "as-0.1.0")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References of circles, as indist stores them and as observations alone."""
    folder = tmp_path_factory.mktemp("own")
    done = run("references", "circles", "-o", folder / "refs", "--models", MODELS)
    assert done.exit_code == 0, done.output
    refs = oracles.load_references(folder / "refs")
    (folder / "seen").mkdir()
    for name in ("untraining", "unlearning", "original"):
        getattr(refs, name).observe(refs.probes).save(folder / "seen" / name)
    refs.original.observe(refs.probes).save(folder / "mine", method="identity")
    return folder


def predicate(folder: Path) -> Any:
    return json.loads((folder / "certificate.json").read_text())["predicate"]


def test_the_same_verdict_from_every_origin(made: Path, tmp_path: Path) -> None:
    mine, seen = made / "mine.safetensors", made / "seen"
    named = [
        word
        for name in ("untraining", "unlearning", "original")
        for word in (f"--{name}", seen / f"{name}.safetensors")
    ]
    origins = {
        "own": ("--references", made / "refs"),
        "folder": ("--references", seen),
        "named": named,
        # What an audit keeps is a folder of references, too.
        "result": ("--references", tmp_path / "own"),
        # Populations that indist stores are run at the probes of a scenario.
        "stored": [
            *("--untraining", made / "refs" / "untraining", "--scenario", "circles"),
            *("--unlearning", made / "refs" / "unlearning"),
            *("--original", made / "refs" / "original"),
        ],
    }
    for origin, words in origins.items():
        done = run("audit", mine, *words, "-o", tmp_path / origin, *FAST)
        assert done.exit_code == 0, done.output
    own = predicate(tmp_path / "own")
    for origin in origins:
        other = predicate(tmp_path / origin)
        for part in ("verdict", "untraining", "unlearning", "original", "references"):
            assert other.get(part) == own.get(part), (origin, part)
        done = run("verify", tmp_path / origin / "certificate.json")
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize("command", ["audit", "score"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--references"),
        (("--untraining", "SEEN"), "found --untraining"),
        (("--unlearning", "SEEN"), "--untraining"),
        (("--references", "REFS", "--unlearning", "SEEN"), "--unlearning: expected with"),
        (("--untraining", "SEEN", "--unlearning", "NONE"), "NONE: not found"),
        (("--references", "EMPTY"), "found no untraining"),
        (
            ("--untraining", "SEEN", "--unlearning", "SEEN", "--learner", "mlp"),
            "--learner: expected --scenario beside it",
        ),
        (
            ("--untraining", "SEEN", "--unlearning", "SEEN", "--leave-out-damaged"),
            "--leave-out-damaged: expected with references that indist made",
        ),
    ],
)
def test_what_does_not_make_references_is_refused(
    command: str, words: tuple[str, ...], message: str, made: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    places = {
        "SEEN": made / "seen" / "untraining.safetensors",
        "REFS": made / "refs",
        "EMPTY": tmp_path / "empty",
    }
    given = [str(places.get(word, word)) for word in words]
    done = run(command, made / "mine.safetensors", *given, "-o", tmp_path / "out")
    assert done.exit_code == 2, done.output
    said = " ".join(done.output.split())
    if command == "score" and words == ("--references", "REFS", "--unlearning", "SEEN"):
        message = "--unlearning: expected without --references"
    assert message in said
