"""Audits of language-model benchmarks: what their logs allow to be said, without any model.

Users reach this package as ``from indist import audits``, then ``audits.llm``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
