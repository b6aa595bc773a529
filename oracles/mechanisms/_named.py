"""Mechanisms by name, with their settings as text: what the command line needs."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from estimators.kinds import check_name
from oracles.mechanisms._certified_removal import CertifiedRemoval
from oracles.mechanisms._descent_to_delete import DescentToDelete
from oracles.mechanisms._gaussian import ComposedGaussian, Gaussian
from oracles.mechanisms._langevin import Langevin
from oracles.mechanisms._laplace import Laplace
from oracles.mechanisms._mechanism import Mechanism
from oracles.mechanisms._noisy_fine_tuning import NoisyFineTuning
from oracles.mechanisms._randomised_response import RandomisedResponse
from oracles.mechanisms._rewind_to_delete import RewindToDelete
from oracles.mechanisms._subsampled_gaussian import SubsampledGaussian

MECHANISMS: dict[str, type[Mechanism]] = {
    "gaussian": Gaussian,
    "laplace": Laplace,
    "randomised-response": RandomisedResponse,
    "composed-gaussian": ComposedGaussian,
    "subsampled-gaussian": SubsampledGaussian,
    "certified-removal": CertifiedRemoval,
    "descent-to-delete": DescentToDelete,
    "rewind-to-delete": RewindToDelete,
    "langevin": Langevin,
    "noisy-fine-tuning": NoisyFineTuning,
}
"""Name to mechanism."""


def mechanism(name: str, settings: Mapping[str, Any]) -> Mechanism:
    """The mechanism of a name, with settings given as numbers or as text.

    Args:
        name: one of the keys of `MECHANISMS`.
        settings: the mechanism's arguments by name; text is read as a number, or as numbers
            separated by commas where a tuple is wanted.

    Returns:
        The mechanism, its settings checked.

    Raises:
        ValueError: when the name or a setting is not known, one is missing, or a value is not a
            number or lies outside its range.

    Example:
        >>> from indist import oracles
        >>> oracles.mechanisms.mechanism("gaussian", {"mu": "0.5"})
        Gaussian(mu=0.5)
    """
    check_name(name, "mechanism", MECHANISMS, "one name of")
    kind = MECHANISMS[name]
    fields = {field.name: field for field in dataclasses.fields(kind)}  # pyright: ignore[reportArgumentType]
    for key in settings:
        check_name(key, name, fields, "one setting of")
    missing = [
        key
        for key, field in fields.items()
        if field.default is dataclasses.MISSING and key not in settings
    ]
    if missing:
        raise ValueError(
            f"{name}: expected settings {', '.join(fields)}; missing {', '.join(missing)}"
        )
    values = {
        key: _parsed(f"{name}: {key}", fields[key].type, value) for key, value in settings.items()
    }
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


_READERS: dict[Any, tuple[str, Callable[[str], Any]]] = {
    int: ("a whole number", int),
    tuple[float, ...]: (
        "numbers between commas",
        lambda text: tuple(float(part) for part in text.split(",")),
    ),
}


def _parsed(where: str, kind: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    expected, read = _READERS.get(kind, ("a number", float))
    try:
        return read(value)
    except ValueError:
        raise ValueError(f"{where}: expected {expected}, found {value!r}") from None
