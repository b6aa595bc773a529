"""Arrays of other frameworks as the parameters of a learner: by name, by a map, or by order.

By order, the k-th array of a state dict is the k-th parameter in the order in which the learner's
module makes them, and PyTorch's layout becomes flax's by these rules alone, never by trying:

=====================  ================================  ======================================
parameter of learner   2 axes in the file, [out, in]     4 axes in the file, [out, in, h, w]
=====================  ================================  ======================================
``kernel`` (flax)      transposed to [in, out]           transposed to [h, w, in, out]
``kernel_*`` (oracles) as it is, [out, in]               [out, h, w, in] as [out, h·w·in]
any other              as it is                          as it is
=====================  ================================  ======================================

After them the shape must be the parameter's. A flax ``Dense`` layer behind flattened images reads
its inputs in another order than PyTorch's (height, width, colour): it needs a map with steps.

PyTorch's parallel and compiled modules put ``module.`` and ``_orig_mod.`` before every name. Where
all arrays of a file share them they are left out, and a map may name the arrays either way.
"""

from collections.abc import Callable, Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

import oracles
from audits._reading import Limits, refuse
from audits.formats._mapping import Mapping, Source
from oracles import Observations, Probes

_WRAPPERS = ("module.", "_orig_mod.")


@dataclass(frozen=True, eq=False)
class ParameterFiles:
    """Models as parameters, one read and run at a time.

    Attributes:
        path: file or folder that holds them.
        names: what each model is called in messages.
        read: the arrays of each model in turn, by name in the file's order.
        mapping: from those arrays to the learner's parameters.
        limits: what is read is checked against.
    """

    path: Path
    names: tuple[str, ...]
    read: Callable[[], Iterator[dict[str, np.ndarray]]]
    mapping: Mapping
    limits: Limits

    @property
    def models(self) -> int:
        """How many there are."""
        return len(self.names)

    def observe(self, probes: Probes, learner: "oracles.Learner") -> Observations:
        """Logits of every model at the probes.

        Args:
            probes: the probes of the references.
            learner: the learner of the references.

        Raises:
            SubmissionError: when a parameter is missing, unknown, of another shape or not finite,
                or a logit is not finite.
        """
        # Loaded on use: reading takes no JAX.
        import jax
        from flax.traverse_util import flatten_dict, unflatten_dict

        fresh: Any = learner.init(jax.random.key(0), probes.inputs)
        expected = {
            "/".join(map(str, name)): tuple(leaf.shape)
            for name, leaf in cast(Any, flatten_dict(dict(fresh))).items()
        }
        run: Any = jax.jit(learner.logits)
        rows: list[np.ndarray] = []
        for name, arrays in zip(self.names, self.read(), strict=True):
            fitted = fit(self.path, name, arrays, expected, self.mapping)
            tree: Any = unflatten_dict({tuple(k.split("/")): v for k, v in fitted.items()})
            logits = np.asarray(run(tree, probes.inputs))
            if not np.isfinite(logits).all():
                refuse(self.path, f"model {name[-60:]}: expected finite logits, found others")
            if not rows and logits.size * 4 * self.models > self.limits.array_bytes:
                found = logits.size * 4 * self.models
                refuse(
                    self.path,
                    f"expected at most {self.limits.array_bytes} bytes of logits, found {found}",
                )
            rows.append(logits)
        logits = np.stack(rows)
        return Observations(logits, probes.labels, probes.groups, probes.ids, probes.persons)


def fit(
    path: Path,
    model: str,
    arrays: AnyMapping[str, np.ndarray],
    expected: AnyMapping[str, tuple[int, ...]],
    mapping: Mapping,
) -> dict[str, np.ndarray]:
    """The learner's parameters from a model's arrays.

    Args:
        path: of the model in messages.
        model: its name in messages.
        arrays: by name, in the file's order.
        expected: shape of each parameter by its path, in the order of their making.
        mapping: says which array each parameter is; without, they must have the same names.

    Returns:
        Parameters by path, float32.

    Raises:
        SubmissionError: when arrays are missing, unused, of another shape, or not finite.
    """
    shown = f"model {model[-60:]}"
    wrapper = _wrapper(arrays)
    arrays = {name.removeprefix(wrapper): array for name, array in arrays.items()}
    if mapping.parameters == "order":
        if len(arrays) != len(expected):
            refuse(
                path,
                f"{shown}: expected {len(expected)} arrays, one a parameter, found {len(arrays)}"
                f"{_first_of(arrays, expected)}",
            )
        pairs = {
            to: (name, _from_torch(to, arrays[name]))
            for to, name in zip(expected, arrays, strict=True)
        }
    else:
        named = {name.removeprefix("params/"): name for name in arrays}
        plan = {
            to: Source(name=source.name.removeprefix(wrapper) or source.name, steps=source.steps)
            for to, source in (mapping.parameters or {}).items()
        } or {to: Source(name=named.get(to, to)) for to in expected}
        pairs = {
            to: (plan[to].name, _after(mapping.file, to, plan[to], arrays[plan[to].name]))
            for to in expected
            if to in plan and plan[to].name in arrays
        }
        for to in expected:
            if to not in pairs:
                source = f" from array {plan[to].name!r}" if to in plan else ""
                refuse(
                    path,
                    f"{shown}: parameter {to!r}: expected{source}, found none among "
                    f"{_listed(arrays)}; field parameters of its mapping {mapping.file.name} says "
                    "which array each parameter is, or is 'order'",
                )
        for name in sorted(set(plan) - set(expected)):
            refuse(mapping.file, f"field parameters: the learner has no {name[:60]!r}")
        for name in sorted(set(arrays) - {name for name, _ in pairs.values()}):
            refuse(
                path, f"{shown}: array {name[:60]!r}: expected a parameter of the learner's only"
            )
    return {
        to: _checked(path, shown, to, name, array, expected[to])
        for to, (name, array) in pairs.items()
    }


def _wrapper(names: AnyMapping[str, Any]) -> str:
    """What wrappers put before every name, or nothing."""
    found = ""
    while names:
        longer = [
            found + prefix
            for prefix in _WRAPPERS
            if all(name.startswith(found + prefix) for name in names)
        ]
        if not longer:
            return found
        (found,) = longer
    return found


def _from_torch(to: str, array: np.ndarray) -> np.ndarray:
    leaf = to.rpartition("/")[2]
    if leaf == "kernel" and array.ndim == 2:
        return array.T
    if leaf == "kernel" and array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    if leaf.startswith("kernel_") and array.ndim == 4:
        return array.transpose(0, 2, 3, 1).reshape(len(array), -1)
    return array


def _after(file: Path, to: str, source: Source, array: np.ndarray) -> np.ndarray:
    for step in source.steps:
        try:
            if step.reshape is not None:
                array = array.reshape(step.reshape)
            else:
                array = array.transpose(step.transpose)
        except (ValueError, TypeError, OverflowError):
            refuse(
                file,
                f"field parameters.{to[:60]}: expected steps that fit shape {list(array.shape)}, "
                f"found {(step.reshape or step.transpose or [])[:8]}",
            )
    return array


def _checked(
    path: Path, shown: str, to: str, name: str, array: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    if array.dtype.kind != "f":
        refuse(path, f"{shown}: array {name[:60]!r}: expected real numbers, found {array.dtype}")
    if array.shape != shape:
        refuse(
            path,
            f"{shown}: array {name[:60]!r}: expected shape {list(shape)} for {to!r}, found "
            f"{list(array.shape)[:8]}",
        )
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(values).all():
        refuse(path, f"{shown}: array {name[:60]!r}: expected finite numbers, found others")
    return values


def _listed(arrays: AnyMapping[str, Any]) -> str:
    """The first names, short."""
    names = ", ".join(repr(name[:60]) for name in list(arrays)[:6])
    return f"the arrays {names}{f' and {len(arrays) - 6} more' if len(arrays) > 6 else ''}"


def _first_of(arrays: AnyMapping[str, Any], expected: AnyMapping[str, Any]) -> str:
    """The first arrays that have no counterpart, as a hint."""
    beyond = list(arrays)[len(expected) :]
    return f", {beyond[0][:60]!r} the first beyond them" if beyond else ""
