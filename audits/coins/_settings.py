"""What a design has sealed for its audit: its rules lie where designs are drawn and opened."""

from oracles.coin_designs.settings import CoinSettings as CoinSettings

DELTAS = (0.0, 1e-5, 0.001, 0.005, 0.01, 0.02)
"""Deltas at which reports give the bound; those that a question's level allows."""
