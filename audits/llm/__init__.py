"""Audits of language-model benchmarks: what their logs allow to be said, without any model.

Users reach this package as ``from indist import audits``, then ``audits.llm``.
"""

from audits.llm._audit import LLMAudit, compare
from audits.llm._erasure import read_erasure
from audits.llm._findings import MetricComparison, PrivLeak, ReferenceComparison
from audits.llm._load import load, load_all
from audits.llm._log import LLMLog
from audits.llm._muse import read_muse, read_muse_table
from audits.llm._open_unlearning import read_open_unlearning
from audits.llm._privleak import membership_auc
from audits.llm._tofu import read_tofu
from audits.llm._truth_ratio import LnTruthRatio, ln_truth_ratio

__all__ = [
    "LLMAudit",
    "LLMLog",
    "LnTruthRatio",
    "MetricComparison",
    "PrivLeak",
    "ReferenceComparison",
    "compare",
    "ln_truth_ratio",
    "load",
    "load_all",
    "membership_auc",
    "read_erasure",
    "read_muse",
    "read_muse_table",
    "read_open_unlearning",
    "read_tofu",
]
