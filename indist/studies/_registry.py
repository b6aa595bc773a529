"""The studies by the names that ``indist study`` takes."""

from indist.studies._sandwich import Sandwich
from indist.studies._study import Study
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
