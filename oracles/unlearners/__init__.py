"""The built-in unlearners: one frozen settings dataclass each, one contract for all.

An unlearner is called for one model, ``(learner, θ0, S, R, key) → θ``, with R = D∖S. It is pure
JAX and runs for any number of models at once. It is handed S and R and nothing else: which of R
belongs to the behaviour B it cannot know.

Example:
    >>> from indist import oracles
    >>> " ".join(sorted(oracles.unlearners.UNLEARNERS)[:4])
    'ascent-descent bad-t cf-k eu-k'
"""

from collections.abc import Mapping
from typing import Any

from oracles.unlearners._ascent import AscentDescent, GradientAscent
from oracles.unlearners._bad_teaching import BadTeaching
from oracles.unlearners._contract import Unlearner
from oracles.unlearners._finetune import FineTune
from oracles.unlearners._identity import Identity
from oracles.unlearners._l1_sparse import L1Sparse
from oracles.unlearners._last_layers import FineTuneLast, RetrainLast
from oracles.unlearners._neggrad import NegGrad
from oracles.unlearners._preference import NPO, GradDiff, SimNPO
from oracles.unlearners._random_label import RandomLabel
from oracles.unlearners._retrain import Retrain
from oracles.unlearners._salun import SalUn
from oracles.unlearners._scrub import Scrub
from oracles.unlearners._ssd import SelectiveDampening

__all__ = [
    "NPO",
    "UNLEARNERS",
    "AscentDescent",
    "BadTeaching",
    "FineTune",
    "FineTuneLast",
    "GradDiff",
    "GradientAscent",
    "Identity",
    "L1Sparse",
    "NegGrad",
    "RandomLabel",
    "Retrain",
    "RetrainLast",
    "SalUn",
    "Scrub",
    "SelectiveDampening",
    "SimNPO",
    "Unlearner",
]

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
}
"""Name to settings class."""
