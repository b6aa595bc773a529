"""Tests of whether two populations are equal, side by side in one panel.

Stands on nothing but NumPy, SciPy, scikit-learn and the checks of `estimators`.
"""
