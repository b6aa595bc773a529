"""Studies: the open questions of machine unlearning, each as one table with intervals.

Settings are one frozen dataclass a study; ``run`` fills its table cell by cell, and a second run in
the same folder goes on where the first stopped.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
