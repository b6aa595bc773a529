"""Users' own data: one small class for each kind of file, which reads itself and trusts nothing.

Example:
    >>> import numpy as np
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from oracles import data
    >>> with TemporaryDirectory() as folder:
    ...     np.savez(Path(folder, "train.npz"), x=np.eye(3), y=np.arange(3))
    ...     found = data.Npz(path="train.npz").read(Path(folder))
    >>> found.examples.labels
    array([0, 1, 2], dtype=int32)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
