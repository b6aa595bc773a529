"""Lower bounds on the divergence, and on epsilon, that hold at a stated confidence.

Stands on the laws of counts in `estimators.exact`.
"""
