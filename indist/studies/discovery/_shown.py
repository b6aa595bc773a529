"""What a study of γ* says: γ* in words, and what it does to γ* how S lies in B."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from indist.studies._cells import Row


def curves_of(rows: list[Row]) -> list[list[Row]]:
    """The rows of each curve, γ rising."""
    curves: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        curves.setdefault((row["scenario"], row["found"], row["method"]), []).append(row)
    return list(curves.values())


def names_of(row: Row) -> dict[str, str]:
    """Which curve a row is of, for people."""
    return {"scenario": row["scenario"], "S in B": row["found"], "method": row["method"]}


def shown_star(row: Mapping[str, Any], scale: str) -> str:
    """γ* as the bounds show it.

    Args:
        row: of `Discovery.run`.
        scale: one of `SCALES`.

    Example:
        >>> shown_star({"rate_star_above": 0.2, "rate_star_by": 0.35}, "rate")
        '(0.2, 0.35]'
        >>> shown_star({"rate_star_above": 1.0}, "rate")
        'never, not even at S = B'
        >>> shown_star({"rate_star_above": 0.2}, "rate")
        'undetermined, above 0.2'
    """
    above, by = row[f"{scale}_star_above"], row.get(f"{scale}_star_by")
    if above == 1.0:
        return "never, not even at S = B"
    if by is not None:
        return f"({above:.2g}, {by:.2g}]"
    return f"undetermined, above {above:.2g}" if above else "undetermined"


def is_open(row: Mapping[str, Any], scale: str) -> bool:
    """Whether the bounds leave open from which γ on, if any, the method is like A(D∖B)."""
    return row[f"{scale}_star_above"] < 1.0 and row.get(f"{scale}_star_by") is None


def shown_about(row: Row, scale: str) -> str:
    """The estimate of γ* with the bootstrap's interval, and whether it contradicts the bounds.

    Example:
        >>> star = {"above": 0.2, "by": 0.5, "low": 0.2, "high": 0.5, "estimate": 0.5}
        >>> shown_about({f"rate_star_{key}": value for key, value in star.items()}, "rate")
        '0.5 (0.2, 0.5]'
    """
    keys = ("estimate", "low", "high", "above", "by")
    estimate, low, high, above, by = (row.get(f"{scale}_star_{key}") for key in keys)
    middle, end = (">1" if number is None else f"{number:.2g}" for number in (estimate, high))
    text = f"{middle} ({low:.2g}, {end}]"
    apart = (high is not None and high <= above) or (by is not None and low >= by)
    return f"{text}; the bounds say otherwise: it does not fall in γ" if apart else text


def counted(texts: Iterable[str]) -> str:
    """Equal texts once each, with how many there were."""
    return ", ".join(f"{text} ×{times}" for text, times in Counter(texts).most_common())


def laid(ends: list[Row], scale: str, what: str) -> str:
    """Where γ* differs between random S and another S of the same method and scenario."""
    by_names = {(row["scenario"], row["method"], row["found"]): row for row in ends}
    more, less, pairs = list[str](), list[str](), 0
    for (scenario, method, found), row in by_names.items():
        other = by_names.get((scenario, method, "random"))
        if found == "random" or other is None:
            continue
        pairs += 1
        text = f"{method} in {scenario} ({found})"
        for first, second, names in ((row, other, more), (other, row, less)):
            by = second.get(f"{scale}_star_by")
            if by is not None and first[f"{scale}_star_above"] >= by:
                names.append(text)
    return (
        f"In {what}, S that lies otherwise than at random was shown to need a greater γ in "
        f"{len(more)} of {pairs} pairs ({', '.join(more) or 'none'}) and a smaller one in "
        f"{len(less)} ({', '.join(less) or 'none'})."
    )
