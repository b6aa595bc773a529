"""How commands end when something outside ends them: a sentence, and nothing left over."""

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer

from indist._cli._audit import audit
from indist._cli._demo import demo
from indist._cli._endings import Ended, end_on_signals, plain_ends
from indist._cli._errors import plain_errors
from indist._cli._ingest import ingest
from indist._cli._memorize import memorize
from indist._cli._references import references
from indist._cli._score import score
from indist._cli._study import study
from oracles.storage.locks import LOCK
from tests.indist.helpers import run

ROOT = Path(__file__).parents[2]
START = "import sys; sys.argv[0] = 'indist'; from indist._cli import main; main()"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def start(*words: object, stdout: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", START, *map(str, words)],
        env=ENVIRONMENT,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


KEPT = "finished models are kept, --resume continues"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_is_a_sentence_and_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    out = tmp_path / "refs"
    with start("references", "circles", "-o", out, "--models", 4096) as process:
        while not (out / "original" / "manifest.json").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.Signals[name])
        _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.Signals[name]
    assert said.splitlines()[-1] == f"indist: ended by {name}; {KEPT}"
    assert "Traceback" not in said
    left = [path.name for path in out.rglob(".*")]
    assert left == []


LOST = """
import gc, os, signal, time
from indist._cli._endings import end_on_signals, plain_ends
end_on_signals()
gc.callbacks.append(lambda phase, _: phase == "start" and os.kill(os.getpid(), signal.SIGTERM))
with plain_ends():
    gc.collect()
    gc.callbacks.clear()
    time.sleep(30)
"""


def test_a_signal_is_not_lost_where_nothing_can_be_raised() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOST], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 143
    assert done.stderr == "indist: ended by SIGTERM\n"


def test_a_signal_that_is_ignored_stays_so() -> None:
    numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    hook = sys.unraisablehook
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        end_on_signals()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        with pytest.raises(Ended):
            signal.raise_signal(signal.SIGTERM)
        # A second one is not held up by whatever cleans up after the first.
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        sys.unraisablehook = hook
        for name, handler in before.items():
            signal.signal(name, handler)


@pytest.mark.parametrize("words", [("scenarios",), ("formats",), ("--help",), ("audit", "--help")])
def test_a_reader_that_goes_is_no_error(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with start(*words, stdout=writing) as process:
        os.close(writing)
        _, said = process.communicate(timeout=120)
    assert said == ""
    assert process.returncode in (1, 141)


def test_a_report_is_whole_when_its_reader_goes(tmp_path: Path) -> None:
    refs, made, out = (tmp_path / name for name in ("refs", "made", "out"))
    assert run("references", "circles", "-o", refs, "--models", 2).exit_code == 0
    words = ("--method", "identity", "--references", refs, "--models", 1, "-o", made)
    assert run("unlearn", "circles", *words).exit_code == 0
    with start("audit", made, "--references", refs, "-o", out) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("1 submitted")
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 141
    assert {"single.json", "report.html"} <= {path.name for path in out.iterdir()}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "indist: out of memory; finished"),
        (MemoryError("Unable to allocate 9 GiB"), "out of memory (Unable to allocate 9 GiB); "),
        (RuntimeError("RESOURCE_EXHAUSTED: 9 bytes\nmore"), "(RESOURCE_EXHAUSTED: 9 bytes); "),
        (
            FileNotFoundError(2, "No such file", "/x"),
            "/x: cannot be read or written (No such file)",
        ),
        (OSError(28, "No space left on device"), "cannot be read or written (No space left on"),
        (OSError(0, "9 bytes are more than 3", "a"), "indist: a: 9 bytes are more than 3"),
        (OSError("only words"), "indist: only words"),
    ],
)
def test_errors_of_the_system_are_sentences(
    error: Exception, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*, resume: bool = False) -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        plain_errors(fail)()
    assert ended.value.exit_code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        (audit, ""),
        (score, ""),
        (ingest, ""),
        (demo, "; finished models are kept, running it again continues"),
        (study, "; finished models are kept, running it again continues"),
        (references, "; finished models are kept, --resume continues"),
        (memorize, "; finished models are kept, --resume continues"),
    ],
)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError(), Ended(15)])
def test_only_what_can_be_resumed_is_said_to_be(
    command: Callable[..., None],
    kept: str,
    error: BaseException,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The process of the tests is not to end.
    monkeypatch.setattr(os, "_exit", sys.exit)

    @functools.wraps(command)
    def interrupted(**_: object) -> None:
        raise error

    with pytest.raises((typer.Exit, SystemExit)), plain_ends():
        plain_errors(interrupted)()
    how = {"KeyboardInterrupt": "interrupted", "MemoryError": "out of memory"}
    said = how.get(type(error).__name__, "ended by SIGTERM")
    assert capsys.readouterr().err == f"indist: {said}{kept}\n"


def test_other_errors_of_a_program_stay_errors() -> None:
    def fail() -> None:
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        plain_errors(fail)()


@pytest.mark.parametrize(
    "words",
    [
        ("references", "circles", "--models", 2),
        ("memorize", "circles", "--models", 2),
        ("unlearn", "circles", "--method", "identity", "--models", 2),
        ("demo", "--scenario", "circles", "--models", 2),
        ("ingest", "TABLE"),
        ("audit", "TABLE", "--references", "REFERENCES"),
    ],
)
def test_a_folder_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, words: tuple[object, ...]
) -> None:
    if "REFERENCES" in words:
        assert run("references", "circles", "-o", tmp_path / "refs", "--models", 2).exit_code == 0
        made = run("unlearn", "circles", "--method", "identity", "--references", tmp_path / "refs",
                   "--models", 2, "-o", tmp_path / "made")  # fmt: skip
        assert made.exit_code == 0
        words = ("audit", tmp_path / "made", "--references", tmp_path / "refs")
    if "TABLE" in words:
        (tmp_path / "t.csv").write_text("model,probe,group,margin\n0,a,forget,1\n")
        words = tuple(tmp_path / "t.csv" if word == "TABLE" else word for word in words)
    done = run(*words, "-o", "/proc/nope")
    assert done.exit_code == 2, done.output
    said = " ".join(done.output.split())
    assert "/proc/nope" in said
    assert "No such file or directory" in said
    assert "[Errno" not in said
    assert ".report-" not in said


def test_nothing_is_left_after_an_audit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{m},p{p},forget,{rng.normal()}" for m in range(2) for p in range(2)]
    (tmp_path / "t.csv").write_text("\n".join(["model,probe,group,margin", *rows]))
    assert run("ingest", tmp_path / "t.csv", "-o", tmp_path / "t").exit_code == 0
    assert not list(tmp_path.rglob(".*"))
    assert not list(tmp_path.rglob(LOCK))
