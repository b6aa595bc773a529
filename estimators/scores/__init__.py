"""The unlearning literature's scores as published, each with an interval and its own null.

Every score takes arrays, a submission's models against a reference's. `calibrate` says what a value
means: beside it the reference against itself, and the original.
"""

from estimators.scores._calibrate import (
    Calibration,
    ModelsNeeded,
    Spread,
    calibrate,
    score_models_needed,
)
from estimators.scores._compared import (
    Compared,
    auc_per_model,
    compared,
    mean_difference,
    tpr_per_model,
)
from estimators.scores._competition import (
    CompetitionScore,
    competition,
    competition_epsilon,
    final_score,
    forgetting_quality,
)
from estimators.scores._corrective import corrective_accuracy
from estimators.scores._distances import (
    activation_distance,
    activation_distance_value,
    zrf_per_model,
)
from estimators.scores._generation import extraction_strength, model_utility
from estimators.scores._klom import KLoMScore, klom, klom_per_example, klom_value
from estimators.scores._lira import lira_scores, rmia_scores
from estimators.scores._membership import (
    adaptive_unlearning_score,
    indiscernibility,
    logistic_attack,
    modified_entropy,
    sape,
    svc_attack,
)
from estimators.scores._privleak import min_k_score, privleak, privleak_value
from estimators.scores._score import Score
from estimators.scores._subset_guessing import (
    SubsetEpsilon,
    guess_overlaps,
    subset_guessing_epsilon,
)
from estimators.scores._tofu import ForgetQuality, forget_quality, truth_ratio
from estimators.scores._tow import TugOfWar, tow, tow_factors, tow_mia, tow_value
from estimators.scores._ulira import (
    ULiRAScore,
    ulira,
    ulira_log_ratios,
    ulira_per_example,
    ulira_value,
)

__all__ = [
    "Calibration",
    "Compared",
    "CompetitionScore",
    "ForgetQuality",
    "KLoMScore",
    "ModelsNeeded",
    "Score",
    "Spread",
    "SubsetEpsilon",
    "TugOfWar",
    "ULiRAScore",
    "activation_distance",
    "activation_distance_value",
    "adaptive_unlearning_score",
    "auc_per_model",
    "calibrate",
    "compared",
    "competition",
    "competition_epsilon",
    "corrective_accuracy",
    "extraction_strength",
    "final_score",
    "forget_quality",
    "forgetting_quality",
    "guess_overlaps",
    "indiscernibility",
    "klom",
    "klom_per_example",
    "klom_value",
    "lira_scores",
    "logistic_attack",
    "mean_difference",
    "min_k_score",
    "model_utility",
    "modified_entropy",
    "privleak",
    "privleak_value",
    "rmia_scores",
    "sape",
    "score_models_needed",
    "subset_guessing_epsilon",
    "svc_attack",
    "tow",
    "tow_factors",
    "tow_mia",
    "tow_value",
    "tpr_per_model",
    "truth_ratio",
    "ulira",
    "ulira_log_ratios",
    "ulira_per_example",
    "ulira_value",
    "zrf_per_model",
]
