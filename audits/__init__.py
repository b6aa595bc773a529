"""Audits know submissions: they read what was handed in, compare, decide and certify.

Users reach this package as ``from indist import audits``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__indist__ = True
