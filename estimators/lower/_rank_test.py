"""One rank test of indistinguishability: exact at every sample size, with no nuisance left.

The hypothesis ``H(epsilon) <= delta`` confines the pairs ``(Q(R), P(R))`` below a concave curve,
the complement of the trade-off function of (epsilon, delta): with ``c = exp(epsilon)``

    forward   P(R) <= c Q(R) + delta            for all R:  G(u) = min(1, c u + delta),
    backward  Q(R) <= c P(R) + delta            for all R:  G(u) = min(1, 1 - (1 - u - delta) / c),
    either    both of them:                                 the lesser of the two.

The statistic is ``x``, the number of P's points strictly beyond the order statistic of Q that has
``rank`` of Q's points beyond it.

*Validity.* Write Q's points as quantiles of uniform variables. Q's mass strictly beyond that order
statistic is at most the (rank + 1)-th smallest of ``m`` uniforms (equal to it without atoms), whose
law is ``Beta(rank + 1, m - rank)`` and known. Given Q's points the event is fixed, so ``x`` is
binomial with a probability at most ``G`` of that uniform. Hence ``x`` is stochastically at most the
mixture of ``Bin(n, G(U))`` over that Beta law, whatever P and Q, and the p-value is its tail.
Nothing is estimated: the mass of the event under Q, the nuisance of a test with a fixed threshold,
has been integrated out.

The p-value grows with epsilon and with delta, so each test has an inverse in either.
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import betainc, betaincc, betainccinv, betaincinv, betaln, ndtri, xlog1py, xlogy

Direction = Literal["forward", "backward", "either"]

# Nodes of Gauss and Legendre's rule for each smooth piece; 32 agree with 400 to 1e-9 (tested).
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
# The mass of the Beta law that integrals leave out at each end, as a share of the level at stake.
# P-values have it added back.
LEVEL_CUT = 1e-5


def greatest_tail(
    u: Float[np.ndarray, "..."],
    factor: Float[np.ndarray, "..."],
    delta: Float[np.ndarray, "..."],
    direction: Direction,
) -> Float[np.ndarray, "..."]:
    """The greatest P-mass that the hypothesis allows an event of Q-mass ``u``.

    Args:
        u: masses in [0, 1].
        factor: exp(epsilon), at least 1.
        delta: in [0, 1].
        direction: which inequalities the hypothesis holds.

    Returns:
        Probabilities in [0, 1], of the broadcast shape.
    """
    forward = np.minimum(factor * u + delta, 1.0)
    backward = np.minimum(1.0 - (1.0 - u - delta) / factor, 1.0)
    if direction == "forward":
        return forward
    return backward if direction == "backward" else np.minimum(forward, backward)


class _Beta(NamedTuple):
    """Beta laws, one an entry."""

    a: Float[np.ndarray, " t"]
    b: Float[np.ndarray, " t"]

    def at(self, mask: Bool[np.ndarray, " t"]) -> "_Beta":
        return _Beta(self.a[mask], self.b[mask])

    def cdf(self, value: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        return betainc(self.a, self.b, value)

    def quadrature(
        self,
        low: Float[np.ndarray, " t"],
        high: Float[np.ndarray, " t"],
        cut: Float[np.ndarray, " t"],
    ) -> tuple[Float[np.ndarray, "k t"], Float[np.ndarray, "k t"]]:
        """Nodes and weights on [low, high], without the outermost ``cut`` of the law."""
        low = np.maximum(low, betaincinv(self.a, self.b, cut))
        half = np.maximum(np.minimum(high, betainccinv(self.a, self.b, cut)) - low, 0.0) / 2.0
        nodes = low + half * (1.0 + _NODES[:, None])
        density = (
            xlogy(self.a - 1.0, nodes) + xlog1py(self.b - 1.0, -nodes) - betaln(self.a, self.b)
        )
        return nodes, half * _WEIGHTS[:, None] * np.exp(density)


def _below_line(
    u: _Beta,
    v: _Beta,
    start: Float[np.ndarray, " t"],
    end: Float[np.ndarray, " t"],
    height: Float[np.ndarray, " t"],
    slope: Float[np.ndarray, " t"],
    cut: Float[np.ndarray, " t"],
) -> Float[np.ndarray, " t"]:
    """``P(start <= U <= end, V <= height + slope U)``, short by at most ``2 cut``.

    An integral over the law that is the narrower of the two along the line, so that the other
    one's distribution function is smooth between the nodes.
    """
    spread_u = np.sqrt(u.a * u.b) / (u.a + u.b) ** 1.5
    spread_v = np.sqrt(v.a * v.b) / (v.a + v.b) ** 1.5
    over_v = slope * spread_u > spread_v
    mass = np.empty(cut.shape)

    keep = ~over_v
    nodes, weights = u.at(keep).quadrature(start[keep], end[keep], cut[keep])
    mass[keep] = (weights * v.at(keep).cdf(height[keep] + slope[keep] * nodes)).sum(0)

    u, v, start, end = u.at(over_v), v.at(over_v), start[over_v], end[over_v]
    height, slope = height[over_v], slope[over_v]
    low, high = height + slope * start, np.minimum(height + slope * end, 1.0)
    nodes, weights = v.quadrature(low, high, cut[over_v])
    crossing = np.clip((nodes - height) / slope, 0.0, 1.0)
    whole = u.cdf(end)
    mass[over_v] = v.cdf(np.clip(low, 0.0, 1.0)) * (whole - u.cdf(start))
    mass[over_v] += (weights * np.maximum(whole - u.cdf(crossing), 0.0)).sum(0)
    return mass


def tail(
    x: Int[np.ndarray, " t"],
    n: Int[np.ndarray, " t"],
    rank: Int[np.ndarray, " t"],
    m: Int[np.ndarray, " t"],
    factor: Float[np.ndarray, " t"],
    delta: Float[np.ndarray, " t"],
    direction: Direction,
    cut: Float[np.ndarray, " t"],
) -> Float[np.ndarray, " t"]:
    """P-values: the probability of at least ``x`` under the least favourable pair.

    It is ``P(V <= G(U))`` for independent ``U ~ Beta(rank + 1, m - rank)`` and
    ``V ~ Beta(x, n - x + 1)``, summed over the straight pieces of G.

    Args:
        x: points of P beyond the threshold, 1 to n.
        n: points of P.
        rank: points of Q beyond the threshold, 0 to m - 1.
        m: points of Q.
        factor: exp(epsilon).
        delta: delta.
        direction: which inequalities the hypothesis holds.
        cut: mass of the laws that the integrals may leave out; it is added back.

    Returns:
        P-values, rounded up by ``4 cut`` and a relative 1e-8.
    """
    u, v = _Beta(rank + 1.0, m - rank + 0.0), _Beta(x + 0.0, n - x + 1.0)
    full = np.clip((1.0 - delta) / factor if direction == "forward" else 1.0 - delta, 0.0, 1.0)
    p = betaincc(u.a, u.b, full)
    bend = (1.0 - delta) / (1.0 + factor) if direction == "either" else np.zeros(delta.shape)
    if direction != "backward":
        end = bend if direction == "either" else full
        p += _below_line(u, v, np.zeros(delta.shape), end, delta, factor, cut)
    if direction != "forward":
        height = 1.0 - (1.0 - delta) / factor
        p += _below_line(u, v, bend, full, height, 1.0 / factor, cut)
    return p * (1.0 + 1e-8) + 4.0 * cut


def _guess(
    n: Int[np.ndarray, " t"],
    rank: Int[np.ndarray, " t"],
    m: Int[np.ndarray, " t"],
    factor: Float[np.ndarray, " t"],
    delta: Float[np.ndarray, " t"],
    direction: Direction,
    level: Float[np.ndarray, " t"],
) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """Normal approximation of the critical count, and the count's standard deviation."""
    centre = (rank + 0.7) / (m + 0.4)
    spread = np.sqrt(centre * (1.0 - centre) / m)
    mass = greatest_tail(centre, factor, delta, direction)
    above = greatest_tail(np.minimum(centre + spread, 1.0), factor, delta, direction)
    deviation = np.sqrt(n * mass * (1.0 - mass) + (n * (above - mass)) ** 2) + 1.0
    return n * mass - ndtri(level) * deviation, deviation


def critical_count(
    n: Int[np.ndarray, " t"],
    rank: Int[np.ndarray, " t"],
    m: Int[np.ndarray, " t"],
    factor: Float[np.ndarray, " t"],
    delta: Float[np.ndarray, " t"],
    direction: Direction,
    level: Float[np.ndarray, " t"],
) -> Int[np.ndarray, " t"]:
    """The least count that rejects each hypothesis at its level; n + 1 where none does.

    Args:
        n: points of P.
        rank: points of Q beyond the threshold, 0 to m - 1.
        m: points of Q.
        factor: exp(epsilon).
        delta: delta.
        direction: which inequalities the hypothesis holds.
        level: levels of the tests; a level of 0 never rejects.

    Returns:
        Counts in [1, n + 1].
    """
    cut = np.maximum(level, 1e-290) * LEVEL_CUT

    def rejects(x: Int[np.ndarray, " t"]) -> np.ndarray:
        inside = np.clip(x, 1, n)
        p = tail(inside, n, rank, m, factor, delta, direction, cut)
        return (x > n) | ((p <= level) & (x >= 1))

    guess, deviation = _guess(n, rank, m, factor, delta, direction, np.maximum(level, 1e-290))
    width = np.ceil(0.2 * deviation).astype(np.int64) + 1
    low = np.clip(np.floor(guess).astype(np.int64) - width, 0, n)
    high = np.clip(low + 2 * width, 1, n + 1)
    for _ in range(64):
        missed = rejects(low)
        short = ~rejects(high)
        if not (missed | short).any():
            break
        width = np.where(missed | short, 4 * width, width)
        high = np.where(missed, low, high)
        low = np.where(missed, np.maximum(low - width, 0), np.where(short, high, low))
        high = np.where(short & ~missed, np.minimum(high + width, n + 1), high)
    while (high - low > 1).any():
        middle = (low + high) // 2
        hit = rejects(middle)
        high, low = np.where(hit, middle, high), np.where(hit, low, middle)
    return high
