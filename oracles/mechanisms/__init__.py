"""Mechanisms whose privacy curve is known: closed-form truth for tests, and claims to hold against.

Each is a frozen dataclass with ``delta(epsilon)``, its inverse ``epsilon(delta)`` and
``claim(delta)``; where it makes sense, ``sample(rng, n)`` draws from the pair. Users reach them as
``oracles.mechanisms.Gaussian(mu=1.0)``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
