"""A number with its interval, as tables and studies hand it on."""

from typing import NamedTuple

from estimators import ConfidenceInterval


class Estimate(NamedTuple):
    """A number and the ends of its interval.

    Attributes:
        value: the number; NaN where it is undetermined.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, ends: ConfidenceInterval) -> "Estimate":
        """From an estimator's result for one number."""
        return cls(float(value), float(ends.low), float(ends.high))

    def scaled(self, factor: float) -> "Estimate":
        """In other units; the factor is not negative."""
        return Estimate(*(factor * number for number in self))
