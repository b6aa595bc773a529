"""What was handed in, from files to observations at the references' probes.

Stands on `audits.formats` and `audits.claims`.
"""
