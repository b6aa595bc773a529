"""How likely a private mechanism lets that many guesses of membership be right, in one run."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import betainc, ndtr, ndtri


def binomial_pvalue(
    correct: int, guesses: int, examples: int, epsilon: Float[np.ndarray, " G"], delta: float
) -> Float[np.ndarray, " G"]:
    """Bound on the probability of so many right guesses under (epsilon, delta)-privacy.

    ``P(W >= v) + 2 m delta max_i P(v > W >= v - i) / i`` with ``W ~ Bin(r, e^eps / (1 + e^eps))``,
    v right guesses of r about m examples.

    Args:
        correct: right guesses v.
        guesses: guesses r.
        examples: examples m whose membership was drawn.
        epsilon: epsilons, rising.
        delta: delta.

    Returns:
        Probabilities for each epsilon, at most 1, rising.

    References:
        Steinke, Nasr and Jagielski (2023), Privacy auditing with one (1) training run, the theorem
        for (epsilon, delta) and its code in appendix D, https://arxiv.org/abs/2305.08846.
    """
    if correct == 0:
        return np.ones(epsilon.shape)
    chance = 1.0 / (1.0 + np.exp(-epsilon))
    least = np.arange(correct, 0 if delta > 0.0 else correct - 1, -1, dtype=np.float64)
    # P(W >= j) for j = v, v - 1, ..., 1, 0.
    tail = betainc(least, guesses - least + 1.0, chance[:, None])
    pvalue = tail[:, 0]
    if delta > 0.0:
        tail = np.concatenate([tail, np.ones((epsilon.size, 1))], axis=1)
        share = (tail[:, 1:] - tail[:, :1]) / np.arange(1, correct + 1)
        # The term rises with epsilon wherever it matters; the maximum so far makes sure of it.
        pvalue = pvalue + 2.0 * examples * delta * np.maximum.accumulate(share.max(axis=1))
    return np.minimum(pvalue * (1.0 + 1e-9), 1.0)


class Tradeoff(ABC):
    """A family of symmetric trade-off functions f, less and less private as its parameter grows."""

    name: ClassVar[str]

    @abstractmethod
    def inverse(
        self, parameter: Float[np.ndarray, "*g"], power: Float[np.ndarray, "*g"]
    ) -> Float[np.ndarray, "*g"]:
        """The least type I error at which ``1 - f`` reaches a power.

        Args:
            parameter: the family's parameters.
            power: powers in [0, 1].

        Returns:
            Type I errors in [0, 1].
        """


class GaussianTradeoff(Tradeoff):
    """``f(a) = Phi(Phi^-1(1 - a) - mu)``."""

    name = "Gaussian"

    def inverse(
        self, parameter: Float[np.ndarray, "*g"], power: Float[np.ndarray, "*g"]
    ) -> Float[np.ndarray, "*g"]:
        """See `Tradeoff.inverse`."""
        return ndtr(ndtri(np.clip(power, 0.0, 1.0)) - parameter)


class ApproximateTradeoff(Tradeoff):
    """``f(a) = max(0, 1 - delta - e^eps a, e^-eps (1 - delta - a))``, the (eps, delta) family.

    Attributes:
        delta: the delta.
    """

    name = "(epsilon, delta)"

    def __init__(self, delta: float) -> None:
        self.delta = delta

    def inverse(
        self, parameter: Float[np.ndarray, "*g"], power: Float[np.ndarray, "*g"]
    ) -> Float[np.ndarray, "*g"]:
        """See `Tradeoff.inverse`."""
        steep = (power - self.delta) * np.exp(-parameter)
        flat = 1.0 - self.delta - np.exp(parameter) * (1.0 - power)
        return np.clip(np.maximum(steep, flat), 0.0, 1.0)


def tail_possible(
    correct: Int[np.ndarray, " K"],
    guesses: int,
    examples: int,
    probability: float,
    family: Tradeoff,
    parameter: Float[np.ndarray, "K G"],
) -> Bool[np.ndarray, "K G"]:
    """Whether so many right guesses could have the probability given under each trade-off function.

    With C right guesses of at most r about m examples, and ``p_j = P(C = j)``, f-privacy of every
    single membership gives for every c

        sum_{j >= c} (j/m) p_j  <=  1 - f( sum_{j >= c - 1} ((r - j)/m) p_j ):

    on the left a random example is guessed right and C >= c; flip its membership alone, and the
    same output guesses it wrong with C >= c - 1. Given ``P(C >= v)``, all constraints are easiest
    when its mass sits at v, and the least mass below that satisfies one constraint is best placed
    at the highest count that helps it, from v downward. If that asks for more than the whole mass,
    the probability is impossible.

    Args:
        correct: right guesses v, each on its own.
        guesses: guesses r, at most.
        examples: examples m whose membership was drawn.
        probability: the probability P(C >= v) in question.
        family: a family of trade-off functions.
        parameter: parameters to try, a row for each v.

    Returns:
        True where it is possible.

    References:
        Mahloujifar, Melis and Chaudhuri (2024), Auditing f-differential privacy in one run,
        for the constraints and the recursion, https://arxiv.org/abs/2410.22235.
    """
    v = correct[:, None]
    right = np.broadcast_to(v * probability / examples, parameter.shape).copy()
    wrong = np.broadcast_to((guesses - v) * probability / examples, parameter.shape).copy()
    mass = np.full(parameter.shape, probability)
    for count in range(int(correct.max(initial=0)) - 1, -1, -1):
        lacking = family.inverse(parameter, right) - wrong
        added = np.where(count < v, np.maximum(lacking, 0.0), 0.0) * examples / (guesses - count)
        mass += added
        if (mass > 1.0 + 1e-9).all():
            break
        right = np.minimum(right + added * count / examples, 1.0)
        wrong = wrong + added * (guesses - count) / examples
    return mass <= 1.0 + 1e-9
