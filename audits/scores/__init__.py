"""The literature's scores in one table, under both references, each beside its null.

Stands on `audits.submissions`, on `audits.report` for its text, and on `estimators.scores`.
"""
