"""The audit of many models against both references, from observables to a verdict and its page.

Stands on `audits.submissions`, `audits.claims`, `audits.certificate` and `audits.report`.
"""
