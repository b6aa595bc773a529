"""Unlearners by name."""

from collections.abc import Mapping
from typing import Any

from oracles.unlearners._amnesiac import Amnesiac
from oracles.unlearners._ascent import AscentDescent, GradientAscent
from oracles.unlearners._bad_teaching import BadTeaching
from oracles.unlearners._boundary_shrink import BoundaryShrink
from oracles.unlearners._certified_removal import NewtonRemoval
from oracles.unlearners._ct import ConvolutionTranspose
from oracles.unlearners._descent_to_delete import DescentDeletion
from oracles.unlearners._finetune import FineTune
from oracles.unlearners._fisher import FisherForgetting
from oracles.unlearners._identity import Identity
from oracles.unlearners._influence_expanded import InfluenceExpanded
from oracles.unlearners._influence_step import InfluenceStep
from oracles.unlearners._l1_sparse import L1Sparse
from oracles.unlearners._langevin import LangevinUnlearning
from oracles.unlearners._last_layers import FineTuneLast, RetrainLast
from oracles.unlearners._lf_ssd import LabelFreeDampening
from oracles.unlearners._matched_stopping import MatchedStopping
from oracles.unlearners._msg import MaskedSmallGradients
from oracles.unlearners._neggrad import NegGrad
from oracles.unlearners._noisy_fine_tuning import NoisyTuning
from oracles.unlearners._ntk_scrub import TangentScrub
from oracles.unlearners._output_suppression import OutputSuppression
from oracles.unlearners._potion import Potion
from oracles.unlearners._preference import NPO, GradDiff, SimNPO
from oracles.unlearners._private_identity import PrivateIdentity
from oracles.unlearners._prototype_subtraction import PrototypeSubtraction
from oracles.unlearners._random_label import RandomLabel
from oracles.unlearners._rem import RedirectMemorization
from oracles.unlearners._retrain import Retrain
from oracles.unlearners._rewind_to_delete import Rewind
from oracles.unlearners._rum import RefinedUnlearning
from oracles.unlearners._salun import SalUn
from oracles.unlearners._scrub import Scrub
from oracles.unlearners._scrub_rewind import ScrubRewind
from oracles.unlearners._sisa import SisaDeletion
from oracles.unlearners._ssd import SelectiveDampening
from oracles.unlearners._summation_form import SummationForm
from oracles.unlearners._unsir import Unsir

UNLEARNERS: Mapping[str, type[Any]] = {
    "identity": Identity,
    "retrain": Retrain,
    "finetune": FineTune,
    "neggrad": NegGrad,
    "gradient-ascent": GradientAscent,
    "ascent-descent": AscentDescent,
    "random-label": RandomLabel,
    "l1-sparse": L1Sparse,
    "cf-k": FineTuneLast,
    "eu-k": RetrainLast,
    "scrub": Scrub,
    "bad-t": BadTeaching,
    "ssd": SelectiveDampening,
    "salun": SalUn,
    "graddiff": GradDiff,
    "npo": NPO,
    "simnpo": SimNPO,
    "amnesiac": Amnesiac,
    "scrub-r": ScrubRewind,
    "lf-ssd": LabelFreeDampening,
    "potion": Potion,
    "msg": MaskedSmallGradients,
    "ct": ConvolutionTranspose,
    "unsir": Unsir,
    "boundary-shrink": BoundaryShrink,
    "rum": RefinedUnlearning,
    "rem": RedirectMemorization,
    "output-suppression": OutputSuppression,
    "prototype-subtraction": PrototypeSubtraction,
    "influence-expanded": InfluenceExpanded,
    "matched-stopping": MatchedStopping,
    "fisher": FisherForgetting,
    "ntk-scrub": TangentScrub,
    "influence": InfluenceStep,
    "sisa": SisaDeletion,
    "summation-form": SummationForm,
    "certified-removal": NewtonRemoval,
    "langevin": LangevinUnlearning,
    "descent-to-delete": DescentDeletion,
    "rewind-to-delete": Rewind,
    "noisy-fine-tuning": NoisyTuning,
    "private-identity": PrivateIdentity,
}
"""Name to settings class."""
