"""Exchange rates: how much more of B retraining would need to do as well as an unlearner."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import isotonic_regression

from indist.studies._shown import signed_ends

Worth = Literal["beyond discovery", "worth more", "worth less", "undetermined"]


class Exchange(NamedTuple):
    """An exchange rate in γ and the ends of its interval; None where no γ < 1 matches."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def monotone(values: Float[np.ndarray, "draws grid"]) -> Float[np.ndarray, "draws grid"]:
    """Each row's nearest sequence that never rises, by least squares."""
    return np.stack([isotonic_regression(row, increasing=False).x for row in values])


def equal_discovery(
    gammas: Float[np.ndarray, " grid"],
    falling: Float[np.ndarray, "draws grid"],
    wanted: Float[np.ndarray, " draws"],
) -> Float[np.ndarray, " draws"]:
    """The least γ at which a falling broken line is at most ``wanted``.

    Args:
        gammas: increasing, from 0 on.
        falling: a line a draw, never rising.
        wanted: a number a draw.

    Returns:
        γ, or infinity where the line's end is still above.

    Example:
        >>> import numpy as np
        >>> line = np.array([[1.0, 0.8, 0.2]])
        >>> equal_discovery(np.array([0.0, 0.5, 0.9]), line, np.array([0.5])).item()
        0.7
    """
    under = falling <= wanted[:, None]
    after = np.maximum(under.argmax(axis=1), 1)
    row = np.arange(len(falling))
    top, bottom = falling[row, after - 1], falling[row, after]
    drop = np.where(top > bottom, top - bottom, 1.0)
    share = np.clip((top - wanted) / drop, 0.0, 1.0)
    found = gammas[after - 1] + share * (gammas[after] - gammas[after - 1])
    return np.where(under.any(axis=1), found, np.inf)


def exchanged(
    discovery: float, equal: float, draws: Float[np.ndarray, " draws"], level: float
) -> tuple[Exchange, Worth]:
    """An exchange rate with its percentile interval, and what it says.

    Args:
        discovery: γ of the arm.
        equal: γ at which retraining does as well, infinite where none does.
        draws: the same of resampled models.
        level: both tails together.

    Returns:
        The rate, its numbers None where they are infinite; and ``beyond discovery`` when no γ < 1
        matches, ``worth more`` or ``worth less`` than retraining without the same S, or
        ``undetermined``.
    """
    low = float(np.quantile(draws, level / 2, method="lower")) - discovery
    high = float(np.quantile(draws, 1 - level / 2, method="higher")) - discovery
    numbers = (equal - discovery, low, high)
    rate = Exchange(*(float(number) if np.isfinite(number) else None for number in numbers))
    if np.isinf(low):
        return rate, "beyond discovery"
    if low > 0 or high < 0:
        return rate, "worth more" if low > 0 else "worth less"
    return rate, "undetermined"


def shown_exchange(rate: Exchange) -> str:
    """An exchange rate for people, its interval rounded outward.

    Example:
        >>> shown_exchange(Exchange(0.5, 0.42, None))
        '+0.50 [+0.42, no γ < 1]'
        >>> shown_exchange(Exchange())
        'none: no γ < 1 matches'
    """
    if rate.low is None:
        return "none: no γ < 1 matches"
    none = "no γ < 1"
    value = none if rate.value is None else f"{rate.value:+.2f}"
    low, high = signed_ends(rate.low, rate.low if rate.high is None else rate.high)
    return f"{value} [{low}, {none if rate.high is None else high}]"
