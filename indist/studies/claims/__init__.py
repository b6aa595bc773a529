"""The ledger of what "Is your algorithm unlearning or untraining?" (2026) claims.

A row a claim or part of one: where it was measured, the estimate with its interval, and whether
that supports or refutes the claim.
"""

from indist.studies.claims._exact import forged
from indist.studies.claims._ledger import Claims

__all__ = ["Claims", "forged"]
