"""Published tables of memorization and influence, and what a scenario's own runs say of both.

Stands on `audits.verdict` for comparisons of populations.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
