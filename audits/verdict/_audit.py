"""The audit: a submission against both references, from observations to a verdict."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from audits._provenance import provenance
from audits.certificate._certificate import Certificate
from audits.claims._claimed import check_claim
from audits.report._words import REFERENCES
from audits.submissions._parties import (
    Given,
    ReferencesLike,
    check_several,
    observe_all,
)
from audits.verdict._blocks import blocks_of, not_learned
from audits.verdict._columns import Block, median_margins
from audits.verdict._compare import BOUNDS, EVENTS, LOWER, compare, exact_bounds
from audits.verdict._findings import AuditFindings
from audits.verdict._groups import summarise
from audits.verdict._least_tolerance import calibrated_tolerance, least_tolerance, self_distances
from audits.verdict._nearest import nearest
from audits.verdict._observables import (
    DEFAULT_OBSERVABLES,
    GroupMedians,
    Observable,
    check_observables,
    settings_of,
)
from audits.verdict._over_unlearned import over_unlearned
from audits.verdict._record import certificate_of
from audits.verdict._results import Comparison, Declaration
from audits.verdict._rule import separate, verdict_of
from audits.verdict._warnings import warnings_of
from estimators import RankGrid
from estimators.checks import check_confidence, check_seed, check_within
from estimators.kinds import check_kind
from oracles import Observations
from oracles.mechanisms import Claim


class Audit(AuditFindings):
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

    def certificate(self) -> Certificate:
        """The audit with every number, digest, seed and version needed to recompute it."""
        return certificate_of(self)

    def report(self, directory: Path | str, *, replace: bool = False) -> None:
        """Writes the report, the certificate and the observations it can be recomputed from.

        Files appear in the folder only once all of them are written: ``report.html``,
        ``report.md``, ``observations/`` and, last, ``certificate.json``. A folder holds one result.

        Args:
            directory: the folder; made when missing.
            replace: take a folder that holds another result, of whatever kind, or other files. The
                same result is written anew in any case.

        Raises:
            ValueError: when ``directory`` is a file, or holds what is not to be replaced.
            OSError: as the file system does; nothing half-written stays behind.
        """
        # Loaded on use: a page draws with matplotlib, which no audit needs.
        from audits.verdict._write import write_all

        write_all(self, Path(directory), replace=replace)


def audit(
    submission: Given,
    references: ReferencesLike,
    *,
    epsilon: float = 1.0,
    tolerance: float | Literal["calibrated"] = 0.2,
    confidence: float = 0.95,
    claim: Claim | None = None,
    observables: Sequence[Observable] | None = DEFAULT_OBSERVABLES,
    seed: int | None = None,
) -> Audit:
    r"""Decides which reference the submitted models are distributed like.

    For each reference the hockey-stick divergence

    $$\max_j \sup_R \max\{P_j(R) - e^\epsilon Q_j(R),\; Q_j(R) - e^\epsilon P_j(R)\}$$

    over half-lines R of the declared observables j gets a lower and an upper bound, each wrong with
    probability at most $\alpha/2$. An upper bound at most ``tolerance`` is a match, a lower bound
    above it a difference, anything else open. Unless declared otherwise the observables are the
    median margin of each probe group, the margin of each single example of S and of B outside S,
    the worst of them, and a score learned to tell submission and reference apart. A verdict
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
        observables: what to look at of each model: any of `GroupMedians`, `EachExample`,
            `WorstExample`, `LearnedWitness` and `OwnObservable`. None looks at the median margins
            alone, with the joint upper bounds of indist 0.1.0.
        seed: of the models that are set aside for learned observables, and of the pilots of lower
            bounds; it is recorded, and `verify` uses it. None takes one from the digests of all
            observations, the references' among them.

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
    check_within("[0, 50]", epsilon=epsilon)
    if tolerance != "calibrated":
        check_within("(0, 1)", tolerance=tolerance)
    check_confidence(confidence)
    seed = None if seed is None else check_seed(seed)
    if claim is not None:
        check_kind(claim, "claim", Claim, "a Claim, as oracles.mechanisms.Claim(epsilon, delta)")
    alpha = 1.0 - confidence

    # Observe: one number a model and observable, of every population, at the references' probes.
    parties = observe_all(submission, references)
    check_several(parties)
    seen = parties.observations
    columns = {name: median_margins(observations) for name, observations in seen.items()}
    values = {name: column.values for name, column in columns.items()}
    resampling = _seed(seen)
    exact = observables is not None
    looked_at = (GroupMedians(),) if observables is None else check_observables(observables)
    drawn = resampling if seed is None else seed
    lower = RankGrid(seed=drawn) if exact else LOWER

    def blocks(first: str, second: str) -> list[Block]:
        return blocks_of(looked_at, seen[first], seen[second], drawn)

    pairs = {name: blocks("submission", name) for name in REFERENCES}

    # Declare: all that the verdict depends on, before the submission is compared with anything.
    distances = [
        self_distances(
            pairs[name][0].second,
            epsilon=epsilon,
            confidence=1.0 - alpha / 2.0,
            models=seen["submission"].models,
            seed=resampling,
        )
        for name in REFERENCES
    ]
    least = least_tolerance(*distances)
    declaration = Declaration(
        epsilon=float(epsilon),
        tolerance=calibrated_tolerance(*distances)
        if tolerance == "calibrated"
        else float(tolerance),
        confidence=float(confidence),
        observables=tuple(name for block in pairs["untraining"] for name in block.names),
        events=EVENTS.words(),
        bounds=exact_bounds(lower) if exact else BOUNDS,
        calibrated=tolerance == "calibrated",
        looked_at=tuple(map(settings_of, looked_at)) if exact else (),
        seed=drawn if exact else None,
    )

    # Compare: the submission with each reference, the references with each other, and the rest.
    def against(first: str, second: str, level: float) -> Comparison:
        return compare(
            pairs[second] if first == "submission" else blocks(first, second),
            names=(first, second),
            epsilon=epsilon,
            tolerance=declaration.tolerance,
            confidence=1.0 - level,
            seed=resampling,
            exact=exact,
            lower=lower,
        )

    untraining = against("submission", "untraining", alpha / 2.0)
    unlearning = against("submission", "unlearning", alpha / 2.0)
    between_references = against("untraining", "unlearning", alpha)
    original = None
    if "original" in seen:
        original = (
            against("original", "untraining", alpha),
            against("original", "unlearning", alpha),
        )
    claim = parties.submission.claim if claim is None else claim
    claimed = None
    if claim is not None and np.isfinite(claim.epsilon):
        claimed = check_claim(
            claim,
            values["submission"],
            values["untraining"],
            observables=columns["untraining"].names,
            confidence=confidence,
        )

    # Decide.
    separation = separate(between_references.decision)
    verdict = verdict_of(untraining.decision, unlearning.decision, separation)

    # Record.
    return Audit(
        verdict=verdict,
        separation=separation,
        declaration=declaration,
        untraining=untraining,
        unlearning=unlearning,
        references=between_references,
        original=original,
        nearest=nearest(
            values["submission"],
            values["untraining"],
            values["unlearning"],
            epsilon=epsilon,
            confidence=confidence,
            seed=resampling,
        ),
        over_unlearned=over_unlearned(
            values["submission"],
            values["unlearning"],
            columns["submission"].groups,
            confidence=confidence,
        ),
        groups=tuple(row for name in seen for row in summarise(name, seen[name])),
        least_tolerance=least,
        provenance=provenance(parties, seen),
        warnings=(
            *warnings_of(seen, declaration, separation, between_references, least, claimed),
            *not_learned(looked_at, seen),
            *parties.warnings,
        ),
        observations=seen,
        claimed=claimed,
    )


def _seed(seen: Mapping[str, Observations]) -> int:
    """A seed that the data fix and nobody chooses; below 2^32, as every JSON reader keeps it."""
    digests = " ".join(f"{name}={seen[name].digest}" for name in sorted(seen))
    return int(hashlib.sha256(digests.encode()).hexdigest()[:8], 16)
