"""Lower bounds on epsilon from a single model and many examples drawn by coins.

Stands on the Gaussian profile in `estimators.exact`.
"""
