"""Learned events: a score of vector observations, trained on some models, bounded on the others."""

import warnings
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp
from sklearn.covariance import ledoit_wolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from estimators.kinds import check_name
from estimators.lower._held_out import HeldOut, LearnedScore, ScoreChooser

_KERNELS = 1000
ScoreName = Literal["gaussian", "kernel", "logistic", "mlp"]


@dataclass(frozen=True)
class Witness(HeldOut):
    """A score of the log-likelihood ratio of P to Q, learned on some models.

    Events are thresholds of the score, so two-sided differences (a change of scale, a far atom) and
    differences spread over many coordinates become visible, which no half-line of one observable
    shows. The rank tests of the other models hold whatever the score is worth.

    Attributes:
        score: "gaussian", two normal laws with shrunk covariances, for shifts and scales;
            "kernel", two product-kernel density estimates, for few coordinates of any shape;
            "logistic", a linear score, for shifts in many coordinates;
            "mlp", one hidden layer of 32 units, when many models are at hand.
        fraction: share of each side that trains, in (0, 1).
        swap: the two parts take turns, each at half the level.
        seed: joins the digest of the samples in drawing the split, and starts the training of
            "mlp" (0 there if None); None leaves the digest alone.

    Raises:
        ValueError: when a setting lies outside its range.

    Example:
        >>> from estimators.lower._witness import Witness
        >>> Witness(score="logistic").words()
        "logistic score learned on 20% of the models drawn by the samples' digest; rank tests"

    References:
        `estimators.lower._held_out.HeldOut` for validity; Ledoit and Wolf (2004) for the
        covariances.
    """

    score: ScoreName = "gaussian"
    fraction: float = 0.2
    swap: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        check_name(self.score, "score", get_args(ScoreName))
        self._check()

    def words(self) -> str:
        """The method in words."""
        return f"{self.score} score learned on {self._drawn()}; rank tests"

    def _learn(
        self, p: Float[np.ndarray, "r j"], q: Float[np.ndarray, "s j"], n: int, m: int
    ) -> ScoreChooser:
        del n, m
        both = np.concatenate([p, q])
        centre, scale = both.mean(axis=0), both.std(axis=0)
        scale = np.where(scale > 0.0, scale, 1.0)

        def standard(values: Float[np.ndarray, "n j"]) -> Float[np.ndarray, "n j"]:
            return (values - centre) / scale

        first, second = standard(p), standard(q)
        if self.score == "gaussian":
            ratio = _difference(_normal(first), _normal(second))
        elif self.score == "kernel":
            ratio = _difference(_kernels(first), _kernels(second))
        else:
            ratio = _classifier(first, second, self.score, self.seed or 0)

        def score(values: Float[np.ndarray, "n j"]) -> Float[np.ndarray, " n"]:
            return ratio(standard(values))

        return lambda target, direction: score


def _difference(p: LearnedScore, q: LearnedScore) -> LearnedScore:
    return lambda values: p(values) - q(values)


def _normal(sample: Float[np.ndarray, "r j"]) -> LearnedScore:
    """Log-density of a normal law; its covariance is shrunk, and never singular."""
    mean = sample.mean(axis=0)
    covariance = np.atleast_2d(ledoit_wolf(sample)[0]) + 1e-6 * np.eye(sample.shape[1])
    root = np.linalg.cholesky(covariance)
    volume = float(np.log(np.diag(root)).sum())

    def log_density(values: Float[np.ndarray, "n j"]) -> Float[np.ndarray, " n"]:
        whitened = np.linalg.solve(root, (values - mean).T)
        return -0.5 * (whitened**2).sum(axis=0) - volume

    return log_density


def _kernels(sample: Float[np.ndarray, "r j"]) -> LearnedScore:
    """Log-density of normal kernels (Silverman's widths) with a wide one against empty tails."""
    # Beyond this many points the estimate gains little and the sum over them is slow.
    sample = sample[:_KERNELS]
    rows, columns = sample.shape
    width = sample.std(axis=0) * (4.0 / ((columns + 2.0) * rows)) ** (1.0 / (columns + 4.0))
    width = np.maximum(width, 1e-3)
    wide = _normal(3.0 * sample)

    def log_density(values: Float[np.ndarray, "n j"]) -> Float[np.ndarray, " n"]:
        out = np.empty(values.shape[0])
        for start in range(0, values.shape[0], 256):
            part = values[start : start + 256]
            steps = ((part[:, None] - sample) / width) ** 2
            out[start : start + 256] = logsumexp(-0.5 * steps.sum(axis=2), axis=1)
        narrow = out - np.log(rows) - np.log(width).sum()
        return np.logaddexp(narrow, np.log(0.01) + wide(values))

    return log_density


def _classifier(
    p: Float[np.ndarray, "r j"], q: Float[np.ndarray, "s j"], name: ScoreName, seed: int
) -> LearnedScore:
    """Log-odds of P from a classifier, up to a constant."""
    x = np.concatenate([p, q])
    y = np.repeat([1, 0], [p.shape[0], q.shape[0]])
    if name == "logistic":
        linear = LogisticRegression(max_iter=1000).fit(x, y)
        return lambda values: np.asarray(linear.decision_function(values), dtype=np.float64)
    network = MLPClassifier((32,), alpha=1e-2, max_iter=300, random_state=seed)
    with warnings.catch_warnings():
        # A network that has not converged is a worse score, not a wrong bound.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(x, y)

    def log_odds(values: Float[np.ndarray, "n j"]) -> Float[np.ndarray, " n"]:
        odds = np.log(np.asarray(network.predict_proba(values), dtype=np.float64) + 1e-12)
        return odds[:, 1] - odds[:, 0]

    return log_odds
