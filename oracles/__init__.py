"""Oracles know models: scenarios, learners, vectorised populations, references and unlearners.

Users reach this package as ``from indist import oracles``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__indist__ = True
