"""Estimators know arrays: from samples to a number with its error bars.

Users reach this package as ``from indist import estimators``.
"""

from estimators import scores
from estimators._results import ConfidenceInterval, Result
from estimators.curves._auc import AUC, auc
from estimators.curves._hockey_stick import HockeyStick, hockey_stick
from estimators.curves._privacy_profile import PrivacyProfile, privacy_profile
from estimators.curves._renyi import (
    GaussianPlugin,
    HistogramPlugin,
    RenyiDivergence,
    renyi_divergence,
)
from estimators.curves._total_variation import TotalVariation, total_variation
from estimators.curves._tpr_at_fpr import TPRAtFPR, tpr_at_fpr
from estimators.curves._tradeoff_curve import TradeoffCurve, tradeoff_curve
from estimators.exact._gaussian_dp import GaussianShift, gaussian_dp
from estimators.influence._arm_intervals import (
    AgrestiCaffo,
    ArmsMethod,
    Newcombe,
    PseudoCountWelch,
    Welch,
)
from estimators.influence._cross_influence import CrossInfluence, cross_influence
from estimators.influence._datamodel import (
    Datamodel,
    LinearDatamodelingScore,
    datamodel,
    linear_datamodeling_score,
)
from estimators.influence._exact_difference import ExactDifference
from estimators.influence._exceeding import Exceeding
from estimators.influence._inclusion import Arms
from estimators.influence._memorization import Memorization, memorization
from estimators.influence._models_needed import models_needed
from estimators.influence._set_memorization import SetMemorization, set_memorization
from estimators.lower._anytime import Anytime, AnytimeBound, anytime_delta_bound
from estimators.lower._band_method import DKW, EqualLocalLevel
from estimators.lower._bayesian import Bayesian
from estimators.lower._bound_results import DeltaBound, EpsilonBound
from estimators.lower._bounds import LowerBoundMethod, delta_lower_bound, epsilon_lower_bound
from estimators.lower._clopper_pearson import ClopperPearson
from estimators.lower._gaussian_method import GaussianDP
from estimators.lower._rank_grid import RankGrid
from estimators.lower._split import Split
from estimators.lower._witness import Witness
from estimators.one_run._one_run import (
    BinomialGuesses,
    OneRunEpsilon,
    TradeoffGuesses,
    one_run_epsilon,
    one_run_epsilon_from_counts,
)
from estimators.two_sample._panel import TwoSamplePanel, two_sample_panel
from estimators.upper._events import EventClass, HalfLines, IntervalUnions, Letters
from estimators.upper._smoothed_events import Noised
from estimators.upper._upper import delta_upper_bound

__all__ = [
    "AUC",
    "DKW",
    "AgrestiCaffo",
    "Anytime",
    "AnytimeBound",
    "Arms",
    "ArmsMethod",
    "Bayesian",
    "BinomialGuesses",
    "ClopperPearson",
    "ConfidenceInterval",
    "CrossInfluence",
    "Datamodel",
    "DeltaBound",
    "EpsilonBound",
    "EqualLocalLevel",
    "EventClass",
    "ExactDifference",
    "Exceeding",
    "GaussianDP",
    "GaussianPlugin",
    "GaussianShift",
    "HalfLines",
    "HistogramPlugin",
    "HockeyStick",
    "IntervalUnions",
    "Letters",
    "LinearDatamodelingScore",
    "LowerBoundMethod",
    "Memorization",
    "Newcombe",
    "Noised",
    "OneRunEpsilon",
    "PrivacyProfile",
    "PseudoCountWelch",
    "RankGrid",
    "RenyiDivergence",
    "Result",
    "SetMemorization",
    "Split",
    "TPRAtFPR",
    "TotalVariation",
    "TradeoffCurve",
    "TradeoffGuesses",
    "TwoSamplePanel",
    "Welch",
    "Witness",
    "anytime_delta_bound",
    "auc",
    "cross_influence",
    "datamodel",
    "delta_lower_bound",
    "delta_upper_bound",
    "epsilon_lower_bound",
    "gaussian_dp",
    "hockey_stick",
    "linear_datamodeling_score",
    "memorization",
    "models_needed",
    "one_run_epsilon",
    "one_run_epsilon_from_counts",
    "privacy_profile",
    "renyi_divergence",
    "scores",
    "set_memorization",
    "total_variation",
    "tpr_at_fpr",
    "tradeoff_curve",
    "two_sample_panel",
]

__indist__ = True
