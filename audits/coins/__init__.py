"""Audits by coins: what one model, or a few, allow to be said of a forget set drawn by coins.

No reference is trained: the coins that were not tossed so are what a model is compared with.
"""
