"""Published tables of memorization and influence, and what a scenario's own runs say of both.

Stands on `audits.verdict` for comparisons of populations.
"""
