"""Two published sets in the place of coins: a forget set beside a hold-out set."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from audits._provenance import versions
from audits._reading import Limits, SubmissionError, as_path, file_size, refuse
from audits.coins._audit import CoinAudit, utilities
from audits.coins._results import CoinQuestion
from audits.coins._scores import CoinScores, Given, coin_scores, hidden
from audits.coins._settings import CoinSettings
from audits.llm._examples import clusters, draws_of
from audits.llm._load import load
from audits.llm._log import LLMLog
from estimators import CoinEpsilon, coin_epsilon
from estimators.checks import check_counts
from oracles.storage.files import first_repeated, printable

_UNCHECKED = (
    "Nothing was found out about whether the two sets are exchangeable. If they differ in anything "
    "that a model sees, such as topic, date or source, models that never saw the forget set are "
    "convicted, too: hand in scores of such models, enough of them to be told apart."
)
_LARGEST = 2**26
_WORDS = {"1": True, "0": False, "true": True, "false": False, "yes": True, "no": False}


def audit_sets(
    scores: Given,
    *,
    forget: Sequence[str],
    holdout: Sequence[str],
    retain_model: Given = None,
    settings: CoinSettings | None = None,
    cluster: int = 1,
) -> CoinAudit:
    """The test of `audit_coins` where no coins were drawn, but two sets were published.

    It rests on an assumption that nobody can check whole: that the forget set might as well have
    been any other choice of as many of these examples. Of models that never saw the forget set the
    same test must then find nothing; where it does, nothing is said of the submitted ones.

    Args:
        scores: as for `audit_coins`, in the order forget set, then hold-out set, where they are an
            array.
        forget: names of the examples of the forget set.
        holdout: names of the examples that were in no training set.
        retain_model: scores of models that never saw the forget set, to check the assumption.
        settings: what is declared; as usual if left out.
        cluster: how many consecutive examples of each set were chosen together, as the questions
            on one author of TOFU: they count as one, by the mean of their scores.

    Returns:
        The findings, of untraining alone.

    Raises:
        SubmissionError: when scores do not fit the examples.
        ValueError: when a set is empty, or an example is in both.

    Example:
        >>> import numpy as np
        >>> from indist import audits
        >>> draw = np.random.default_rng(0)
        >>> scores = np.append(draw.normal(3.0, size=60), draw.normal(size=90))
        >>> sets = {"forget": [f"f{k}" for k in range(60)], "holdout": [f"h{k}" for k in range(90)]}
        >>> print(audits.audit_sets(scores, **sets).headline)
        If both sets are exchangeable: not untraining: ε is at least 82.3 at δ = 0.01.
    """
    check_counts(cluster=cluster)
    candidates = (*forget, *holdout)
    twice = first_repeated(candidates)
    if not len(forget) or not len(holdout) or twice is not None:
        found = f"{twice!r:.60} twice" if twice is not None else "none in one of them"
        raise ValueError(f"forget and holdout: expected examples in both, each once, found {found}")
    for name, chosen in (("forget", forget), ("holdout", holdout)):
        if len(chosen) % cluster:
            raise ValueError(
                f"{name}: expected a multiple of {cluster} examples, as so many in a row count as "
                f"one, found {len(chosen)}"
            )
    declared = settings or CoinSettings()
    member = np.arange(len(candidates)) < len(forget)
    seen = coin_scores(scores, candidates, declared.observables, models=None)
    check = None
    refuted, powerless = False, True
    if retain_model is not None:
        check = coin_scores(retain_model, candidates, declared.observables, models=None)
        # At δ = 0, where the least is enough.
        tested = _epsilon(check.values, member, cluster, replace(declared, delta=0.0))
        refuted, powerless = float(tested.bound) > 0.0, bool(tested.undetermined)
    result = _epsilon(seen.values, member, cluster, declared)
    return CoinAudit(
        questions=(CoinQuestion("untraining", result, ("the forget set",), refuted),),
        utility=utilities(seen, declared.confidence),
        settings=declared,
        law="fixed size",
        design=None,
        candidates=candidates,
        member=tuple(member.tolist()),
        cluster=cluster,
        scores=seen,
        check=check,
        warnings=(
            *((_UNCHECKED,) if powerless else ()),
            *hidden(seen, candidates, [np.ones(len(candidates), dtype=bool)], declared),
        ),
        versions=versions(),
    )


def _epsilon(
    values: Float[np.ndarray, "models m observables"],
    member: Bool[np.ndarray, " m"],
    cluster: int,
    settings: CoinSettings,
) -> CoinEpsilon:
    """The bound over clusters, each with the mean of its scores."""
    models, _, observables = values.shape
    # Divided before they are added up, so that sums stay in the range of numbers.
    shares = values.reshape(models, -1, cluster, observables) / cluster
    return coin_epsilon(
        shares.sum(axis=2),
        member[::cluster],
        delta=settings.delta,
        confidence=settings.confidence,
        weights=settings.weights,
        ranks=settings.ranks,
        law="fixed size",
    )


def audit_log_sets(
    log: Path | str,
    *,
    retain_model: Path | str | None = None,
    settings: CoinSettings | None = None,
    cluster: int | None = None,
) -> CoinAudit:
    """`audit_sets` of the forget and hold-out sets that a language-model benchmark's log has.

    Args:
        log: of MUSE or open-unlearning, with scores of a membership attack on both sets.
        retain_model: the log of a model that never saw the forget set, or None.
        settings: what is declared; as usual if left out.
        cluster: consecutive examples that were chosen together; the 20 on each author in logs of
            TOFU, else 1, if left out.

    Raises:
        SubmissionError: when a log has no such scores, or the logs are of other examples.
    """
    own = _attacked(log)
    parts = [f"{own.attack}/{name}" for name in ("forget", "holdout")]
    names = [tuple(own.scores[part]) for part in parts]
    size = 1
    for part, ids in zip(parts, names, strict=True):
        size = max(size, draws_of([own], part, ids, cluster)[0])
        if size > 1 and np.any(np.diff(clusters(ids, size)) < 0):
            refuse(own.path, f"expected examples of {part} in the order of their numbers")
    given = [_member_like(own, parts, names)]
    if retain_model is not None:
        other = _attacked(retain_model)
        if [tuple(other.scores.get(part, ())) for part in parts] != names:
            refuse(other.path, f"expected scores of the same examples as {own.path} has")
        given.append(_member_like(other, parts, names))
    return audit_sets(
        given[0],
        forget=[f"forget/{name}" for name in names[0]],
        holdout=[f"holdout/{name}" for name in names[1]],
        retain_model=given[1] if len(given) > 1 else None,
        settings=settings,
        cluster=size,
    )


def _attacked(path: Path | str) -> LLMLog:
    where = as_path(path, "log")
    logs = load(where)
    if len(logs) != 1 or logs[0].attack is None:
        refuse(
            where,
            "expected the log of one model with scores of a membership attack on a forget and a "
            "hold-out set, as MUSE and open-unlearning write them; else name the sets by --coins",
        )
    return logs[0]


def _member_like(log: LLMLog, parts: Sequence[str], names: Sequence[Sequence[str]]) -> CoinScores:
    """The attack's scores, which grow as a text gets less likely, turned around."""
    values = [
        log.scores[part][name] for part, ids in zip(parts, names, strict=True) for name in ids
    ]
    return CoinScores(log.name, -np.array(values, dtype=np.float64)[None, :, None])


def read_sets(path: Path | str, *, limits: Limits | None = None) -> Mapping[str, list[str]]:
    """Reads a CSV table of two published sets, in columns ``candidate`` and ``in_training``.

    Args:
        path: the file; ``in_training`` is 1 or 0, true or false, yes or no.
        limits: the most it may hold.

    Returns:
        Names of the examples of ``forget`` and of ``holdout``.

    Raises:
        SubmissionError: naming line, column, what was expected and found.
    """
    where, most = as_path(path, "sets"), (limits or Limits()).probes
    sets: dict[str, list[str]] = {"forget": [], "holdout": []}
    if file_size(where) > _LARGEST:
        refuse(where, f"expected at most {_LARGEST:,} bytes, found {file_size(where):,}")
    try:
        with where.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, strict=True)
            names = list(table.fieldnames or ())
            if len(set(names)) != len(names):
                refuse(where, "line 1: expected columns, each once, found one twice")
            missing = {"candidate", "in_training"} - set(names)
            if missing:
                refuse(where, f"line 1: expected a column {sorted(missing)[0]}, found none")
            for row in table:
                said = str(row["in_training"]).strip().lower()
                if said not in _WORDS or not row["candidate"]:
                    refuse(
                        where,
                        f"line {table.line_num}: expected a candidate, and 1 or 0 in column "
                        f"in_training, found {printable(said)[:40]!r}",
                    )
                sets["forget" if _WORDS[said] else "holdout"].append(row["candidate"])
                if table.line_num > most:
                    refuse(where, f"expected at most {most:,} lines, found more")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SubmissionError(f"{where}: cannot be read as a CSV table ({error})") from None
    return sets
