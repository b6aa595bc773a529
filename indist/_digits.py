"""scikit-learn's images of digits, told again among a scenario's training examples."""

import numpy as np
from jaxtyping import Float, Int


def digits_shown(inputs: Float[np.ndarray, "n pixels"]) -> Int[np.ndarray, " n"]:
    """What each image shows, where it is one of scikit-learn's digits unchanged; else -1."""
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(return_X_y=True)
    known = {
        row.tobytes(): int(digit)
        for row, digit in zip((pixels / 16).astype(np.float32), digits, strict=True)
    }
    return np.array([known.get(row.tobytes(), -1) for row in inputs.astype(np.float32)])
