"""The answer of the study of coins, in sentences that were fixed before the run."""

from collections import Counter
from collections.abc import Sequence

from audits.report.numbers import counted, down
from indist.studies.coins._rows import CoinRow, EpochRow, UnfitRow

BASELINES = {
    "identity": "doing nothing",
    "retrain": "exact retraining on D∖S",
    "retrain-behaviour": "exact retraining on D∖B",
}
"""What is known to be right or wrong, and no unlearner to be judged."""
LOSS = 0.05
"""Accuracy on test that a model may have less than exact retraining and still be called good."""
_NOT_UNTRAINING = ("neither", "unlearning")
"""Verdicts of a population that say that it is not distributed like A(D∖S)."""


def answer(rows: Sequence[CoinRow | EpochRow | UnfitRow]) -> tuple[str, ...]:
    """At most five sentences.

    Args:
        rows: of the study.
    """
    told = [row for row in rows if isinstance(row, CoinRow)]
    sizes = sorted({row.models for row in told})
    first = [row for row in told if row.models == sizes[0]]
    judged = [row for row in first if row.method not in BASELINES]
    sentences = [_controls(first)]
    if judged:
        most = [row for row in told if row.models == sizes[-1] and row.method not in BASELINES]
        sentences += [_counts(judged, most), _spared(judged, first)]
    against = [
        row for row in judged if row.population and row.population.verdict in _NOT_UNTRAINING
    ]
    if against:
        sentences.append(_beside(against))
    epochs = [row for row in rows if isinstance(row, EpochRow)]
    if epochs:
        sentences.append(_epochs(epochs))
    return tuple(sentences)


def _controls(first: Sequence[CoinRow]) -> str:
    parts: list[str] = []
    for method, words in BASELINES.items():
        own = [row for row in first if row.method == method]
        if own:
            both = (_convicted(own, question) for question in ("untraining", "unlearning"))
            parts.append(f"{words} {' and '.join(f'{part} of {len(own)}' for part in both)}")
    return (
        f"Convicted of not untraining, and of not unlearning, from {_models(first)}, in how many "
        f"scenarios: {'; '.join(parts) or 'none of these was run'}."
    )


def _convicted(rows: Sequence[CoinRow], question: str) -> str:
    return str(sum(getattr(row, question).value > 0.0 for row in rows))


def _models(rows: Sequence[CoinRow]) -> str:
    models = rows[0].models
    return "one model" if models == 1 else counted(models, "model")


def _counts(first: Sequence[CoinRow], most: Sequence[CoinRow]) -> str:
    parts = [
        f"from {_models(rows)} {_convicted(rows, 'untraining')} of not untraining and "
        f"{_convicted(rows, 'unlearning')} of not unlearning"
        for rows in (first, most)
    ]
    return (
        f"Of {counted(len(first), 'pair')} of an unlearner and a scenario these are convicted: "
        f"{'; '.join(parts)}."
    )


def _spared(judged: Sequence[CoinRow], first: Sequence[CoinRow]) -> str:
    """Unlearners with nothing found on untraining, and how many of them are still good models."""
    usual = {row.scenario: row.test.value for row in first if row.method == "retrain"}
    free = [row for row in judged if row.untraining.value == 0.0]
    good = [row for row in free if row.test.value >= usual.get(row.scenario, 0.0) - LOSS]
    counts = Counter(row.scenario for row in good)
    where = ", ".join(f"{count} in {scenario}" for scenario, count in counts.items())
    return (
        f"In {len(free)} of them nothing is found on untraining from {_models(judged)}, which is "
        f"no upper bound; {len(good)} of these {'lies' if len(good) == 1 else 'lie'} "
        f"at most {100 * LOSS:.0f} points below exact retraining in accuracy on test"
        f"{': ' * bool(good)}{where}."
    )


def _beside(against: Sequence[CoinRow]) -> str:
    trainings = sorted({row.population.trainings for row in against if row.population})
    convicted = _convicted(against, "untraining")
    return (
        f"Of the {counted(len(against), 'pair')} whose audit by populations says not untraining, "
        f"after {' or '.join(map(str, trainings))} trainings, "
        f"{convicted} {'is' if convicted == '1' else 'are'} convicted of it from "
        f"{_models(against)}."
    )


def _epochs(epochs: Sequence[EpochRow]) -> str:
    parts: list[str] = []
    for method in dict.fromkeys(row.method for row in epochs):
        own = sorted((row for row in epochs if row.method == method), key=lambda row: row.epochs)
        before, after = own[0].untraining, own[-1].untraining
        parts.append(
            f"from {down(before.median, 1)} to {down(after.median, 1)} by "
            f"{counted(own[-1].epochs, 'epoch')} of {method}"
        )
    return (
        f"In {epochs[0].scenario} the median bound on untraining of {epochs[0].models} models, "
        f"each audited alone, goes {'; '.join(parts)}."
    )
