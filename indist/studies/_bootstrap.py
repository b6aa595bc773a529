"""Bootstrap weights of models."""

import numpy as np
from jaxtyping import Float


def resampled_shares(
    models: int, draws: int, rng: np.random.Generator
) -> Float[np.ndarray, "draws models"]:
    """The share of each model in each draw with replacement, so that ``shares @ x`` are means."""
    drawn = rng.integers(models, size=(draws, models)) + models * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * models).reshape(draws, models) / models
