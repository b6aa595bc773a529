"""An audit's way from observations to a verdict and all that stands beside it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from audits._provenance import provenance
from audits.claims._claimed import check_claim
from audits.report._words import REFERENCES
from audits.submissions._parties import Parties
from audits.verdict._blocks import blocks_of, not_learned
from audits.verdict._bounds import EVENTS, decision
from audits.verdict._columns import Block, median_margins
from audits.verdict._compare import BOUNDS, LOWER, compare, exact_bounds
from audits.verdict._contents import contents_of
from audits.verdict._findings import AuditFindings
from audits.verdict._grades import mean_distance_rows, progress_rows, shift_rows
from audits.verdict._groups import summarise
from audits.verdict._least_alpha import least_alpha
from audits.verdict._least_tolerance import calibrated_tolerance, least_tolerance, self_distances
from audits.verdict._looks import look_at
from audits.verdict._nearest import nearest
from audits.verdict._observables import settings_of
from audits.verdict._over_unlearned import over_unlearned
from audits.verdict._results import Comparison, Declaration, Sharing, VerdictName
from audits.verdict._rule import separate, verdict_of
from audits.verdict._settings import Settings, drawn_seed, seed_of
from audits.verdict._sharing import shared_level
from audits.verdict._warnings import warnings_of

Compared = dict[tuple[str, ...], Comparison]
"""Comparisons without the submission, which audits against the same references share."""

FindingsT = TypeVar("FindingsT", bound=AuditFindings)


def judge(
    kind: type[FindingsT], parties: Parties, settings: Settings, compared: Compared
) -> FindingsT:
    """The audit of populations that were observed, at the references' probes.

    Args:
        kind: the class of what was found.
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
    drawn = drawn_seed() if settings.seed is None else settings.seed
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
        references_seen=settings.references_seen,
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
            # Both bounds at once, where the data have chosen the tolerance.
            both = exact and calibrated
            compared[key] = against(first, second, (alpha / 2.0 if both else alpha,))
        return compared[key]

    between_references = context("untraining", "unlearning")
    separation = separate(between_references.decision)

    def shared(level: float) -> tuple[Sharing | None, tuple[float, ...]]:
        """Whether the references share a level, and the levels of each of them."""
        if exact and calibrated:
            # Both bounds must hold at once: the data choose on which side the tolerance falls.
            return None, (level / 4.0,)
        if not exact:
            return None, (level / 2.0,)
        return shared_level(
            blocks("untraining", "unlearning")[0],
            seen["submission"].models,
            epsilon=epsilon,
            tolerance=tolerance,
            alpha=level,
            method=lower,
        )

    def verdict_at(levels: tuple[float, ...]) -> VerdictName:
        """The verdict of the same observations at other levels of each reference."""
        ask = partial(decision, epsilon=epsilon, tolerance=tolerance, levels=levels, lower=lower)
        return verdict_of(ask(pairs["untraining"]), ask(pairs["unlearning"]), separation)

    def halved(level: float) -> tuple[float, ...]:
        """The level of each reference that is always right; whether they share takes long."""
        return (level * look.share / (4.0 if calibrated else 2.0),)

    sharing, levels = shared(alpha_here)
    untraining, unlearning = (against("submission", name, levels) for name in REFERENCES)
    verdict = verdict_of(untraining.decision, unlearning.decision, separation)
    stands = None
    if settings.among > 1 and verdict != "inconclusive":
        stands = verdict_at(shared(alpha_here / settings.among)[1]) == verdict
    least = least_tolerance(*distances(1.0 - untraining.confidence))
    # Of all that is said of the submission beside the verdict: looks share alpha there, too.
    sure = 1.0 - alpha_here
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
            confidence=sure,
        )

    groups = columns["submission"].groups

    # Record.
    return kind(
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
        least_alpha=least_alpha(verdict, alpha, lambda level: verdict_at(halved(level)))
        if exact
        else None,
        progress=progress_rows(values, groups, confidence=sure),
        shifts=shift_rows(values, groups, confidence=sure),
        # An audit as of indist 0.1.0 records no seed.
        mean_distances=mean_distance_rows(seen, seed=drawn if exact else resampling),
        nearest=nearest(
            {name: pairs[name][0] for name in REFERENCES},
            epsilon=epsilon,
            confidence=sure,
            lower=lower,
            estimates=(untraining.estimate, unlearning.estimate),
        ),
        over_unlearned=over_unlearned(
            values["submission"],
            values["unlearning"],
            groups,
            confidence=sure,
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
