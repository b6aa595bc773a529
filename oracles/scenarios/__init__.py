"""The built-in scenarios: small frozen settings, each of which builds one world.

Example:
    >>> from indist import oracles
    >>> sorted(oracles.scenarios.SCENARIOS)
    ['cancer-source', 'circles', 'digits-class', 'digits-memorized', 'digits-random-labels',
     'digits-subclass', 'digits-swap', 'digits-trigger', 'digits-typical', 'logistic-3v8',
     'mnist-trigger', 'sequences']
    >>> oracles.scenarios.load("circles", discovery=0.25, seed=0).discovery
    0.25
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
