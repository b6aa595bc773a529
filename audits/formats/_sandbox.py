"""Strangers' models run in a process of their own, with limits on its time and memory.

A model is a program: a graph may loop for ever or ask for all memory. What ONNX Runtime and PyTorch
make of a file therefore happens in a second process (`audits.formats._guest`), which is stopped
when a request takes longer than `Limits.seconds` and a second for each 100 MB of the file, and may
hold no more than `Limits.memory_bytes` and eight times the file's own size beyond what it held at
its start. Its answers are read as a stranger's files are. It is a limit on what a model can cost,
and no jail: a fault in those libraries that lets a file take over the process gives it what the
user may do. Where the system has no such limits on memory (Windows, and macOS in part), time alone
is limited.
"""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from audits._reading import ANY_NUMBERS, Limits, refuse, safetensors_header

# Where this very package was found, whatever else the guest's own search path holds.
_ROOT = Path(__file__).resolve().parents[2]
_START = (
    f"import sys; sys.path.insert(0, {str(_ROOT)!r}); "
    "from audits.formats._guest import main; main()"
)
# A fresh process loads its libraries before it looks at anything of a stranger's.
_SECONDS_TO_START = 120.0
# A large file takes its time to be read, whoever made it.
_BYTES_A_SECOND = 1e8


class Sandbox:
    """A second process that answers requests about one stranger's files, started on first use.

    Args:
        limits: what a request may cost.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._read_ahead = b""
        self._folder = tempfile.TemporaryDirectory(prefix="indist-guest-")

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._folder.cleanup()

    def place(self, name: str) -> Path:
        """Where a file of that name lies in the folder that both processes see."""
        return Path(self._folder.name) / name

    def file(self, name: str, data: bytes) -> Path:
        """Writes a file there."""
        path = self.place(name)
        path.write_bytes(data)
        return path

    def array(self, name: str, values: np.ndarray) -> Path:
        """Writes one array there, under the key ``values``."""
        path = self.place(name)
        save_file({"values": np.ascontiguousarray(values)}, path)
        return path

    def ask(self, work: str, path: Path, called: str, size: int, **request: Any) -> Any:
        """Has a request answered within the limits.

        Args:
            work: which of the guest's functions, by name.
            path: the file in messages.
            called: what in it, with a colon, or nothing.
            size: bytes of what is read, which the guest may hold beside its share of memory.
            **request: what that function takes, as JSON values.

        Returns:
            Its JSON value.

        Raises:
            SubmissionError: with the guest's own sentence, or when it took too long, too much
                memory, or stopped.
        """
        limits = self._limits
        most = limits.memory_bytes + 8 * size
        seconds = limits.seconds + size / _BYTES_A_SECOND
        task = {"work": work, "memory": most, "seconds": seconds, **request}
        try:
            answer = self._answer(json.dumps(task).encode(), seconds)
        except TimeoutError:
            self._stop()
            refuse(
                path,
                f"{called}expected a model that answers within {seconds:.3g} seconds, found "
                "one that does not; from Python, "
                "audits.load(path, limits=audits.Limits(seconds=60)) waits longer",
            )
        if answer is None:
            self._stop()
            refuse(
                path,
                f"{called}expected a model that runs within {most} bytes of memory, found one that "
                "needs more or ends the process it runs in; from Python, audits.load(path, "
                f"limits=audits.Limits(memory_bytes={4 * limits.memory_bytes})) allows more",
            )
        if "refused" in answer:
            refuse(path, f"{called}{str(answer['refused'])[:1000]}")
        return answer.get("value")

    def arrays(self, name: str, path: Path, called: str) -> dict[str, np.ndarray]:
        """Arrays that the guest wrote, by name, checked as a stranger's.

        Raises:
            SubmissionError: when they are not whole or too large.
        """
        written = self.place(name)
        try:
            safetensors_header(written, self._limits, ANY_NUMBERS)
            return dict(load_file(written))
        except (SafetensorError, OSError, ValueError) as error:
            refuse(path, f"{called}expected whole arrays, found others ({error})")

    def _answer(self, line: bytes, seconds: float) -> dict[str, Any] | None:
        """The answer to a line; None when the process ends without a word.

        A first line back, empty, says that the library is loaded, and the time of the model begins.
        """
        if self._process is None:
            self._process = self._started()
            if self._read(_SECONDS_TO_START) is None:
                return None
        stream = self._process.stdin
        assert stream is not None
        try:
            stream.write(line + b"\n")
            stream.flush()
        except OSError:
            return None
        loaded = self._read(_SECONDS_TO_START)
        return loaded if loaded is None or loaded else self._read(seconds)

    def _read(self, seconds: float) -> dict[str, Any] | None:
        assert self._process is not None
        stream = self._process.stdout
        assert stream is not None
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as ready:
            ready.register(stream, selectors.EVENT_READ)
            while b"\n" not in self._read_ahead:
                if not ready.select(max(0.0, end - time.monotonic())):
                    raise TimeoutError
                part = os.read(stream.fileno(), 1 << 16)
                self._read_ahead += part
                if not part or len(self._read_ahead) > self._limits.header_bytes:
                    return None
        line, _, self._read_ahead = self._read_ahead.partition(b"\n")
        try:
            found = json.loads(line)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # -P: nothing in the folder it runs in is ever imported.
            [sys.executable, "-P", "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            start_new_session=True,
        )

    def _stop(self) -> None:
        if self._process is None:
            return
        process, self._process, self._read_ahead = self._process, None, b""
        process.kill()
        process.communicate()
