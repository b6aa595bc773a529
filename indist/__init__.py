"""Audits of machine unlearning: like a model that never saw the forget set, or the behaviour?

The public face of the project. The three floors below it are reached through this door::

    from indist import estimators, oracles, audits

They are loaded on first use, so ``import indist`` costs nothing and needs no JAX.
"""

import importlib
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from indist._version import __version__

if TYPE_CHECKING:
    import audits as audits
    import estimators as estimators
    import oracles as oracles

__all__ = ["__version__", "audits", "estimators", "oracles"]

_FLOORS = ("audits", "estimators", "oracles")


def __getattr__(name: str) -> ModuleType:
    if name not in _FLOORS:
        raise AttributeError(f"module 'indist' has no attribute {name!r}")
    _refuse_namesakes()
    module = importlib.import_module(name)
    if getattr(module, "__indist__", None) is not True:
        where = getattr(module, "__file__", None) or list(getattr(module, "__path__", ["?"]))[0]
        raise ImportError(
            f"indist needs its own package '{name}', but Python found another one at {where}: "
            f"rename that file or folder, or run from elsewhere"
        )
    return module


def _refuse_namesakes() -> None:
    """Refuses to be imported by a file that Python took for one of its own modules, such as csv.py.

    Python was loading that module for a library that indist needs: the library would fail, and
    what it says would point at indist.
    """
    library = os.path.dirname(os.__file__)
    for name in sys.stdlib_module_names & sys.modules.keys():
        module = sys.modules[name]
        file = getattr(module, "__file__", None)
        loading = getattr(getattr(module, "__spec__", None), "_initializing", False)
        if loading and file and not file.startswith(library):
            raise ImportError(
                f"{file} has the name of Python's own module '{name}', which indist needs: rename "
                "that file"
            )


def __dir__() -> list[str]:
    return sorted(__all__)
