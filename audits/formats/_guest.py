"""The other side of `audits.formats._sandbox`: what runs a stranger's model, and nothing else.

It reads a request a line, and writes an answer a line. Each limit on time and memory is set before
the file is looked at, so a model that asks for more ends this process and nothing beside it.
"""

import importlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file


class Refused(Exception):
    """A file is not what it should be; the message is for people."""


def main() -> None:
    """Answers requests until there are no more."""
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _say(answers, {})
    held = 0
    for line in sys.stdin.buffer:
        task = json.loads(line)
        work, memory, seconds = _WORK[task.pop("work")], task.pop("memory"), task.pop("seconds")
        try:
            library = _library(work)
            # What the library takes to load is no cost of the model's.
            _say(answers, {})
            held = held or _bytes_held()
            _limit(held + memory, seconds)
            value = work(library, **task)
        except Refused as error:
            _say(answers, {"refused": str(error)})
        except MemoryError:
            os._exit(1)
        else:
            _say(answers, {"value": value})


def _say(stream: Any, value: Mapping[str, Any]) -> None:
    stream.write(json.dumps(value).encode() + b"\n")
    stream.flush()


def _library(work: Callable[..., Any]) -> Any:
    """The library that a piece of work needs, loaded before any limit is set."""
    name, what, extra = _LIBRARIES[work]
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Refused(f"{what}, which is not there; install indist[{extra}]") from None


def _bytes_held() -> int:
    """Address space that this process has; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _limit(memory: int, seconds: float) -> None:
    """Bounds what this process may hold, and how long it may compute from now on."""
    try:
        resource: Any = importlib.import_module("resource")
    except ImportError:
        return
    # Should nobody be left to stop it: all cores for as long as it may take, and a little more.
    computing = math.ceil(time.process_time() + seconds * (os.cpu_count() or 1) + 5)
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, computing)):
        _, hard = resource.getrlimit(kind)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, hard))


def _run_onnx(runtime: Any, file: str, inputs: str, output: str | None, result: str) -> list[int]:
    """Runs a graph twice on the inputs; both answers must be the same."""
    settings = runtime.SessionOptions()
    settings.log_severity_level = 4
    settings.enable_cpu_mem_arena = False
    values = load_file(inputs)["values"]
    try:
        with open(file, "rb") as model:
            session = runtime.InferenceSession(
                model.read(), settings, providers=["CPUExecutionProvider"]
            )
        entries = session.get_inputs()
        names = [result.name for result in session.get_outputs()]
        if len(entries) != 1:
            raise Refused(f"expected one input, found {len(entries)}")
        if output is None and len(names) != 1:
            raise Refused(f"field select.output of its mapping: expected one of {names[:8]}")
        chosen, feed = [output or names[0]], {entries[0].name: values}
        first, again = (np.asarray(session.run(chosen, feed)[0]) for _ in range(2))
    except Refused:
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:200]
        if "alloc" in why:
            raise MemoryError from None
        raise Refused(
            f"expected an ONNX model that takes the probes' inputs, found none ({why})"
        ) from None
    if first.dtype.kind != "f" or not np.isfinite(first).all():
        raise Refused("expected finite real logits, found others")
    if not np.array_equal(first, again):
        raise Refused(
            "expected the same logits each time it is run, found others: the graph draws random "
            "numbers, as with dropout left on"
        )
    save_file({"values": np.ascontiguousarray(first.astype(np.float32))}, result)
    return list(first.shape)


def _read_state(
    torch: Any, file: str, key: str | None, array_bytes: int, most_arrays: int, result: str
) -> list[str]:
    """Writes the tensors of a state dict as arrays, and says their names in its order."""
    held = _loaded(torch, file, numbers=False)
    if key is not None:
        if not isinstance(held, Mapping) or key not in held:
            raise Refused(f"expected {key!r} as select.key says, found none")
        held = held[key]
    if not isinstance(held, Mapping) or not held:
        raise Refused(f"expected tensors by name, found {type(held).__name__}")
    left, arrays = array_bytes, dict[str, np.ndarray]()
    if len(held) > most_arrays:
        raise Refused(f"expected at most {most_arrays} arrays, found {len(held)}")
    # Views may share their numbers, as tied layers do, or repeat a few without end.
    unfolded, most = 0, 4 * os.path.getsize(file)
    for name, tensor in held.items():
        shown = f"array {str(name)[:60]!r}"
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            hint = "; select.key may name what holds them" if isinstance(tensor, dict) else ""
            raise Refused(f"{shown}: expected a tensor, found {type(tensor).__name__}{hint}")
        if tensor.layout != torch.strided:
            raise Refused(f"{shown}: expected a dense tensor, found {tensor.layout}")
        unfolded += tensor.numel()
        if unfolded > most:
            raise Refused(
                f"{shown}: expected at most {most} numbers in all, four for each byte of the "
                f"tensors, found {unfolded}: a view repeats its numbers"
            )
        left -= tensor.numel() * 8
        if left < 0:
            raise Refused(f"{shown}: expected at most {array_bytes} bytes of numbers in all")
        plain = tensor.detach()
        arrays[name] = np.array((plain.float() if plain.is_floating_point() else plain).numpy())
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, result)
    return list(arrays)


def _read_numbers(torch: Any, file: str, population: str, example: int) -> list[float]:
    """The numbers that RULI's results hold of one example in one population."""
    held = _loaded(torch, file, numbers=True)
    if not isinstance(held, Mapping) or population not in held:
        raise Refused(f"expected a dict with {population!r}, found none")
    examples = held[population]
    if not isinstance(examples, Mapping) or example not in examples:
        raise Refused(f"field {population}: expected example {str(example)[:20]}, found none")
    numbers = examples[example]
    shown = f"field {population}.{example}"
    if not isinstance(numbers, list):
        raise Refused(f"{shown}: expected a list of numbers, found {type(numbers).__name__}")
    return [_number(shown, entry) for entry in numbers]


def _number(shown: str, entry: Any) -> float:
    plain = entry.item() if getattr(entry, "shape", None) in ((), (1,)) else entry
    if type(plain) not in (float, int):
        raise Refused(f"{shown}: expected numbers, found {type(plain).__name__} in it")
    if type(plain) is int and abs(plain) > 2**53:
        raise Refused(f"{shown}: expected numbers that float64 holds, found a greater integer")
    return float(plain)


def _loaded(torch: Any, file: str, *, numbers: bool) -> Any:
    allowed = torch.serialization.safe_globals(_number_types()) if numbers else nullcontext()
    try:
        with allowed:
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        why = " ".join(str(error).split())[:200]
        raise Refused(f"expected tensors, found what PyTorch refuses ({why})") from None


def _number_types() -> list[Any]:
    """What PyTorch must be told to rebuild single NumPy numbers."""
    core: Any = importlib.import_module("numpy._core.multiarray")
    kinds = [np.dtype(kind) for kind in ("f2", "f4", "f8", "i4", "i8")]
    # Files of NumPy 1 name the same function by another module.
    return [core.scalar, (core.scalar, "numpy.core.multiarray.scalar"), np.dtype, *map(type, kinds)]


_WORK: dict[str, Callable[..., Any]] = {
    "run-onnx": _run_onnx,
    "read-state": _read_state,
    "read-numbers": _read_numbers,
}
_LIBRARIES: dict[Callable[..., Any], tuple[str, str, str]] = {
    _run_onnx: ("onnxruntime", "is run by onnxruntime", "onnx"),
    _read_state: ("torch", "is read by PyTorch", "torch"),
    _read_numbers: ("torch", "is read by PyTorch", "torch"),
}
