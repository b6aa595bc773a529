"""Making populations of models: training, unlearning, references, runs on random subsets.

Stands on learners, scenarios, unlearners, engines and storage.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
