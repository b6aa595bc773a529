"""The audit: a submission against both references, from observations to a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from audits._provenance import provenance
from audits.certificate._certificate import Certificate
from audits.claims._claimed import check_claim
from audits.report._words import REFERENCES
from audits.submissions._parties import (
    Given,
    Parties,
    ReferencesLike,
    check_several,
    observe_all,
)
from audits.verdict._blocks import blocks_of, not_learned
from audits.verdict._columns import Block, median_margins
from audits.verdict._compare import BOUNDS, EVENTS, LOWER, compare, exact_bounds
from audits.verdict._contents import contents_of
from audits.verdict._findings import AuditFindings
from audits.verdict._groups import summarise
from audits.verdict._least_tolerance import calibrated_tolerance, least_tolerance, self_distances
from audits.verdict._looks import look_at
from audits.verdict._nearest import nearest
from audits.verdict._observables import DEFAULT_OBSERVABLES, Observable, settings_of
from audits.verdict._over_unlearned import over_unlearned
from audits.verdict._progress import progress_rows
from audits.verdict._record import certificate_of
from audits.verdict._results import Comparison, Declaration, Sharing, VerdictName
from audits.verdict._rule import separate, verdict_of
from audits.verdict._settings import Settings, checked, seed_of
from audits.verdict._sharing import shared_level
from audits.verdict._warnings import warnings_of
from estimators.checks import check_seed
from estimators.kinds import check_kind
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
        progress: how far each group's median margin has come from the original to each reference;
            empty when the original is not known.
        sharing: whether the references lie far enough apart to share the level; None where that
            is not asked.
        stands: whether the verdict holds together with those of all submissions that were audited
            at once; None for one alone.
        waiting: submitted models beyond this look's number, which wait for a later one.
        nearest: which reference is nearer, with its own interval.
        over_unlearned: whether the behaviour is hidden more than by models that never saw it.
        groups: what each population does on each probe group.
        least_tolerance: about the least tolerance that a match could meet at these sizes.
        provenance: where the numbers came from.
        warnings: what a reader should know.
        observations: what was seen of each population.
        claimed: a claimed (ε, δ) beside what was measured; None when nothing is claimed.
        contents: input or text of the examples that differ, by the ids of their probes, where they
            are known; in no certificate.
    """

    def certificate(self) -> Certificate:
        """The audit with every number, digest, seed and version needed to recompute it."""
        return certificate_of(self)

    def report(self, directory: Path | str, *, replace: bool = False, redact: bool = False) -> None:
        """Writes the report, the certificate and the observations it can be recomputed from.

        Files appear in the folder only once all of them are written: ``report.html``,
        ``report.md``, ``observations/`` and, last, ``certificate.json``. A folder holds one result.

        Args:
            directory: the folder; made when missing.
            replace: take a folder that holds another result, of whatever kind, or other files. The
                same result is written anew in any case.
            redact: whether pictures and texts of examples are left out. Ids of probes and names of
                persons stay: they are needed to recompute the numbers.

        Raises:
            ValueError: when ``directory`` is a file, or holds what is not to be replaced.
            OSError: as the file system does; nothing half-written stays behind.
        """
        # Loaded on use: a page draws with matplotlib, which no audit needs.
        from audits.verdict._write import write_all

        write_all(self, Path(directory), replace=replace, redact=redact)


def audit(
    submission: Given,
    references: ReferencesLike,
    *,
    epsilon: float = 1.0,
    tolerance: float | Literal["calibrated"] = 0.2,
    confidence: float = 0.95,
    claim: Claim | None = None,
    observables: Sequence[Observable] | None = DEFAULT_OBSERVABLES,
    looks: Sequence[int] | None = None,
    among: int = 1,
    seed: int | None = None,
) -> Audit:
    r"""Decides which reference the submitted models are distributed like.

    For each reference the hockey-stick divergence

    $$\max_j \sup_R \max\{P_j(R) - e^\epsilon Q_j(R),\; Q_j(R) - e^\epsilon P_j(R)\}$$

    over half-lines R of the declared observables j gets a lower and an upper bound, each wrong with
    probability at most $\alpha/2$; or nearly $\alpha$, where the references are shown to lie so
    far apart that errors about both all but exclude each other. An upper bound at most
    ``tolerance`` is a match, a lower bound above it a difference, anything else open. Unless
    declared otherwise the observables are the median margin of each probe group, the margin of each
    single example of S and of B outside S, the worst of them, and a score learned to tell
    submission and reference apart. A verdict that claims anything false has probability at most
    $\alpha$, at every number of models, provided that models are independent. The references are
    compared with each other too: where they match, the question is vacuous and the verdict says so.

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
        looks: numbers of submitted models at which verdicts are read, declared before the first of
            them: this audit then uses the first models, up to the last number reached, and that
            look's part of alpha, so that the verdict is right at whichever look one stops. None is
            one look at what was handed in; an empty sequence, or fewer models than the first
            number, is an exploratory look. Only the command line knows of earlier looks, from the
            folder that it writes to: here it is for you to say so.
        among: how many submissions are judged at once; `Audit.stands` says whether the verdict
            holds together with the verdicts of all the others. `audit_all` counts them.
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
    settings = checked(
        epsilon=epsilon,
        tolerance=tolerance,
        confidence=confidence,
        claim=claim,
        observables=observables,
        looks=looks,
        among=among,
        seed=seed,
    )
    parties = observe_all(submission, references)
    check_several(parties)
    return _audited(parties, settings, {})


def audit_all(
    submissions: Mapping[str, Given],
    references: ReferencesLike,
    *,
    epsilon: float = 1.0,
    tolerance: float | Literal["calibrated"] = 0.2,
    confidence: float = 0.95,
    claim: Claim | None = None,
    observables: Sequence[Observable] | None = DEFAULT_OBSERVABLES,
    looks: Sequence[int] | None = None,
    seed: int | None = None,
) -> dict[str, Audit]:
    """Audits several submissions against the same references, which are compared but once.

    Each verdict is wrong with probability at most alpha. Of the verdicts whose `Audit.stands` is
    true, *all* are right with probability at least ``confidence``: each of them stays the same at a
    level of alpha divided by the number of submissions (Bonferroni).

    Args:
        submissions: what was submitted, by name.
        references: see `audit`, as all that follows.
        epsilon: of the divergence.
        tolerance: the divergence up to which two populations count as matching.
        confidence: one minus alpha.
        claim: an (epsilon, delta) that is claimed of every submission.
        observables: what to look at of each model.
        looks: declared numbers of submitted models.
        seed: of what is drawn, for all of them.

    Returns:
        The audits, by the submission's name.

    Raises:
        SubmissionError: when a submission does not fit the references.
        TypeError: when something is no population.
        ValueError: when a number lies outside its range, or nothing is submitted.

    Example:
        >>> from indist import audits, oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> refs = oracles.references(scenario, models=8, seed=0)
        >>> found = audits.audit_all({"nothing": refs.original, "all": refs.unlearning}, refs)
        >>> [audit.declaration.among for audit in found.values()]
        [2, 2]
    """
    seed = None if seed is None else check_seed(seed)
    check_kind(submissions, "submissions", Mapping, "a dictionary of submissions by name")
    if not submissions:
        raise ValueError("submissions: expected at least one, found none")
    settings = checked(
        epsilon=epsilon,
        tolerance=tolerance,
        confidence=confidence,
        claim=claim,
        observables=observables,
        looks=looks,
        among=1 if observables is None else len(submissions),
        seed=seed,
    )
    given = {name: observe_all(part, references) for name, part in submissions.items()}
    for parties in given.values():
        check_several(parties)
    if settings.exact and seed is None and len(given) > 1:
        # One seed for all, else the references would be compared anew with each. It depends on what
        # was observed alone, not on names or their order.
        everything = {
            observations.digest: observations
            for parties in given.values()
            for observations in parties.observations.values()
        }
        settings = replace(settings, seed=seed_of(everything))
    compared: dict[tuple[str, ...], Comparison] = {}
    return {name: _audited(parties, settings, compared) for name, parties in given.items()}


def _audited(
    parties: Parties, settings: Settings, compared: dict[tuple[str, ...], Comparison]
) -> Audit:
    """The audit of populations that were observed, at the references' probes.

    Args:
        parties: the populations.
        settings: what was declared.
        compared: comparisons without the submission, which other audits have made or will use.
    """
    # Observe: what is looked at of each model, of every population.
    handed_in = parties.submission.observations.models
    look = look_at(handed_in, settings.looks)
    parties = parties.with_first(look.models)
    seen = parties.observations
    columns = {name: median_margins(observations) for name, observations in seen.items()}
    values = {name: column.values for name, column in columns.items()}
    resampling = seed_of(seen)
    drawn = resampling if settings.seed is None else settings.seed
    exact, epsilon, confidence = settings.exact, settings.epsilon, settings.confidence
    lower = replace(LOWER, seed=drawn) if exact else LOWER
    alpha, alpha_here = settings.alpha, settings.alpha * look.share

    def blocks(first: str, second: str) -> list[Block]:
        return blocks_of(settings.observables, seen[first], seen[second], drawn)

    pairs = {name: blocks("submission", name) for name in REFERENCES}

    # Declare: all that the verdict depends on, before the submission is compared with anything.
    def distances(level: float) -> list[Float[np.ndarray, " splits"]]:
        """About the upper bounds that perfect matches would get."""
        return [
            self_distances(
                pairs[name][0].second,
                epsilon=epsilon,
                confidence=1.0 - level,
                models=seen["submission"].models,
                seed=resampling,
                exact=exact,
            )
            for name in REFERENCES
        ]

    tolerance = settings.tolerance
    calibrated = tolerance == "calibrated"
    if tolerance == "calibrated":
        tolerance = calibrated_tolerance(*distances(alpha_here / (4.0 if exact else 2.0)))
    declaration = Declaration(
        epsilon=epsilon,
        tolerance=tolerance,
        confidence=confidence,
        observables=tuple(name for block in pairs["untraining"] for name in block.names),
        events=EVENTS.words(),
        bounds=exact_bounds(lower) if exact else BOUNDS,
        calibrated=calibrated,
        looked_at=tuple(map(settings_of, settings.observables)) if exact else (),
        seed=drawn if exact else None,
        looks=settings.looks,
        look=look.number,
        look_confidence=None if settings.looks is None else 1.0 - alpha_here,
        among=settings.among,
    )

    # Compare: the submission with each reference, the references with each other, and the rest.
    def against(first: str, second: str, levels: Sequence[float]) -> Comparison:
        return compare(
            pairs[second] if first == "submission" else blocks(first, second),
            names=(first, second),
            epsilon=epsilon,
            tolerance=tolerance,
            confidence=1.0 - levels[0],
            also=1.0 - levels[1] if len(levels) > 1 else None,
            seed=seed_of({name: seen[name] for name in (first, second)}) if exact else resampling,
            exact=exact,
            lower=lower,
        )

    def context(first: str, second: str) -> Comparison:
        """A comparison without the submission, at the confidence of the whole."""
        key = (first, seen[first].digest, second, seen[second].digest, str(tolerance))
        if key not in compared:
            compared[key] = against(first, second, (alpha,))
        return compared[key]

    between_references = context("untraining", "unlearning")
    separation = separate(between_references.decision)

    def decided(level: float) -> tuple[Sharing | None, Comparison, Comparison, VerdictName]:
        """Both comparisons that a verdict rests on, and the verdict, at a level."""
        sharing, levels = None, (level / 2.0,)
        if exact and calibrated:
            # Both bounds must hold at once: the data choose on which side the tolerance falls.
            levels = (level / 4.0,)
        elif exact:
            sharing, levels = shared_level(
                blocks("untraining", "unlearning")[0],
                seen["submission"].models,
                epsilon=epsilon,
                tolerance=tolerance,
                alpha=level,
                method=lower,
            )
        one, other = (against("submission", name, levels) for name in REFERENCES)
        return sharing, one, other, verdict_of(one.decision, other.decision, separation)

    sharing, untraining, unlearning, verdict = decided(alpha_here)
    least = least_tolerance(*distances(1.0 - untraining.confidence))
    stands = None
    if settings.among > 1:
        stands = verdict != "inconclusive" and decided(alpha_here / settings.among)[-1] == verdict
    original = None
    if "original" in seen:
        original = (context("original", "untraining"), context("original", "unlearning"))
    claim = parties.submission.claim if settings.claim is None else settings.claim
    claimed = None
    if claim is not None and np.isfinite(claim.epsilon):
        claimed = check_claim(
            claim,
            values["submission"],
            values["untraining"],
            observables=columns["untraining"].names,
            confidence=confidence,
        )

    # Record.
    return Audit(
        verdict=verdict,
        separation=separation,
        declaration=declaration,
        untraining=untraining,
        unlearning=unlearning,
        references=between_references,
        original=original,
        sharing=sharing,
        stands=stands,
        waiting=handed_in - look.models,
        progress=progress_rows(values, columns["submission"].groups, confidence=confidence)
        if exact
        else (),
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
            *not_learned(settings.observables, seen),
            *parties.warnings,
        ),
        observations=seen,
        claimed=claimed,
        contents=contents_of(parties, (untraining, unlearning), declaration.tolerance),
    )
