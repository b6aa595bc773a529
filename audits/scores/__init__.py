"""The literature's scores in one table, under both references, each beside its null.

Stands on `audits.submissions` and on `estimators.scores`.
"""
