"""Audits know submissions: they read what was handed in, compare, decide and certify.

Users reach this package as ``from indist import audits``.
"""

from audits import formats, llm
from audits._plan import Plan, plan
from audits._reading import Limits, SubmissionError
from audits._verify import verify
from audits.certificate._certificate import Certificate, CertificateError, read_certificate
from audits.claims._certify import Sandwich, certify, claim_of
from audits.claims._sample_files import SampleFile, read_sample_pair, read_samples
from audits.memorization._datamodels import read_datamodels
from audits.memorization._feldman_zhang import (
    PublishedInfluence,
    PublishedMemorization,
    PublishedPairs,
    read_class_influence,
    read_influence_pairs,
    read_memorization,
)
from audits.memorization._influence_case import InfluenceCase, influence_case
from audits.memorization._lira import read_lira
from audits.memorization._subset_models import SubsetModels
from audits.scores._scoreboard import MissingScore, Scoreboard, ScoreRow, score
from audits.single._audit import (
    ErrorRate,
    GroupRank,
    LikelihoodRatio,
    RankTest,
    SingleAudit,
    audit_single,
)
from audits.submissions._observed import ObservedReferences
from audits.submissions._submission import Submission, load
from audits.verdict._audit import Audit, audit
from audits.verdict._results import (
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
