from ._estimate import Estimate as Estimate
from ._measured import TARGETS as TARGETS
from ._measured import MemorizationStudy as MemorizationStudy
