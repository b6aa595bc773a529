"""Recomputing what a folder says from what is stored in it.

Stands on all rooms whose results have a folder.
"""
