"""Audits know submissions: they read what was handed in, compare, decide and certify.

Users reach this package as ``from indist import audits``.
"""

from audits import formats, llm
from audits._audit import Audit, audit
from audits._certificate import Certificate, CertificateError, read_certificate
from audits._certify import Sandwich, certify, claim_of
from audits._datamodels import read_datamodels
from audits._feldman_zhang import (
    PublishedInfluence,
    PublishedMemorization,
    PublishedPairs,
    read_class_influence,
    read_influence_pairs,
    read_memorization,
)
from audits._influence_case import InfluenceCase, influence_case
from audits._lira import read_lira
from audits._plan import Plan, plan
from audits._reading import Limits, SubmissionError
from audits._references import ObservedReferences
from audits._results import (
    ClaimCheck,
    Comparison,
    Curve,
    Declaration,
    Forecast,
    GroupSummary,
    Nearest,
    ObservableDistance,
    OverUnlearned,
    Provenance,
)
from audits._sample_files import SampleFile, read_sample_pair, read_samples
from audits._scoreboard import MissingScore, Scoreboard, ScoreRow, score
from audits._single import (
    ErrorRate,
    GroupRank,
    LikelihoodRatio,
    RankTest,
    SingleAudit,
    audit_single,
)
from audits._submission import Submission, load
from audits._subset_models import SubsetModels
from audits._verify import verify

__all__ = [
    "Audit",
    "Certificate",
    "CertificateError",
    "ClaimCheck",
    "Comparison",
    "Curve",
    "Declaration",
    "ErrorRate",
    "Forecast",
    "GroupRank",
    "GroupSummary",
    "InfluenceCase",
    "LikelihoodRatio",
    "Limits",
    "MissingScore",
    "Nearest",
    "ObservableDistance",
    "ObservedReferences",
    "OverUnlearned",
    "Plan",
    "Provenance",
    "PublishedInfluence",
    "PublishedMemorization",
    "PublishedPairs",
    "RankTest",
    "SampleFile",
    "Sandwich",
    "ScoreRow",
    "Scoreboard",
    "SingleAudit",
    "Submission",
    "SubmissionError",
    "SubsetModels",
    "audit",
    "audit_single",
    "certify",
    "claim_of",
    "formats",
    "influence_case",
    "llm",
    "load",
    "plan",
    "read_certificate",
    "read_class_influence",
    "read_datamodels",
    "read_influence_pairs",
    "read_lira",
    "read_memorization",
    "read_sample_pair",
    "read_samples",
    "score",
    "verify",
]

__indist__ = True
