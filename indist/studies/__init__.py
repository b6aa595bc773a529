"""Studies: the open questions of machine unlearning, each as one table with intervals.

Settings are one frozen dataclass a study; ``run`` fills its table cell by cell, and a second run in
the same folder goes on where the first stopped.
"""

from indist.studies._sandwich import Sandwich
from indist.studies._study import Study, read_rows
from indist.studies.algorithms._algorithms import Algorithms
from indist.studies.algorithms._generalise import Generalise
from indist.studies.claims import Claims
from indist.studies.discovery._discovery import Discovery
from indist.studies.efficiency._exchange_rate import ExchangeRate
from indist.studies.efficiency._precision import Precision
from indist.studies.scores._metric_audit import MetricAudit
from indist.studies.scores._score_nulls import ScoreNulls
from indist.studies.seeds._seeds import Seeds

STUDIES: dict[str, type[Study]] = {
    "claims": Claims,
    "algorithms": Algorithms,
    "discovery": Discovery,
    "precision": Precision,
    "exchange-rate": ExchangeRate,
    "generalise": Generalise,
    "metric-audit": MetricAudit,
    "score-nulls": ScoreNulls,
    "seeds": Seeds,
    "sandwich": Sandwich,
}
"""All studies by the name that ``indist study`` takes."""

__all__ = [
    "STUDIES",
    "Algorithms",
    "Claims",
    "Discovery",
    "ExchangeRate",
    "Generalise",
    "MetricAudit",
    "Precision",
    "Sandwich",
    "ScoreNulls",
    "Seeds",
    "Study",
    "read_rows",
]
