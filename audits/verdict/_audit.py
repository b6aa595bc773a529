"""The audit: a submission against both references, from observations to a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from audits.certificate._certificate import Certificate
from audits.submissions._parties import Given, ReferencesLike, check_several, observe_all
from audits.verdict._findings import AuditFindings
from audits.verdict._judge import Compared, judge
from audits.verdict._observables import DEFAULT_OBSERVABLES, Observable
from audits.verdict._record import certificate_of
from audits.verdict._settings import checked, drawn_seed
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
        progress: how far each group's median margin has come from the original, where that is
            known, to each reference, and from the untraining to the unlearning reference.
        shifts: how far each group's median margin lies from each reference's.
        mean_distances: how far the mean margins lie from each reference's, over all probes at once.
        sharing: whether the references lie far enough apart to share the level; None where that
            is not asked.
        stands: whether the verdict holds together with those of all submissions that were audited
            at once; None for one alone, and for an inconclusive verdict, which claims nothing.
        waiting: submitted models beyond this look's number, which wait for a later one.
        least_alpha: the least of the levels .01, .001 and .0001 at which, and at all above it, the
            verdict is the same; None for an inconclusive one. Among K audits, those with at most
            alpha / K are all right with probability at least 1 - alpha.
        nearest: which reference is nearer, where bounds show it.
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
    references_seen: bool | None = None,
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
        references_seen: whether the submitter could have seen these references before handing in;
            None says nothing. A submission fitted to them can pass: use references that were kept
            back, or train fresh ones with another seed.
        seed: of the models that are set aside for learned observables, and of the pilots of lower
            bounds. None draws one now, after hand-in, so that nobody could prepare for it; it is
            recorded, and `verify` uses it.

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
        references_seen=references_seen,
        seed=seed,
    )
    parties = observe_all(submission, references)
    check_several(parties)
    return judge(Audit, parties, settings, {})


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
    references_seen: bool | None = None,
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
        references_seen: whether any of the submitters could have seen the references.
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
        references_seen=references_seen,
        seed=seed,
    )
    given = {name: observe_all(part, references) for name, part in submissions.items()}
    for parties in given.values():
        check_several(parties)
    if seed is None:
        # One for all, else the references would be compared anew with each.
        settings = replace(settings, seed=drawn_seed())
    compared: Compared = {}
    return {name: judge(Audit, parties, settings, compared) for name, parties in given.items()}
