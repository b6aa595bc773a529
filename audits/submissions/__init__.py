"""What was handed in, from files to observations at the references' probes.

Stands on `audits.formats` and `audits.claims`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
