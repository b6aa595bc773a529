"""Numbers as people read them: two decimals, and no interval made tighter by rounding."""

import math

from audits.report.numbers import down, up


def shown_ends(low: float, high: float) -> str:
    """An interval, rounded outward.

    Example:
        >>> shown_ends(0.412, 0.588)
        '[0.41, 0.59]'
        >>> shown_ends(-0.57, 0.57)
        '[-0.57, 0.57]'
    """
    return f"[{_hyphened(down(low, 2))}, {_hyphened(up(high, 2))}]"


def shown_interval(value: float, low: float, high: float) -> str:
    """A number with its interval, rounded outward.

    Example:
        >>> shown_interval(0.5, 0.412, 0.588)
        '0.50 [0.41, 0.59]'
    """
    return f"{value:.2f} {shown_ends(low, high)}"


def at_least(bound: float) -> str:
    """A lower bound alone: three leading digits, rounded down.

    Example:
        >>> at_least(2.9396), at_least(4.605), at_least(0.0)
        ('2.93', '4.6', '0')
    """
    return _shortened(down(bound, _digits(bound)))


def at_most(bound: float) -> str:
    """An upper bound alone: three leading digits, rounded up.

    Example:
        >>> at_most(16.342), at_most(0.2)
        ('16.4', '0.2')
    """
    return _shortened(up(bound, _digits(bound)))


def signed_ends(low: float, high: float) -> tuple[str, str]:
    """Both ends of an interval with their signs, rounded outward.

    Example:
        >>> signed_ends(-0.123, 0.456)
        ('-0.13', '+0.46')
    """
    # Rounded first, as differences of decimal fractions are a hair off.
    return _signed(down(round(low, 9), 2)), _signed(up(round(high, 9), 2))


def _digits(number: float) -> int:
    return 2 - math.floor(math.log10(abs(number))) if number else 0


def _shortened(text: str) -> str:
    return _hyphened(text.rstrip("0").rstrip(".") if "." in text else text)


def _signed(text: str) -> str:
    text = _hyphened(text)
    return text if text.startswith("-") else f"+{text}"


def _hyphened(text: str) -> str:
    # Tables that studies have written say minus with a hyphen.
    return text.replace("\N{MINUS SIGN}", "-")
