"""Built-in flax modules, laid out feature-major: XLA compiles ``W @ h`` best inside a loop.

Weights are ``[out, in]`` and activations ``[features, ..., batch]`` inside; inputs and outputs keep
the batch first, as everywhere. Each module is equal to its plain flax.linen form.

``cpu_block_width`` is how many models a compiled program should hold on a CPU, as measured by
``benchmarks/training.py``: beyond it a block leaves the core's cache.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
