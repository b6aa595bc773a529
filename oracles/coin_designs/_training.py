"""Training all models of a design in one compiled program, each on its own part of D."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from oracles.populations._training import Training


@dataclass(frozen=True, eq=False)
class CoinTraining(Training):
    """The task of training models, each on examples that its own coins chose.

    All models see one array, D with every candidate in it; what one of them trains on is said by
    its plan alone. A plan, and so the bits of the model, depends on which examples are included and
    on the key, and on nothing else: whoever was never in and whoever was taken out leave no trace.

    Attributes:
        included: whether each model trains on each example of D.
        commitment: of the design.
    """

    included: Bool[np.ndarray, "models train"]
    commitment: str

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the bits of the models depend on."""
        return super().recipe | {"coins": self.commitment}

    def arguments(self, models: Int[np.ndarray, " width"]) -> Any:
        """Index of each model, and which examples it trains on."""
        return models.astype(np.uint32), self.included[models]
