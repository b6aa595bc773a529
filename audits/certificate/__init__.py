"""The certificate: the model of the stored file, its JSON Schema, and its reader.

Stands on nothing else in `audits` but the reading of files.
"""
