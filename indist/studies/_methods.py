"""Unlearners as studies list them, and the settings that a cell depends on."""

from dataclasses import asdict
from typing import Any

import oracles


def every_method() -> tuple[str, ...]:
    """All unlearners, and the oracles beside them."""
    return (*oracles.unlearners.UNLEARNERS, *oracles.ORACLES)


def methods_for_any_learner() -> tuple[str, ...]:
    """All methods but those that ask for a learner of their own."""
    kinds = oracles.unlearners.UNLEARNERS
    return tuple(
        name for name in every_method() if getattr(kinds.get(name), "learner", None) is None
    )


def method_settings(method: str) -> dict[str, Any]:
    """The default settings of an unlearner; none for an oracle."""
    kind = oracles.unlearners.UNLEARNERS.get(method)
    return asdict(kind()) if kind else {}
