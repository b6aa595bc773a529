from ._relearn import relearn as relearn
from ._training import Excluded as Excluded
