"""The unlearning literature's scores as published, each with an interval and its own null.

Every score takes arrays, a submission's models against a reference's. `calibrate` says what a value
means: beside it the reference against itself, and the original.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
