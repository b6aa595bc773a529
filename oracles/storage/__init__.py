"""Files: arrays, digests, folders of shards and their manifests, read and written safely.

Stands on nothing but NumPy and safetensors.
"""
