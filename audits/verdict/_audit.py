"""The audit: a submission against both references, from observations to a verdict."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from audits._provenance import provenance
from audits.claims._claimed import check_claim
from audits.submissions._observed import ReferencesLike, gather
from audits.submissions._submission import Submission
from audits.verdict._compare import BOUNDS, EVENTS, compare
from audits.verdict._groups import summarise
from audits.verdict._least_tolerance import calibrated_tolerance, least_tolerance, self_distances
from audits.verdict._nearest import nearest
from audits.verdict._observables import median_margins
from audits.verdict._over_unlearned import over_unlearned
from audits.verdict._results import (
    ClaimCheck,
    Comparison,
    Declaration,
    GroupSummary,
    Nearest,
    OverUnlearned,
    Provenance,
    Separation,
    VerdictName,
)
from audits.verdict._rule import models_needed, separate, verdict_of
from audits.verdict._warnings import remarks
from audits.verdict._words import scope, sentence
from oracles import Observations, Population
from oracles.mechanisms import Claim

if TYPE_CHECKING:
    import pandas as pd

    from audits.certificate._certificate import Certificate


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """What an audit found. `str` of it is the whole answer in plain text.

    Attributes:
        verdict: ``untraining``, ``unlearning``, ``both``, ``neither`` or ``inconclusive``.
        separation: whether the references differ from each other at all.
        declaration: everything fixed before looking.
        untraining: the submission against models trained without the forget set.
        unlearning: the submission against models trained without the behaviour.
        references: the references against each other, at their own confidence.
        original: the original against each reference, as context; None when it is not known.
        nearest: which reference is nearer, with its own interval.
        over_unlearned: whether the behaviour is hidden more than by models that never saw it.
        groups: what each population does on each probe group.
        least_tolerance: about the least tolerance that a match could meet at these sizes.
        provenance: where the numbers came from.
        warnings: what a reader should know.
        observations: what was seen of each population.
        claimed: a claimed (ε, δ) beside what was measured; None when nothing is claimed.
    """

    verdict: VerdictName
    separation: Separation
    declaration: Declaration
    untraining: Comparison
    unlearning: Comparison
    references: Comparison
    original: tuple[Comparison, Comparison] | None
    nearest: Nearest
    over_unlearned: OverUnlearned | None
    groups: tuple[GroupSummary, ...]
    least_tolerance: float
    provenance: Provenance
    warnings: tuple[str, ...]
    observations: Mapping[str, Observations]
    claimed: ClaimCheck | None = None

    @property
    def sentence(self) -> str:
        """The verdict in one plain sentence."""
        return sentence(self)

    @property
    def scope(self) -> str:
        """What "like" and "unlike" mean in `sentence`, and how sure the verdict is."""
        return scope(self.declaration)

    @property
    def models_needed(self) -> int | None:
        """About how many models a side would decide what is open.

        None when nothing is open, or when no feasible number would do.
        """
        return models_needed(self.untraining, self.unlearning)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """All comparisons, the two that the verdict rests on first."""
        return (self.untraining, self.unlearning, self.references, *(self.original or ()))

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each comparison and observable, and one for their greatest.

        Returns:
            Columns ``first``, ``second``, ``observable``, ``estimate``, ``lower``, ``upper``,
            ``confidence``, ``decision`` (in the rows of all observables), ``median_first``,
            ``median_second``, ``models_first``, ``models_second``.
        """
        from audits.verdict._terminal import table

        return table(self)

    def certificate(self) -> "Certificate":
        """The audit with every number, digest, seed and version needed to recompute it."""
        from audits.certificate._certificate import certify

        return certify(self)

    def report(self, directory: Path | str) -> None:
        """Writes the report, the certificate and the observations it can be recomputed from.

        Files appear in the folder only once all of them are written: ``report.html``,
        ``report.md``, ``observations/`` and, last, ``certificate.json``.

        Args:
            directory: the folder; made when missing, and older files of these names replaced.
        """
        from audits.verdict._write import write_all

        write_all(self, Path(directory))

    def __str__(self) -> str:
        from audits.verdict._terminal import terminal

        return terminal(self)

    def __repr__(self) -> str:
        return f"Audit({self.verdict!r}, {self.provenance.submission!r})"

    def _repr_html_(self) -> str:
        from audits.verdict._terminal import html

        return html(self)


def audit(
    submission: Submission | Population | Observations,
    references: ReferencesLike,
    *,
    epsilon: float = 1.0,
    tolerance: float | Literal["calibrated"] = 0.2,
    confidence: float = 0.95,
    claim: Claim | None = None,
) -> Audit:
    r"""Decides which reference the submitted models are distributed like.

    For each reference the hockey-stick divergence

    $$\max_j \sup_R \max\{P_j(R) - e^\epsilon Q_j(R),\; Q_j(R) - e^\epsilon P_j(R)\}$$

    over half-lines R of the declared observables j (the median margin on each probe group) gets a
    lower and an upper bound, each wrong with probability at most $\alpha/2$. An upper bound at most
    ``tolerance`` is a match, a lower bound above it a difference, anything else open. A verdict
    that claims anything false has probability at most $\alpha$, at every number of models,
    provided that models are independent. The references are compared with each other too: where
    they match, the question is vacuous and the verdict says so.

    Args:
        submission: from `load`, or a population or its observations.
        references: from `oracles.references` or `oracles.load_references`, or
            `ObservedReferences`.
        epsilon: the epsilon of the divergence, in [0, 50].
        tolerance: the divergence up to which two populations count as matching, in (0, 1),
            declared before looking at the data; `Audit.least_tolerance` says what is within reach.
            Or ``"calibrated"``: about the least that these numbers of models can meet, found on the
            references and said to be so.
        confidence: one minus alpha, in (0, 1).
        claim: an (epsilon, delta) that is said to hold between the submission and models trained
            without the forget set, to be held against the bounds at the same confidence, apart
            from the verdict; None takes what the submission declares, as certified unlearners do.

    Returns:
        The audit.

    Raises:
        SubmissionError: when the submission does not fit the references.
        TypeError: when something is no population.
        ValueError: when a number lies outside its range.

    Example:
        >>> from indist import audits, oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> refs = oracles.references(scenario, models=8, seed=0)
        >>> audits.audit(refs.original, refs, epsilon=0.0, tolerance=0.2).verdict
        'inconclusive'

    References:
        Neel, Roth and Sharifi-Malvajerdi (2021), "Descent-to-delete", definition 2.2.
        Berger (1982), "Multiparameter hypothesis testing and acceptance sampling", theorem 1.
    """
    _check(epsilon, 0.5 if tolerance == "calibrated" else tolerance, confidence)
    gathered = gather(submission, references)
    seen = gathered.observations
    columns = {name: median_margins(observations) for name, observations in seen.items()}
    names = columns["untraining"].names
    values = {name: column.values for name, column in columns.items()}
    alpha = 1.0 - confidence
    seed = _seed(seen)
    selves = [
        self_distances(
            values[name],
            epsilon=epsilon,
            confidence=1.0 - alpha / 2.0,
            models=seen["submission"].models,
            seed=seed,
        )
        for name in ("untraining", "unlearning")
    ]
    reach = least_tolerance(*selves)
    declaration = Declaration(
        epsilon=float(epsilon),
        tolerance=calibrated_tolerance(*selves) if tolerance == "calibrated" else float(tolerance),
        confidence=float(confidence),
        observables=names,
        events=EVENTS.words(),
        bounds=BOUNDS,
        calibrated=tolerance == "calibrated",
    )

    def against(first: str, second: str, level: float) -> Comparison:
        return compare(
            values[first],
            values[second],
            names=(first, second),
            observables=names,
            epsilon=epsilon,
            tolerance=declaration.tolerance,
            confidence=1.0 - level,
            seed=seed,
        )

    untraining = against("submission", "untraining", alpha / 2.0)
    unlearning = against("submission", "unlearning", alpha / 2.0)
    between = against("untraining", "unlearning", alpha)
    separation = separate(between.decision)
    claim = gathered.claim if claim is None else claim
    claimed = (
        check_claim(
            claim,
            values["submission"],
            values["untraining"],
            observables=names,
            confidence=confidence,
        )
        if claim is not None and np.isfinite(claim.epsilon)
        else None
    )
    return Audit(
        verdict=verdict_of(untraining.decision, unlearning.decision, separation),
        separation=separation,
        declaration=declaration,
        untraining=untraining,
        unlearning=unlearning,
        references=between,
        original=(
            against("original", "untraining", alpha),
            against("original", "unlearning", alpha),
        )
        if "original" in seen
        else None,
        nearest=nearest(
            values["submission"],
            values["untraining"],
            values["unlearning"],
            epsilon=epsilon,
            confidence=confidence,
            seed=seed,
        ),
        over_unlearned=over_unlearned(
            values["submission"],
            values["unlearning"],
            columns["submission"].groups,
            confidence=confidence,
        ),
        claimed=claimed,
        groups=tuple(row for name in seen for row in summarise(name, seen[name])),
        least_tolerance=reach,
        provenance=provenance(gathered, seen),
        warnings=remarks(seen, declaration, separation, between, reach, claimed),
        observations=seen,
    )


def _check(epsilon: float, tolerance: float, confidence: float) -> None:
    ranges = {
        "epsilon": (epsilon, 0.0 <= epsilon <= 50.0, "[0, 50]"),
        "tolerance": (tolerance, 0.0 < tolerance < 1.0, "(0, 1)"),
        "confidence": (confidence, 0.0 < confidence < 1.0, "(0, 1)"),
    }
    for name, (found, inside, allowed) in ranges.items():
        if not inside:
            raise ValueError(f"{name}: expected a number in {allowed}, found {found}")


def _seed(seen: Mapping[str, Observations]) -> int:
    """A seed that the data fix and nobody chooses; below 2^32, as every JSON reader keeps it."""
    digests = " ".join(f"{name}={seen[name].digest}" for name in sorted(seen))
    return int(hashlib.sha256(digests.encode()).hexdigest()[:8], 16)
