"""Bootstrap draws of models."""

import numpy as np
from jaxtyping import Int


def resampled_counts(
    models: int, draws: int, rng: np.random.Generator
) -> Int[np.ndarray, "draws models"]:
    """How often each model is drawn, in each bootstrap draw of as many models as there are.

    Divided by the number of models they are weights: a weighted mean is the mean of the draw.

    Args:
        models: how many models there are, at least 1.
        draws: how many draws.
        rng: of the draws.

    Returns:
        Counts; each row sums to ``models``.

    Example:
        >>> import numpy as np
        >>> resampled_counts(4, 3, np.random.default_rng(0)).sum(axis=1)
        array([4, 4, 4])
    """
    # Integers are drawn, as a multinomial depends on the machine's mathematical library.
    chosen = rng.integers(models, size=(draws, models)) + models * np.arange(draws)[:, None]
    return np.bincount(chosen.ravel(), minlength=draws * models).reshape(draws, models)
