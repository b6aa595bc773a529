"""Runs before any test: shapes and types are checked at run time, and JAX has two devices.

What JAX compiles is kept beside this file, for other workers and for the next run.
"""

import os
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parent / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
# A cache of limited size is also one that is locked while it is written.
os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(2**30))

from jaxtyping import install_import_hook

CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
install_import_hook(["estimators", "oracles", "audits", "indist"], CHECKER)
