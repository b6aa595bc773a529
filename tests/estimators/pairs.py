"""Pairs of populations with known divergences, and the count of bounds that overshoot them.

Used by the tests of the lower bounds, and by ``benchmarks/bounds.py``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, stats

from estimators import (
    DeltaAt,
    DirectedBounds,
    EpsilonAt,
    LowerBoundMethod,
    delta_lower_bound,
    epsilon_lower_bound,
)

Target = DeltaAt | EpsilonAt
Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
NORMAL = stats.norm


@dataclass(frozen=True)
class Pair:
    """Two populations of one observable and the greater of their two divergences."""

    name: str
    p: Draw
    q: Draw
    delta: Callable[[float], float]

    def epsilon(self, delta: float) -> float:
        """The least epsilon at which the divergence falls to delta."""
        if self.delta(0.0) <= delta:
            return 0.0
        if self.delta(50.0) > delta:
            return math.inf
        return float(optimize.brentq(lambda e: self.delta(e) - delta, 0.0, 50.0, xtol=1e-12))

    def truth(self, target: Target) -> np.ndarray:
        """What is asked for, at each number of the target."""
        of = self.delta if isinstance(target, DeltaAt) else self.epsilon
        return np.array([of(number) for number in target.numbers.tolist()])

    def swapped(self) -> "Pair":
        return Pair(f"{self.name}, swapped", self.q, self.p, self.delta)


def normal(mean: float, deviation: float = 1.0) -> Draw:
    return lambda rng, shape: rng.normal(mean, deviation, shape)


def gaussian_divergence(mu: float, epsilon: Any) -> np.ndarray:
    """The divergence between N(mu, 1) and N(0, 1), mu above 0, by its closed form."""
    edge = np.asarray(epsilon) / mu
    return NORMAL.cdf(mu / 2 - edge) - np.exp(epsilon) * NORMAL.cdf(-mu / 2 - edge)


def shift(mu: float) -> Pair:
    return Pair(
        f"normal shift {mu:g}",
        normal(mu),
        normal(0.0),
        lambda e: float(gaussian_divergence(mu, e)),
    )


def laplace() -> Pair:
    return Pair(
        "Laplace shift 1",
        lambda rng, shape: rng.laplace(1.0, 1.0, shape),
        lambda rng, shape: rng.laplace(0.0, 1.0, shape),
        lambda e: max(0.0, 1.0 - math.exp((e - 1.0) / 2.0)),
    )


def scale(deviation: float = 2.0) -> Pair:
    """N(0, deviation^2) against N(0, 1), whose best events are |value| beyond or within a bound."""
    curve = 1.0 - deviation**-2

    def delta(e: float) -> float:
        outer = math.sqrt(2.0 * (e + math.log(deviation)) / curve)
        forward = 2.0 * (NORMAL.sf(outer / deviation) - math.exp(e) * NORMAL.sf(outer))
        if e >= math.log(deviation):
            return float(forward)
        inner = math.sqrt(2.0 * (math.log(deviation) - e) / curve)
        within = [2.0 * NORMAL.cdf(inner / s) - 1.0 for s in (1.0, deviation)]
        return float(max(forward, within[0] - math.exp(e) * within[1]))

    return Pair(f"scale {deviation:g}", normal(0.0, deviation), normal(0.0), delta)


def far_atom(weight: float = 0.05) -> Pair:
    def p(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return np.where(rng.random(shape) < weight, 10.0, rng.normal(0.0, 1.0, shape))

    return Pair("far atom", p, normal(0.0), lambda e: weight)


def discrete(name: str, p: tuple[float, ...], q: tuple[float, ...]) -> Pair:
    """Two laws on the values 0, 1, 2 and so on, by their chances."""
    return Pair(name, values(*p), values(*q), lambda e: float(discrete_divergences(p, q, e).max()))


def values(*chances: float) -> Draw:
    """Samples of 0, 1, 2 and so on with these chances."""
    return lambda rng, shape: rng.choice(len(chances), shape, p=chances).astype(float)


def discrete_divergences(p: Sequence[float], q: Sequence[float], epsilon: Any) -> np.ndarray:
    """Divergences between two discrete laws over all events, forward and backward: ``[2, E]``."""
    laws, c = (np.asarray(p), np.asarray(q)), np.exp(np.atleast_1d(epsilon))[:, None]
    return np.array([np.maximum(a - c * b, 0.0).sum(axis=1) for a, b in (laws, laws[::-1])])


def randomised_response(epsilon: float = 1.0) -> Pair:
    chance = math.exp(epsilon) / (1.0 + math.exp(epsilon))

    def draw(of_one: float) -> Draw:
        return lambda rng, shape: (rng.random(shape) < of_one).astype(float)

    laws = (1.0 - chance, chance), (chance, 1.0 - chance)
    return Pair(
        "randomised response",
        draw(chance),
        draw(1.0 - chance),
        lambda e: float(discrete_divergences(*laws, e).max()),
    )


def rounded(mu: float = 0.7) -> Pair:
    """Normal shift rounded to integers: heavy ties."""
    edges = np.arange(-12.5, 14.0)
    p, q = np.diff(NORMAL.cdf(edges - mu)), np.diff(NORMAL.cdf(edges))
    return Pair(
        "heavy ties",
        lambda rng, shape: np.rint(rng.normal(mu, 1.0, shape)),
        lambda rng, shape: np.rint(rng.normal(0.0, 1.0, shape)),
        lambda e: float(discrete_divergences(p, q, e).max()),
    )


def least_favourable(epsilon: float, delta: float) -> Pair:
    """The pair that attains the trade-off curve of (epsilon, delta) at every half-line at once."""
    c = math.exp(epsilon)

    def p(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        tail = rng.random(shape)
        return -np.maximum((tail - delta) / c, 1.0 - delta - c * (1.0 - tail))

    def divergence(e: float) -> float:
        # P has an atom delta beyond Q, density c up to u* and 1/c after it, and Q is uniform.
        atom, d = (1.0 - delta) / (1.0 + c), math.exp(e)
        return delta + max(c - d, 0.0) * atom + max(1.0 / c - d, 0.0) * (1.0 - atom - delta)

    return Pair(
        f"least favourable at ({epsilon:g}, {delta:g})",
        p,
        lambda rng, shape: -rng.random(shape),
        divergence,
    )


PAIRS = (
    Pair("identical", normal(0.0), normal(0.0), lambda e: 0.0),
    shift(0.3),
    shift(1.0),
    shift(1.0).swapped(),
    laplace(),
    scale(),
    far_atom(),
    randomised_response(),
    rounded(),
    least_favourable(0.5, 0.05),
    discrete("three values", (0.5, 0.2, 0.3), (0.2, 0.3, 0.5)),
    discrete("identical with ties", (0.1, 0.9), (0.1, 0.9)),
)


def lower_bounds(
    method: LowerBoundMethod,
    p: np.ndarray,
    q: np.ndarray,
    target: Target,
    confidence: float = 0.95,
) -> DirectedBounds:
    """Bounds ``[numbers, columns]`` of each column by itself, also by methods that pool them."""

    def of(columns: list[int] | slice) -> DirectedBounds:
        ours, theirs = p[:, columns], q[:, columns]
        if isinstance(target, DeltaAt):
            found = delta_lower_bound(
                ours, theirs, epsilon=target.numbers, confidence=confidence, method=method
            )
        else:
            found = epsilon_lower_bound(
                ours, theirs, delta=target.numbers, confidence=confidence, method=method
            )
        return DirectedBounds(found.forward, found.backward, found.bound)

    if not method.pools:
        return of(slice(None))
    each = [of([column]) for column in range(p.shape[1])]
    return DirectedBounds(*(np.stack(parts, axis=1) for parts in zip(*each, strict=True)))


def simulated_bounds(
    method: LowerBoundMethod,
    pair: Pair,
    sizes: tuple[int, int],
    repeats: int,
    seed: int,
    target: Target,
    confidence: float = 0.95,
) -> np.ndarray:
    """Bounds on the greater of the two directions, ``[numbers, repeats]``."""
    rng = np.random.default_rng([seed, *sizes])
    p, q = pair.p(rng, (sizes[0], repeats)), pair.q(rng, (sizes[1], repeats))
    return lower_bounds(method, p, q, target, confidence).bound


def violations(
    method: LowerBoundMethod,
    pair: Pair,
    sizes: tuple[int, int],
    repeats: int,
    seed: int,
    target: Target,
    confidence: float = 0.95,
) -> float:
    """Share of the repeats in which the bound lies above the truth, the worst of the numbers."""
    found = simulated_bounds(method, pair, sizes, repeats, seed, target, confidence)
    above = found > pair.truth(target)[:, None] + 1e-12
    return float(above.mean(axis=1).max())


def margin(repeats: int, level: float = 0.05, errors: float = 3.0) -> float:
    """Binomial standard errors of a share at a level: three are passed 1 time in 700."""
    return errors * math.sqrt(level * (1.0 - level) / repeats)


def limit(repeats: int, level: float = 0.05, errors: float = 3.0) -> float:
    """The level and its margin: a valid method passes three standard errors 1 time in 700."""
    return level + margin(repeats, level, errors)
