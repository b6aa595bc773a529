"""What every estimator returns: a frozen, non-iterable result that prints as a short table."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

if TYPE_CHECKING:
    import pandas as pd

INDEPENDENT = "models are independent, within each population and between the two"


@dataclass(frozen=True, eq=False)
class ConfidenceInterval:
    """The two ends of an interval, each a number or an array of the estimate's shape.

    Attributes:
        low: the lower end; for a one-sided upper bound, the least possible value.
        high: the upper end; for a one-sided lower bound, the greatest possible value.
    """

    low: Float[np.ndarray, "..."]
    high: Float[np.ndarray, "..."]


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(ABC):
    """The shared face of all results: a title, a table, and below it what they rest on.

    Attributes:
        assumptions: what the numbers rest on.
        warnings: what a reader should know.
    """

    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @abstractmethod
    def _title(self) -> str:
        """One line: what was estimated, from how many models, at what confidence, and how."""

    @abstractmethod
    def to_dataframe(self) -> "pd.DataFrame":
        """The result as a table, a row for each number; undetermined numbers are missing."""

    def _remarks(self) -> list[str]:
        return [f"assumes: {text}" for text in self.assumptions] + [
            f"warning: {text}" for text in self.warnings
        ]

    def __str__(self) -> str:
        table = self.to_dataframe()
        text = table.to_string(
            index=False, max_rows=20, float_format=lambda x: f"{x:.4g}", na_rep="undetermined"
        )
        return "\n".join([self._title(), text, *self._remarks()])

    def _repr_html_(self) -> str:
        table = self.to_dataframe().to_html(index=False, max_rows=20, na_rep="undetermined")
        remarks = "".join(f"<p>{escape(text)}</p>" for text in self._remarks())
        return f"<div><p><strong>{escape(self._title())}</strong></p>{table}{remarks}</div>"


@dataclass(frozen=True, eq=False, kw_only=True)
class Interval(Result):
    """A result with a confidence interval.

    Attributes:
        confidence_interval: the interval of the estimate; a bound has the trivial other end.
        confidence_level: probability with which each interval holds, one minus its level.
        method: how the interval is found, in words.
    """

    confidence_interval: ConfidenceInterval
    confidence_level: float
    method: str


@dataclass(frozen=True, eq=False, kw_only=True)
class TwoPopulations(Result):
    """A result about two populations, from samples of models of each.

    Attributes:
        n_p: models of P, the first population.
        n_q: models of Q, the second.
    """

    n_p: int
    n_q: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Undetermined(Result):
    """A result whose numbers may be undetermined.

    Attributes:
        undetermined: true where no data of these sizes could say anything. The numbers there are
            trivial, and missing from the table.
    """

    undetermined: Bool[np.ndarray, "..."]
