"""Rewind-to-delete: go back to an earlier iterate, train on without the data, add noise."""

from dataclasses import dataclass

import numpy as np

from oracles.mechanisms._gaussian import GaussianShift
from oracles.mechanisms._values import check_positive, check_whole


@dataclass(frozen=True)
class RewindToDelete(GaussianShift):
    r"""Rewind-to-delete for smooth losses, convex or not, noise added at publication.

    Full-batch gradient descent of T steps is rewound by K steps and run on for K steps without the
    m examples to forget. It then lies within

    $$\Delta = \frac{2mG}{Ln}
    \Bigl(\Bigl(1 + \frac{\eta L n}{n - m}\Bigr)^{T-K} - 1\Bigr)(1 + \eta L)^K$$

    of the run that never saw them, so noise $N(0,\sigma^2 I)$ makes it a Gaussian shift of
    $\mu = \Delta/\sigma$.

    Args:
        sigma: standard deviation of the noise at publication, above 0.
        lipschitz: bound G on the norm of each example's gradient, above 0.
        smoothness: smoothness L of each example's loss, above 0.
        learning_rate: step size $\eta$ on the mean loss, above 0.
        examples: size n of the data set, at least 2.
        forgotten: how many examples m are forgotten, at least 1 and fewer than n.
        steps: training steps T, at least 1.
        rewound: steps K that are taken back and repeated, at least 0 and at most T; at T the model
            is trained anew and nothing is left to hide.

    Raises:
        ValueError: when a setting lies outside its range.

    Example:
        >>> from indist import oracles
        >>> mechanism = oracles.mechanisms.RewindToDelete(
        ...     sigma=0.1, lipschitz=1.0, smoothness=1.0, learning_rate=0.01,
        ...     examples=1000, forgotten=10, steps=100, rewound=50,
        ... )
        >>> round(mechanism.mu, 4), round(mechanism.epsilon(1e-4), 4)
        (0.2147, 0.6517)

    References:
        Mu and Klabjan (2024), "Rewind-to-delete: certified machine unlearning for nonconvex
        functions" (the bound on the distance). https://arxiv.org/abs/2409.09778
        Balle and Wang (2018), theorem 8. https://arxiv.org/abs/1805.06530
    """

    sigma: float
    lipschitz: float
    smoothness: float
    learning_rate: float
    examples: int
    forgotten: int
    steps: int
    rewound: int
    source = (
        "Mu and Klabjan (2024), section 3, with the exact Gaussian curve of Balle and Wang (2018)"
    )
    assumptions = (
        "compared with a run without the data, from the same start, published with the same noise",
        "every example's loss is L-smooth with gradients of norm at most G where descent goes",
        "full-batch gradient descent without other randomness; iterates stay secret",
    )

    def __post_init__(self) -> None:
        for name in ("sigma", "lipschitz", "smoothness", "learning_rate"):
            check_positive(name, getattr(self, name))
        check_whole("examples", self.examples, least=2)
        check_whole("forgotten", self.forgotten, most=self.examples - 1)
        check_whole("steps", self.steps)
        check_whole("rewound", self.rewound, least=0, most=self.steps)

    @property
    def sensitivity(self) -> float:
        """The greatest distance between the rewound run and the run that never saw the data."""
        growth = self.learning_rate * self.smoothness
        n, m = self.examples, self.forgotten
        with np.errstate(over="ignore"):
            divergence = np.expm1((self.steps - self.rewound) * np.log1p(growth * n / (n - m)))
            factor = divergence * np.exp(self.rewound * np.log1p(growth))
        return float(2 * m * self.lipschitz / (self.smoothness * n) * factor)

    @property
    def mu(self) -> float:
        """The Gaussian shift, in standard deviations."""
        return self.sensitivity / self.sigma

    def _shift(self) -> float:
        return self.mu
