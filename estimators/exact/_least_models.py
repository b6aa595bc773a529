"""The least number of models that is enough for a goal."""

import math
from collections.abc import Callable


def least_models(
    enough: Callable[[int], bool], *, most: int, least: int = 1, start: int = 1, within: float = 0.0
) -> int | None:
    """The least number of models that is enough, by growing it twofold and then bisecting.

    Args:
        enough: whether a number of models is enough; once it is, greater numbers must be, too.
        most: the greatest number tried.
        least: the least number tried.
        start: the number tried first; the closer to the answer, the fewer calls.
        within: how far above the least number the answer may be, as a share of it.

    Returns:
        The number, or None where even ``most`` is not enough.

    Example:
        >>> least_models(lambda models: models**0.5 >= 20.0, most=10_000)
        400
        >>> print(least_models(lambda models: models**0.5 >= 20.0, most=300))
        None
    """
    short, found = least - 1, min(max(start, least), most)
    while not enough(found):
        if found >= most:
            return None
        short, found = found, min(2 * found, most)
    while found - short > 1 and found > (1.0 + within) * short:
        # Halves the ratio of the two, which narrows a wide bracket faster than their mean does.
        middle = min(max(round(math.sqrt(short * found)), short + 1), found - 1)
        short, found = (short, middle) if enough(middle) else (middle, found)
    return found
