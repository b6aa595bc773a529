"""Memorization and cross-influence from models trained on random subsets.

Stands on the exact laws in `estimators.exact`.
"""
