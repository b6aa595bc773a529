"""Studies: the open questions of machine unlearning, each as one table with intervals.

Settings are one frozen dataclass a study; ``run`` fills its table cell by cell, and a second run in
the same folder goes on where the first stopped.
"""

from indist.studies._algorithms import Algorithms
from indist.studies._sandwich import Sandwich
from indist.studies._study import Study, read_rows

STUDIES: dict[str, type[Study]] = {
    "algorithms": Algorithms,
    "sandwich": Sandwich,
}
"""All studies by the name that ``indist study`` takes."""

__all__ = ["STUDIES", "Algorithms", "Sandwich", "Study", "read_rows"]
