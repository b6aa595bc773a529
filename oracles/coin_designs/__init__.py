"""Designs by coins: which candidates one model trains on, and which of them it is to forget.

A design is drawn once, by fair coins, before any model is trained. Its commitment is published, its
coins are sealed, and an audit opens them later: one model is then enough to convict an unlearner.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
