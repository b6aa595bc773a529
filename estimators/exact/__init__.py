"""Laws of counts, and plain computations on samples, that every bound stands on.

Stands on nothing but NumPy, SciPy and the checks of `estimators`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
