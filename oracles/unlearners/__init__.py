"""The built-in unlearners: one frozen settings dataclass each, one contract for all.

An unlearner is called for one model, ``(learner, θ0, S, R, key) → θ``, with R = D∖S. It is pure
JAX and runs for any number of models at once. It is handed S and R and nothing else: which of R
belongs to the behaviour B it cannot know.

Example:
    >>> from indist import oracles
    >>> " ".join(sorted(oracles.unlearners.UNLEARNERS)[:4])
    'amnesiac ascent-descent bad-t boundary-shrink'
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
