"""Estimators know arrays: from samples to a number with its error bars.

Users reach this package as ``from indist import estimators``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__indist__ = True
