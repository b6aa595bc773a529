"""Numbers as a reader sees them: few digits, and no bound made tighter by rounding.

Reports, terminal tables, figures and studies all show numbers by these functions.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

__all__ = [
    "about",
    "count",
    "counted",
    "down",
    "equation",
    "interval",
    "level",
    "near",
    "percent",
    "plain",
    "pvalue",
    "rounded_up",
    "up",
]

_MOST_DIGITS = 6
_PERCENT = "\N{NO-BREAK SPACE}%"


def _round(value: float, digits: int, rounding: str) -> Decimal:
    # Rounds the shortest decimal that stands for the float: 0.2 must not become 0.201 for its last
    # bit.
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), rounding=rounding)


def _text(value: Decimal) -> str:
    return f"{value:f}".replace("-", "\N{MINUS SIGN}") if value else f"{abs(value):f}"


def near(value: float, digits: int = 3) -> str:
    """An estimate, rounded to the nearest.

    Example:
        >>> near(0.12345)
        '0.123'
    """
    return _text(_round(value, digits, ROUND_HALF_EVEN))


def down(value: float, digits: int = 3, limit: float | None = None) -> str:
    """A lower end, rounded down; more digits are shown until it compares with ``limit`` rightly.

    Example:
        >>> down(0.1239), down(0.20004, limit=0.2)
        ('0.123', '0.20004')
    """
    while limit is not None and digits < _MOST_DIGITS:
        if (_round(value, digits, ROUND_FLOOR) > Decimal(repr(limit))) == (value > limit):
            break
        digits += 1
    return _text(_round(value, digits, ROUND_FLOOR))


def up(value: float, digits: int = 3, limit: float | None = None) -> str:
    """An upper end, rounded up; more digits are shown until it compares with ``limit`` rightly.

    Example:
        >>> up(0.1231), up(0.19996, limit=0.2), up(0.1999, limit=0.1995)
        ('0.124', '0.200', '0.200')
    """
    while limit is not None and digits < _MOST_DIGITS:
        if (_round(value, digits, ROUND_CEILING) <= Decimal(repr(limit))) == (value <= limit):
            break
        digits += 1
    return _text(_round(value, digits, ROUND_CEILING))


def interval(low: float, high: float, digits: int = 3, limit: float | None = None) -> str:
    """Both ends, each rounded outward.

    Example:
        >>> interval(0.1239, 0.4561)
        '0.123 to 0.457'
    """
    return f"{down(low, digits, limit)} to {up(high, digits, limit)}"


def percent(share: float) -> str:
    r"""A share as a percentage.

    Example:
        >>> percent(0.98765)
        '98.8\xa0%'
    """
    return f"{near(100 * share, 1)}{_PERCENT}"


def level(confidence: float) -> str:
    r"""A confidence level, with no more digits than it has.

    Example:
        >>> level(0.95), level(0.975)
        ('95\xa0%', '97.5\xa0%')
    """
    return f"{plain(round(100 * confidence, 6))}{_PERCENT}"


def plain(value: float) -> str:
    """A declared number, as it was declared.

    Example:
        >>> plain(1.0), plain(0.2)
        ('1', '0.2')
    """
    return f"{value:.10g}".replace("-", "\N{MINUS SIGN}")


def count(number: int) -> str:
    """A whole number with its thousands apart.

    Example:
        >>> count(12345)
        '12,345'
    """
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """A whole number of things, the noun in its form for so many.

    Example:
        >>> counted(1, "tested example"), counted(12345, "model")
        ('1 tested example', '12,345 models')
    """
    return f"{count(number)} {noun}{'s' * (number != 1)}"


def rounded_up(number: int) -> int:
    """Two leading digits, rounded up, as befits a forecast.

    Example:
        >>> rounded_up(1234), rounded_up(87)
        (1300, 87)
    """
    step = 10 ** max(len(str(number)) - 2, 0)
    return -(-number // step) * step


def about(number: int) -> str:
    """A forecast: two leading digits, rounded up.

    Example:
        >>> about(1234)
        'about 1,300'
    """
    return f"about {count(rounded_up(number))}"


def pvalue(probability: float) -> str:
    """A p-value, rounded up.

    Example:
        >>> pvalue(0.01234), pvalue(1e-9)
        ('0.0124', 'below 0.0001')
    """
    return "below 0.0001" if probability < 1e-4 else up(probability, 4 if probability < 0.1 else 3)


def equation(probability: float) -> str:
    """A p-value with its letter.

    Example:
        >>> equation(0.01234), equation(1e-9)
        ('p = 0.0124', 'p < 0.0001')
    """
    return "p < 0.0001" if probability < 1e-4 else f"p = {pvalue(probability)}"
