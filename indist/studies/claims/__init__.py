"""The ledger of what "Is your algorithm unlearning or untraining?" (2026) claims.

A row a claim or part of one: where it was measured, the estimate with its interval, and whether
that supports or refutes the claim.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
