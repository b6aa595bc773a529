"""One model, or a few, against the coins that drew their forget set: no reference is trained."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool

from audits._provenance import versions
from audits._reading import SubmissionError
from audits.coins._findings import CoinFindings
from audits.coins._results import CoinQuestion, Utility, utility_of
from audits.coins._scores import CoinScores, Given, coin_scores, hidden, less_baseline
from audits.coins._settings import CoinSettings
from audits.report._words import ReferenceName
from estimators import coin_epsilon
from estimators.kinds import check_kind
from oracles import CoinDesign, load_design


class CoinAudit(CoinFindings):
    """What coins say of the models that were handed in. `str` of it is the whole answer.

    Attributes: see `CoinFindings`.
    """

    def report(self, directory: Path | str, *, replace: bool = False) -> None:
        """Writes the report and every number; the coins are opened in it.

        Files appear in the folder only once all of them are written: ``report.html``,
        ``report.md`` and, last, ``coin-audit.json``, from which `audits.verify` recomputes the
        audit, the commitment of the design among it. A folder holds one result.

        Args:
            directory: the folder; made when missing.
            replace: take a folder that holds another result, of whatever kind, or other files. The
                same result is written anew in any case.

        Raises:
            ValueError: when ``directory`` is a file, or holds what is not to be replaced.
            OSError: as the file system does; nothing half-written stays behind.
        """
        # Loaded on use: a page draws with matplotlib, which no audit needs.
        from audits.coins._page import write_coins

        write_coins(self, Path(directory), replace=replace)


def audit_coins(
    scores: Given,
    design: CoinDesign | Path | str,
    *,
    baseline: Given = None,
) -> CoinAudit:
    """Says of one model, or a few, what the coins of its forget set allow to be said.

    Two questions are read from the same models. *Untraining*: do scores follow the coins of
    candidates that were found, S, though those that were in were to be forgotten? *Unlearning*: do
    they follow the coins of candidates that were not found, B∖S, or of all? A procedure that is
    (ε,δ)-indistinguishable from one run without the tested examples would hardly make them do so:
    see `estimators.coin_epsilon`. Each question has half of the level; where all candidates were
    found, the two are one, and where none was, there is no forget set.

    Nothing found is no upper bound, and no model is ever said to match a reference.

    Args:
        scores: what the models say of each candidate: an array ``[candidates]`` of one model,
            ``[models, candidates]`` or ``[models, candidates, observables]``, higher where an
            example was trained on; observations or a population with probes named as the
            candidates; or the path of a table, or of a submission that `load` reads.
        design: the design, or its folder; its commitment is checked when it is read.
        baseline: the same of models that saw none of the candidates: what their mean says of each
            is subtracted. Their digest (`CoinScores.digest`) was sealed in the design's settings
            before the coins were drawn. The original model can be none.

    Returns:
        The findings; ``report`` writes them.

    Raises:
        SubmissionError: when scores do not fit the design; the message says where.
        ValueError: when a setting of the design is out of its range, or scores are not finite.

    Example:
        >>> import numpy as np
        >>> from indist import audits, oracles
        >>> design = oracles.draw_coins([f"e{k}" for k in range(200)], found=0.5, seed=0)
        >>> draw = np.random.default_rng(0)
        >>> remembered = 3.0 * design.coins[0] + draw.normal(size=200)
        >>> audits.audit_coins(remembered, design).untraining.finding
        'convicted'
        >>> audits.audit_coins(draw.normal(size=200), design).untraining.finding
        'nothing found'
    """
    drawn = design if isinstance(design, CoinDesign) else load_design(design)
    check_kind(drawn, "design", CoinDesign, "a CoinDesign or the folder of one")
    settings = CoinSettings.of(drawn.settings)
    seen = coin_scores(
        scores,
        drawn.candidates,
        settings.observables,
        models=drawn.models,
        own=drawn.models > 1 and not drawn.shared,
    )
    values, against = seen.values, _sealed_baseline(baseline, drawn, settings)
    if against is not None:
        values = less_baseline(seen, against)
    coins = drawn.coins if len(drawn.coins) > 1 else drawn.coins[0]
    asked = _asked(drawn, settings)
    questions = tuple(
        CoinQuestion(
            name,
            coin_epsilon(
                values,
                coins,
                delta=settings.delta,
                confidence=confidence,
                weights=settings.weights,
                parts=masks,
                ranks=settings.ranks,
            ),
            parts,
        )
        for name, masks, parts, confidence in asked
    )
    return CoinAudit(
        questions=questions,
        utility=utilities(seen, settings.confidence),
        settings=settings,
        law="fair coins",
        design=drawn,
        candidates=drawn.candidates,
        scores=seen,
        baseline=against,
        warnings=(
            *_warnings(drawn, settings),
            *hidden(seen, drawn.candidates, [mask for one in asked for mask in one[1]], settings),
        ),
        versions=versions(),
    )


Asked = tuple[ReferenceName, Bool[np.ndarray, "parts m"], tuple[str, ...], float]


def _asked(design: CoinDesign, settings: CoinSettings) -> list[Asked]:
    """The questions, which coins answer them, and the confidence of each."""
    found, everyone = design.found, np.ones(len(design.candidates), dtype=bool)
    half = settings.half
    if found.all():
        # S = B: one test answers both, so that nothing is shared.
        masks, parts = everyone[None], ("all candidates",)
        return [
            ("untraining", masks, parts, settings.confidence),
            ("unlearning", masks, parts, settings.confidence),
        ]
    if not found.any():
        return [("unlearning", everyone[None], ("all candidates",), settings.confidence)]
    return [
        ("untraining", found[None], ("candidates that were found",), half),
        (
            "unlearning",
            np.stack([~found, everyone]),
            ("candidates that were not found", "all candidates"),
            half,
        ),
    ]


def _sealed_baseline(given: Given, design: CoinDesign, settings: CoinSettings) -> CoinScores | None:
    """The baseline whose digest was sealed before the coins were drawn, so that none entered it.

    Scores that were made later may follow the coins, as the original's do, in ways that no test of
    them alone can see; with these exact retraining would be convicted.
    """
    sealed = settings.baseline
    if given is None:
        if sealed is not None:
            raise SubmissionError(
                f"baseline: expected the scores that the design has sealed, {sealed}, found none"
            )
        return None
    found = coin_scores(given, design.candidates, settings.observables, models=None)
    if found.digest != sealed:
        held = "none" if sealed is None else sealed
        raise SubmissionError(
            f"{found.name}: expected as baseline the scores whose digest was sealed in the design "
            f"before the coins were drawn ({held}), found {found.digest}: scores made later, as "
            "those of the original, may follow the coins, and exact retraining would be convicted"
        )
    return found


def utilities(seen: CoinScores, confidence: float) -> tuple[Utility, ...]:
    """How often the models are right in each group of other examples."""
    return tuple(
        utility_of(group, seen.right[group], seen.examples[group], confidence)
        for group in seen.right
    )


def _warnings(design: CoinDesign, settings: CoinSettings) -> tuple[str, ...]:
    found: list[str] = []
    if design.seeded:
        found.append(
            "The coins were drawn from a given seed: whoever knows it knew them before training, "
            "and only the auditor's word says that the seed was not chosen."
        )
    least = 1.0 - max(confidence for *_, confidence in _asked(design, settings))
    if design.models == 1 and settings.delta >= least:
        found.append(
            f"The design declares δ = {settings.delta:g}, at which one model can show nothing: "
            f"each question has the level {least:g}. The table has smaller ones."
        )
    return tuple(found)
