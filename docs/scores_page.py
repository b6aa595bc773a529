"""Writes the page of published scores from the tables of two studies.

    python docs/scores_page.py

The numbers are those of docs/results/score-nulls.csv and docs/results/metric-audit.csv, which
``indist study score-nulls`` and ``indist study metric-audit`` made: see the JSON beside each for
command and versions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from indist.studies import read_rows
from indist.studies._shown import shown_interval
from indist.studies.scores._metric_audit import MetricAudit, follows
from indist.studies.scores._pools import BAD
from indist.studies.scores._score_nulls import first_telling

DOCS = Path(__file__).parent
_CALLED = {
    "identity": "the original",
    "neggrad": "NegGrad+",
    "half": "half the models left as they were",
    "retrain": "retraining on D∖S",
}
_ABOUT: Mapping[str, str] = {
    "competition": "The competition's ε is the greatest over many threshold rules for each "
    "example of S, with no correction for that search, so a perfect answer is short of the ideal. "
    "Only the values at one number of models can be compared.",
    "U-LiRA": "An attack on each example of S that tells unlearned models from models that never "
    "saw it. It is scored here on models left out of the fit: in-sample, equal populations look "
    "different.",
    "shadow attacks": "LiRA and RMIA ask whether S looks trained on, by shadow models of the "
    "original and of the reference; the attacker does not know the unlearner.",
    "KLoM": "The divergence of binned margins for each example of S, with the greatest margin "
    "counted, which published codes drop. Bins that only the submission reaches cost most, so a "
    "perfect answer's value falls as models are added.",
    "tug of war": "Gaps in mean accuracy over models, group by group: S, retain and test as "
    "published; with the rest of the behaviour too; and with an attack in the place of accuracy "
    "on S.",
    "attacks on one model": "A support vector machine, and logistic regression, look at one model "
    "at a time. Only `svc-gap` asks what models that never saw S would score.",
    "accuracies": "SAPE compares accuracies on S; AUS those on S and test; corrective accuracy "
    "alone looks at fresh instances of the behaviour, and asks no reference how many of them a "
    "model can have right.",
    "outputs": "Activation distance is between the predictions of single models, and two retrained "
    "ones are apart too. ZRF compares with models of random parameters.",
    "language models": "On two classes, the ratio of the probabilities of the wrong and the right "
    "one is the truth ratio, and the margin is the membership score. Forget quality takes a single "
    "model a side, however many there are, and treats the same examples in both as independent.",
    "subset guessing": "The bound asks whether one can guess which half was forgotten: an "
    "unlearner that does nothing leaves nothing to guess. It compares forget sets with each other, "
    "not a submission with a reference. Its published share of δ is refuted by a mechanism in the "
    "tests.",
    "indist": "The estimate of `indist audit`, without its bounds, as a yardstick: the divergence "
    "over half-lines of each group's median margin. The last rows of the first table are the "
    "grades that stand beside a verdict: the greatest over the groups' medians of |shift|, of the "
    "AUC's distance from ½ and of |1 - progress| from the original to the reference, the last on S "
    "alone, and the distance of the means of all margins. Medians do not see most of the "
    "directions in which populations can differ.",
}


def scores_page(
    nulls_rows: Sequence[Mapping[str, Any]], audit_rows: Sequence[Mapping[str, Any]]
) -> str:
    """The page.

    Args:
        nulls_rows: rows of the study ``score-nulls``.
        audit_rows: rows of the study ``metric-audit``.

    Returns:
        Markdown; each number in it is from the rows.
    """
    done = [row for row in nulls_rows if "finding" in row]
    parts = [
        "# Published scores: which question can each answer?",
        _introduction(done, audit_rows),
        _table(done, audit_rows),
        "## What a perfect answer scores",
        "Median over simulations and the range that holds the central 95 % of them.",
        _ranges(done),
        "## Family by family",
    ]
    for family in dict.fromkeys(row["family"] for row in done):
        mine = [row for row in done if row["family"] == family]
        parts += [
            f"### {family[:1].upper()}{family[1:]}",
            " ".join([_ABOUT[family], *_found(mine)]),
        ]
    return "\n\n".join(parts) + "\n"


def _introduction(nulls: Sequence[Mapping[str, Any]], audit: Sequence[Mapping[str, Any]]) -> str:
    sizes = ", ".join(map(str, sorted({int(row["models"]) for row in nulls})))
    first, one = nulls[0], audit[0]
    return (
        "Two studies try published scores where the truth is known. In "
        "[score-nulls](results/score-nulls.csv) a perfect answer, drawn from the reference's own "
        f"law, is scored beside bad ones, in {int(first['simulations'])} independent simulations "
        f"with {sizes} models a side, from pools of {int(first['pool'])}. A score *tells* when the "
        f"chance that the perfect one reads better is above {first['bar']:g} for every bad one "
        "(with the number of models from which on it does so); each score is computed against the "
        "question's own reference. In [metric-audit](results/metric-audit.csv) "
        f"{int(one['algorithms'])} algorithms lie at exactly known distances d; a score ranks "
        f"like d when its Kendall τ with it is above {one['bar']:g}, at {int(one['models'])} "
        "models a side: in bold where it does, in italics where that is undetermined. All "
        f"intervals of a table hold at once with {100 * first['confidence']:g} % confidence. "
        "Untraining asks for the distance from T = A(D∖S), unlearning for that from A(D∖B); the "
        f"two true rankings have τ = {one['truths_tau']:.2f} with each other. A score follows, of "
        "the two, the one with which its τ is surely greater."
    )


def _table(nulls: Sequence[Mapping[str, Any]], audit: Sequence[Mapping[str, Any]]) -> str:
    head = (
        "score",
        "read as",
        "tells a perfect untrainer",
        "tells a perfect unlearner",
        "τ with d to T",
        "τ with d to A(D∖B)",
        "τ with d to A(D∖B), computed against T",
        "follows, computed against T",
    )
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    ranked = MetricAudit().typed([dict(row) for row in audit])
    for name in dict.fromkeys(row["score"] for row in (*nulls, *audit)):
        mine = [row for row in nulls if row["score"] == name]
        cells = [name, next(row["reading"] for row in (*nulls, *audit) if row["score"] == name)]
        # An audit's grades are held against the true distance alone.
        cells += [_told([row for row in mine if row["question"] == asked]) for asked in BAD]
        cells += [_ranked(audit, name, asked, asked) for asked in BAD]
        cells.append(_ranked(audit, name, "untraining", "unlearning"))
        mine = [row for row in ranked if row.score == name]
        cells.append(follows([row for row in mine if row.reference != "unlearning"]))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _told(rows: Sequence[Mapping[str, Any]]) -> str:
    """The finding at the most models, and from how many on it tells."""
    if not rows:
        return ""
    found = {int(row["models"]): str(row["finding"]) for row in rows}
    most = max(found)
    if found[most] != "tells":
        return f"{found[most]} ({most})"
    return f"tells (from {first_telling(found)})"


def _ranked(audit: Sequence[Mapping[str, Any]], score: str, reference: str, question: str) -> str:
    for row in audit:
        against = row["reference"] in (reference, "none")
        if against and (row["score"], row["question"]) == (score, question):
            mark = {"ranks like it": "**", "does not": ""}.get(row["finding"], "*")
            shown = shown_interval(*(row[f"tau{end}"] for end in ("", "_low", "_high")))
            return f"{mark}{shown}{mark}"
    return ""


def _ranges(nulls: Sequence[Mapping[str, Any]]) -> str:
    """The null of each score, by question, at the fewest and the most models."""
    lines: list[str] = []
    columns: dict[str, None] = {}
    for name in dict.fromkeys(row["score"] for row in nulls):
        cells: dict[str, str] = {}
        for question in BAD:
            mine = [row for row in nulls if (row["score"], row["question"]) == (name, question)]
            for which, pick in (("fewest", min), ("most", max)):
                row = pick(mine, key=lambda row: row["models"])
                low, median, high = (row[f"perfect_{end}"] for end in ("low", "median", "high"))
                cells[f"{question}, {which} models"] = (
                    f"{median:.3g} [{low:.3g}, {high:.3g}] ({int(row['models'])})"
                )
        columns |= dict.fromkeys(cells)
        lines.append("| " + " | ".join([name, *cells.values()]) + " |")
    head = "| " + " | ".join(["score", *columns]) + " |"
    return "\n".join([head, "|" + "---|" * (len(columns) + 1), *lines])


def _found(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the simulations with the most models say beyond the tables."""
    sentences: list[str] = []
    for name in dict.fromkeys(row["score"] for row in rows):
        for question in BAD:
            mine = [row for row in rows if (row["score"], row["question"]) == (name, question)]
            row = max(mine, key=lambda row: row["models"])
            at = f"`{name}`, asked about {question} with {int(row['models'])} models,"
            worse = [bad for bad in BAD[question] if row[f"{bad}_auc_high"] < 0.5]
            if worse:
                listed = ", ".join(f"{_CALLED[bad]} (AUC {row[f'{bad}_auc']:.2f})" for bad in worse)
                sentences.append(f"{at} reads as better than a perfect answer: {listed}.")
            if "perfect_failed" in row:
                sentences.append(f"{at} {_rates(row)}.")
    return sentences


def _rates(row: Mapping[str, Any]) -> str:
    """How often the published decision fails the perfect one and each bad one."""
    bad = ", ".join(
        f"{_CALLED[name]} in {100 * row[f'{name}_failed']:.0f} %" for name in BAD[row["question"]]
    )
    return (
        f"by its published decision ({row['decision']}) fails a perfect answer in "
        f"{100 * row['perfect_failed']:.0f} % of the simulations, {bad}"
    )


def write(docs: Path = DOCS) -> None:
    """Writes docs/scores.md."""
    results = docs / "results"
    page = scores_page(
        read_rows(results / "score-nulls.csv"), read_rows(results / "metric-audit.csv")
    )
    (docs / "scores.md").write_text(page)


if __name__ == "__main__":
    write()
