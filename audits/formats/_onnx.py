"""ONNX models, run by onnxruntime on the references' probes: one file a model.

A model is a program: it runs in a process of its own, with limits on its time and memory, and
twice, as models that draw random numbers have no logits to be compared.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import oracles
from audits._reading import Limits, file_size, refuse
from audits.formats._content import Content, run_content
from audits.formats._mapping import Mapping
from audits.formats._sandbox import Sandbox
from oracles import Observations, Probes

KIND = "onnx"
SUFFIX = ".onnx"

# The key under which a tensor says in which other file its numbers are. Text that merely contains
# it is refused too, as a graph is not parsed here.
_ELSEWHERE = b"location"


@dataclass(frozen=True, eq=False)
class OnnxFiles:
    """ONNX models, one read and run at a time.

    Attributes:
        path: file or folder that holds them.
        files: one a model.
        output: name of the output that is logits, or None where there is one only.
        limits: what is read is checked against.
    """

    path: Path
    files: tuple[Path, ...]
    output: str | None
    limits: Limits

    @property
    def models(self) -> int:
        """How many there are."""
        return len(self.files)

    def observe(self, probes: Probes, learner: "oracles.Learner") -> Observations:
        """Logits of every model at the probes.

        Args:
            probes: the probes of the references; a model takes their inputs as they are.
            learner: not used, as a model brings its own graph.

        Raises:
            SubmissionError: when onnxruntime is not installed or refuses a model, a model takes
                longer or more memory than the limits allow, or gives another shape than
                ``[probes, classes]``, numbers that are not finite, or others on a second run.
        """
        del learner
        rows: list[np.ndarray] = []
        with Sandbox(self.limits) as guest:
            inputs = guest.array("inputs.safetensors", probes.inputs)
            for file in self.files:
                logits = self._run(guest, file, inputs)
                expected = rows[0].shape if rows else (len(probes), *logits.shape[1:2])
                if logits.shape != expected or logits.ndim != 2 or logits.shape[1] < 2:
                    wanted = f"[{len(probes)}, classes]" if not rows else str(list(expected))
                    refuse(file, f"expected logits {wanted}, found shape {list(logits.shape)[:8]}")
                if not rows and logits.size * 4 * self.models > self.limits.array_bytes:
                    refuse(
                        file,
                        f"expected at most {self.limits.array_bytes} bytes of logits, found "
                        f"{logits.size * 4 * self.models}",
                    )
                rows.append(logits)
        logits = np.stack(rows)
        return Observations(logits, probes.labels, probes.groups, probes.ids, probes.persons)

    def _run(self, guest: Sandbox, file: Path, inputs: Path) -> np.ndarray:
        data = file.read_bytes()
        if _ELSEWHERE in data:
            refuse(file, "expected weights inside the file, found what may name another file")
        guest.ask(
            "run-onnx",
            file,
            "",
            len(data),
            file=str(guest.file("model.onnx", data)),
            inputs=str(inputs),
            output=self.output,
            result=str(guest.place("logits.safetensors")),
        )
        return guest.arrays("logits.safetensors", file, "")["values"]


def read(path: Path, mapping: Mapping, limits: Limits) -> Content:
    """Reads the names of models; each is read when it is run.

    Args:
        path: a file, or a folder of ``.onnx`` files.
        mapping: ``select.output`` where a model has several outputs.
        limits: the most that a model may hold.

    Returns:
        Models to be run, in the order of their names.

    Raises:
        SubmissionError: when there is no model, or too many or too large ones.
    """
    mapping.check_used(KIND, select=("output",))
    files = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    if not 1 <= len(files) <= limits.models:
        refuse(path, f"expected 1 to {limits.models} models, found {len(files)}")
    for file in files:
        if (size := file_size(file)) > limits.array_bytes:
            refuse(file, f"expected at most {limits.array_bytes} bytes, found {size}")
    output = None
    if "output" in mapping.select:
        output = mapping.selected(path, "output", str, "the name of an output")
    return run_content(path, OnnxFiles(path, tuple(files), output, limits), mapping)
