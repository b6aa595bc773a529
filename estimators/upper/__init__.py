"""Upper bounds on the divergence over a declared class of events.

Stands on the laws of counts in `estimators.exact`, and shares its results with `estimators.lower`.
"""
