"""What all results have in common: every field is described, and none can be changed."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest

import estimators
from estimators import Result


def result_classes() -> list[type[Result]]:
    for module in pkgutil.walk_packages(estimators.__path__, "estimators."):
        importlib.import_module(module.name)

    def below(kind: type[Result]) -> Iterator[type[Result]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    found = {each for each in below(Result) if each.__module__.startswith("estimators.")}
    return sorted(found, key=lambda each: each.__name__)


CLASSES = result_classes()


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_field_is_described_in_its_class_or_a_base(kind: type[Result]) -> None:
    described: set[str] = set()
    for each in kind.__mro__:
        section = re.search(r"^Attributes:\n((?: {4,}.*\n?)+)", inspect.getdoc(each) or "", re.M)
        described |= set(re.findall(r"^ {4}(\w+): ", section[1] if section else "", re.M))
    assert {field.name for field in dataclasses.fields(kind)} <= described


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_no_field_is_declared_twice(kind: type[Result]) -> None:
    bases = {name for base in kind.__mro__[1:] for name in getattr(base, "__annotations__", {})}
    assert not bases & set(kind.__dict__.get("__annotations__", {}))
    assert getattr(kind, "__dataclass_params__").frozen  # noqa: B009
