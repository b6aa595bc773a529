"""Engines: where the models of a population are made. The bits are the same everywhere.

| name | where |
|---|---|
| ``local`` | on all devices of this process |
| ``ray`` | on a Ray cluster of this machine, one worker a core, started for the occasion |
| ``ray://HOST:PORT`` | on a running Ray cluster; its nodes see the same folder |
| ``distributed`` | on all processes of a `jax.distributed` job, which see the same folder |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
