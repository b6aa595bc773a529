"""Claims of (epsilon, delta): of a mechanism, of two sample files, or declared by a submission.

Stands on nothing else in `audits` but the reading of files.
"""
