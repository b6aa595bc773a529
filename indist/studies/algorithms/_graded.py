"""Grades of submissions in a table: where distances tie, which is ahead on the way."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import audits
from indist.studies._shown import shown_interval


class Graded(NamedTuple):
    """Progress of a group's median margin from the original (0) to a reference (1).

    None where there is nothing to make progress on, or models are too few.
    """

    progress: float | None
    progress_low: float | None
    progress_high: float | None

    @classmethod
    def of(cls, audit: audits.Audit, reference: str, group: str) -> "Graded":
        """As the audit found it, at the confidence of all its grades together."""
        row = audit.way(reference, group)
        return UNKNOWN if row is None else cls(row.estimate, row.low, row.high)

    @property
    def off(self) -> tuple[float, float, float]:
        """How far off the reference it is, |1 - progress|, and the ends of its interval."""
        if self.progress is None or self.progress_low is None or self.progress_high is None:
            return math.inf, 0.0, math.inf
        ends = abs(1.0 - self.progress_low), abs(1.0 - self.progress_high)
        inside = self.progress_low <= 1.0 <= self.progress_high
        return abs(1.0 - self.progress), 0.0 if inside else min(ends), max(ends)


UNKNOWN = Graded(None, None, None)
"""Where there is nothing to make progress on, or nobody has asked."""


def shown_grade(grade: Graded) -> str:
    """A progress with its interval; empty where there is none."""
    if grade.progress is None or grade.progress_low is None or grade.progress_high is None:
        return ""
    return shown_interval(grade.progress, grade.progress_low, grade.progress_high)


def ordered_pairs(
    scenarios: Sequence[str], grades: Sequence[tuple[Graded, Graded]]
) -> tuple[int, dict[str, int]]:
    """Pairs of submissions in one scenario, and how many of them grades order.

    A pair is ordered by a reference where the intervals of |1 - progress| of the two lie apart.
    Each audit's intervals hold together at its confidence 1 - alpha, each way and group having its
    part of alpha: the order of one pair is wrong with probability below alpha.

    Args:
        scenarios: of each submission that ties with the others.
        grades: its progress to T and to A(D∖B).

    Returns:
        The number of pairs, and of those ordered for untraining, for unlearning, and for either.
    """
    cells = list(zip(scenarios, grades, strict=True))
    pairs = [
        (first, second)
        for (scenario, first), (other, second) in combinations(cells, 2)
        if scenario == other
    ]
    found = Counter({"untraining": 0, "unlearning": 0, "either": 0})
    for first, second in pairs:
        untraining, unlearning = (_apart(*each) for each in zip(first, second, strict=True))
        found["untraining"] += untraining
        found["unlearning"] += unlearning
        found["either"] += untraining or unlearning
    return len(pairs), dict(found)


def _apart(first: Graded, second: Graded) -> bool:
    (_, low, high), (_, other_low, other_high) = first.off, second.off
    return high < other_low or other_high < low
