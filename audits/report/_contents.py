"""What an example is, as a page shows it: a small picture of an image, or words.

An input that is an image becomes an ``<svg>`` of its pixels, at most 32 by 32 of them, in few
colours. Few numbers, tokens and texts become words.
"""

from collections import defaultdict

import numpy as np
from jaxtyping import Float, Shaped
from markupsafe import Markup, escape

_SIDE = 32
"""The most pixels of a picture, down and across; of larger images blocks are averaged."""
_LEVELS = 16
"""Of each colour."""
_FLAT = {64: 8, 784: 28}
"""Images that are stored as a list of so many numbers in [0, 1], and how many are in a row."""
_NUMBERS, _TOKENS = 8, 40
"""The most that are said of an input."""

Given = Shaped[np.ndarray, "..."] | str
"""The input of a probe, or its text."""


def picture(given: Given, *, name: str) -> Markup | None:
    """The image as one ``<svg>`` element to stand inside an HTML page, or None where it is none.

    Args:
        given: an input: ``[rows, columns]``, with 1 or 3 colours as a last or first axis; or 64 or
            784 numbers in [0, 1], which are 8 by 8 or 28 by 28 pixels, 1 being ink.
        name: what is shown, for those who cannot see it.

    Example:
        >>> print(picture(np.eye(64)[9], name="a dot")[-41:])
        <path fill="#000" d="M1 1h1v1h-1"/></svg>
    """
    pixels = None if isinstance(given, str) else _pixels(given)
    if pixels is None:
        return None
    rows, columns = pixels.shape[:2]
    levels = np.round(pixels * (_LEVELS - 1)).astype(int)
    runs: dict[str, list[str]] = defaultdict(list)
    for row in range(rows):
        start = 0
        for column in range(1, columns + 1):
            if column < columns and (levels[row, column] == levels[row, start]).all():
                continue
            width = column - start
            colour = "#" + "".join(f"{level:x}" for level in levels[row, start])
            runs[colour].append(f"M{start} {row}h{width}v1h-{width}")
            start = column
    paths = "".join(
        f'<path fill="{colour}" d="{"".join(parts)}"/>' for colour, parts in runs.items()
    )
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns} {rows}" role="img" '
        f'shape-rendering="crispEdges" aria-label="{escape(name)}">{paths}</svg>'
    )


def words(given: Given) -> str:
    """The text of a probe; the numbers of a small input, or the first of a larger one; its tokens.

    Example:
        >>> words(np.array([0.25, -1.5])), words(np.array([3, 1, 4]))
        ('coordinates 0.25, -1.5', 'tokens 3 1 4')
        >>> words(np.zeros(30))
        '30 numbers: 0, 0, 0, 0, 0, 0, 0, 0, ...'
    """
    if isinstance(given, str):
        return given
    values = given.ravel()
    if values.dtype.kind in "iu":
        more = " ..." if values.size > _TOKENS else ""
        return f"tokens {' '.join(str(value) for value in values[:_TOKENS])}{more}"
    listed = ", ".join(f"{value:.3g}" for value in values[:_NUMBERS])
    if values.size <= _NUMBERS:
        return f"coordinates {listed}"
    return f"{values.size} numbers: {listed}, ..."


def _pixels(given: Shaped[np.ndarray, "..."]) -> Float[np.ndarray, "rows columns 3"] | None:
    """Colours in [0, 1]."""
    if not np.isfinite(given).all():
        return None
    if given.ndim == 1:
        side = _FLAT.get(given.size)
        if side is None or given.dtype.kind != "f" or given.min() < 0 or given.max() > 1:
            return None
        ink = given.astype(np.float64).reshape(side, side, 1)
        return np.repeat(1.0 - ink, 3, axis=2)
    image = given[:, :, None] if given.ndim == 2 else given
    if image.ndim != 3:
        return None
    if image.shape[2] not in (1, 3) and image.shape[0] in (1, 3):
        image = image.transpose(1, 2, 0)
    if image.shape[2] not in (1, 3) or min(image.shape[:2]) < 2:
        return None
    image = _small(image.astype(np.float64))
    low, high = min(float(image.min()), 0.0), max(float(image.max()), 1.0)
    return np.broadcast_to((image - low) / (high - low), (*image.shape[:2], 3))


def _small(
    image: Float[np.ndarray, "rows columns colours"],
) -> Float[np.ndarray, "less fewer colours"]:
    """At most 32 pixels down and across: means of square blocks."""
    block = -(-max(image.shape[:2]) // _SIDE)
    for axis in (0, 1):
        starts = np.arange(0, image.shape[axis], block)
        sizes = np.diff(np.append(starts, image.shape[axis]))
        sums = np.add.reduceat(image, starts, axis=axis)
        image = sums / np.expand_dims(sizes, axis=(1, 2) if axis == 0 else (0, 2))
    return image
