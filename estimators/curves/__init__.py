"""Point estimates with bands: divergence curves, trade-off curves, areas and rates.

Stands on `estimators.exact`, and on the bounds of `estimators.lower` and `estimators.upper`.
"""
