"""What a study of γ* says: γ* in words, and what it does to γ* how S lies in B."""

from collections import Counter
from collections.abc import Iterable

from indist.studies.discovery._least import LeastDiscovery
from indist.studies.discovery._rows import CurvePoint


def curves_of(rows: list[CurvePoint]) -> list[list[CurvePoint]]:
    """The rows of each curve, γ rising."""
    curves: dict[tuple[str, ...], list[CurvePoint]] = {}
    for row in rows:
        curves.setdefault((row.scenario, row.found, row.method), []).append(row)
    return list(curves.values())


def names_of(row: CurvePoint) -> dict[str, str]:
    """Which curve a row is of, for people."""
    return {"scenario": row.scenario, "S in B": row.found, "method": row.method}


def shown_star(star: LeastDiscovery) -> str:
    """γ* as the bounds show it.

    Example:
        >>> shown_star(LeastDiscovery(0.35, 0.2, 0.35, above=0.2, by=0.35))
        '(0.2, 0.35]'
        >>> shown_star(LeastDiscovery(None, 1.0, None, above=1.0, by=None))
        'never, not even at S = B'
        >>> shown_star(LeastDiscovery(0.35, 0.2, 0.35, above=0.2, by=None))
        'undetermined, above 0.2'
    """
    if star.above == 1.0:
        return "never, not even at S = B"
    if star.by is not None:
        return f"({star.above:.2g}, {star.by:.2g}]"
    return f"undetermined, above {star.above:.2g}" if star.above else "undetermined"


def is_open(star: LeastDiscovery) -> bool:
    """Whether the bounds leave open from which γ on, if any, the method is like A(D∖B)."""
    return star.above < 1.0 and star.by is None


def shown_about(star: LeastDiscovery) -> str:
    """The estimate of γ* with the bootstrap's interval, and whether it contradicts the bounds.

    Example:
        >>> shown_about(LeastDiscovery(0.5, 0.2, 0.5, above=0.2, by=0.5))
        '0.5 (0.2, 0.5]'
    """
    middle, end = (
        ">1" if number is None else f"{number:.2g}" for number in (star.estimate, star.high)
    )
    text = f"{middle} ({star.low:.2g}, {end}]"
    apart = (star.high is not None and star.high <= star.above) or (
        star.by is not None and star.low >= star.by
    )
    return f"{text}; the bounds say otherwise: it does not fall in γ" if apart else text


def counted(texts: Iterable[str]) -> str:
    """Equal texts once each, with how many there were."""
    return ", ".join(f"{text} ×{times}" for text, times in Counter(texts).most_common())


def laid(ends: list[CurvePoint], scale: str, observed: str) -> str:
    """Where γ* differs between random S and another S of the same method and scenario."""
    by_names = {(row.scenario, row.method, row.found): row for row in ends}
    greater, smaller, pairs = list[str](), list[str](), 0
    for (scenario, method, found), row in by_names.items():
        random = by_names.get((scenario, method, "random"))
        if found == "random" or random is None:
            continue
        pairs += 1
        name = f"{method} in {scenario} ({found})"
        own, other = row.star(scale), random.star(scale)
        if other.by is not None and own.above >= other.by:
            greater.append(name)
        if own.by is not None and other.above >= own.by:
            smaller.append(name)
    return (
        f"In {observed}, S that lies otherwise than at random was shown to need a greater γ in "
        f"{len(greater)} of {pairs} pairs ({', '.join(greater) or 'none'}) and a smaller one in "
        f"{len(smaller)} ({', '.join(smaller) or 'none'})."
    )
