"""Laws of counts, and plain computations on samples, that every bound stands on.

Stands on nothing but NumPy, SciPy and the checks of `estimators`.
"""
