"""The audit of many models against both references, from observables to a verdict and its page.

Stands on `audits.submissions`, `audits.claims`, `audits.certificate` and `audits.report`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
