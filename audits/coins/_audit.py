"""One model, or a few, against the coins that drew their forget set: no reference is trained."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool

from audits._provenance import versions
from audits._reading import SubmissionError
from audits.coins._findings import CoinFindings
from audits.coins._results import CoinQuestion, Utility, utility_of
from audits.coins._scores import CoinScores, Given, coin_scores, less_baseline
from audits.coins._settings import CoinSettings
from audits.report._words import ReferenceName
from estimators import coin_epsilon
from estimators.kinds import check_kind
from oracles import CoinDesign, load_design

# One baseline in a thousand that is independent of the coins is refused.
_FOLLOWS = np.log(0.001)


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
        baseline: the same of models that are independent of the coins, as those that saw none of
            the candidates: what their mean says of each is subtracted. The original model is not
            one; scores that follow the coins are refused.

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
    seen = coin_scores(scores, drawn.candidates, settings.observables, models=drawn.models)
    values, against = seen.values, None
    if baseline is not None:
        against = coin_scores(baseline, drawn.candidates, settings.observables, models=None)
        _check_independent(against, drawn, settings)
        values = less_baseline(seen, against)
    coins = drawn.coins if len(drawn.coins) > 1 else drawn.coins[0]
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
        for name, masks, parts, confidence in _asked(drawn, settings)
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
        warnings=_warnings(drawn, settings, against is not None),
        versions=versions(),
    )


Asked = tuple[ReferenceName, Bool[np.ndarray, "parts m"], tuple[str, ...], float]


def _asked(design: CoinDesign, settings: CoinSettings) -> list[Asked]:
    """The questions, which coins answer them, and the confidence of each."""
    found, everyone = design.found, np.ones(len(design.candidates), dtype=bool)
    half = 1.0 - (1.0 - settings.confidence) / 2.0
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


def _check_independent(baseline: CoinScores, design: CoinDesign, settings: CoinSettings) -> None:
    """Refuses a baseline that follows the coins: the original model would convict retraining."""
    means = baseline.values.mean(axis=0)
    least = min(
        float(coin_epsilon(means[None], row, weights=settings.weights).log_pvalues[0])
        for row in design.coins
    )
    if least + np.log(len(design.coins)) <= _FOLLOWS:
        raise SubmissionError(
            f"{baseline.name}: expected a baseline that is independent of the coins, found scores "
            f"that follow them (p = {np.exp(least):.2g}); with the original model, or any other "
            "that was trained by these coins, exact retraining would be convicted"
        )


def utilities(seen: CoinScores, confidence: float) -> tuple[Utility, ...]:
    """How often the models are right in each group of other examples."""
    return tuple(
        utility_of(group, seen.right[group], seen.examples[group], confidence)
        for group in seen.right
    )


def _warnings(design: CoinDesign, settings: CoinSettings, baseline: bool) -> tuple[str, ...]:
    found: list[str] = []
    if baseline:
        found.append(
            "A baseline was subtracted, of which the design says nothing: with and without it are "
            "two tests, each at the whole level, and only the auditor's word says that there was "
            "one."
        )
    if design.seeded:
        found.append(
            "The coins were drawn from a given seed: whoever knows it knew them before training, "
            "and only the auditor's word says that the seed was not chosen."
        )
    if settings.delta >= (1.0 - settings.confidence) / 2.0:
        found.append(
            f"The design declares δ = {settings.delta:g}: at a level of "
            f"{1.0 - settings.confidence:g} for both questions one model can show nothing there."
        )
    return tuple(found)
