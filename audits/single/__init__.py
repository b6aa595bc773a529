"""The audit of one model: how it ranks among the models of each reference.

Stands on `audits.submissions`, on `audits.verdict` for observables, and on `audits.report`.
"""
