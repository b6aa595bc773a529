"""The report of logs: it repeats the comparison, says what it cannot, and lets nothing in."""

import hashlib
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audits import llm
from audits.llm._page import forest
from tests.audits.llm.files import log
from tests.audits.pages import NASTY, Page, check_self_contained

FILES = ["logs.json", "observations", "report.html", "report.md"]


def models(name: str, count: int, mean: float, first: int) -> list[llm.LLMLog]:
    """Two metrics on thirty examples, the second a thousandth of the first."""
    hard = np.random.default_rng(77).normal(size=30)
    found: list[llm.LLMLog] = []
    for k in range(count):
        rng = np.random.default_rng(first + k)
        loss = hard + rng.normal(mean, 0.2) + 0.1 * rng.normal(size=30)
        found.append(log(f"{name}{k}", {"loss": loss, "prob": 0.001 * loss}))
    return found


@pytest.fixture(scope="module")
def found() -> llm.LLMAudit:
    return llm.compare(
        models("mine", 4, 2.0, 100),
        untraining=models("t", 4, 2.0, 200),
        unlearning=models("u", 4, 0.0, 300),
        confidence=0.9,
        seed=0,
    )


def alone(examples: int = 30, **options: Any) -> llm.LLMAudit:
    mine, retain = models("mine", 1, 2.0, 100)[0], models("retain", 1, 0.0, 200)[0]

    def cut(of: llm.LLMLog) -> llm.LLMLog:
        few = {m: dict(list(v.items())[:examples]) for m, v in of.scores.items()}
        return replace(of, scores=few)

    return llm.compare([cut(mine)], untraining=[cut(retain)], seed=3, **options)


def written(audit: llm.LLMAudit, folder: Path) -> tuple[str, str, Any]:
    audit.report(folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES

    def refuse(token: str) -> None:
        raise AssertionError(token)

    numbers = json.loads((folder / FILES[0]).read_text("utf-8"), parse_constant=refuse)
    return (folder / FILES[2]).read_text("utf-8"), (folder / FILES[3]).read_text("utf-8"), numbers


def test_pages_say_what_was_found_and_what_cannot_be(found: llm.LLMAudit, tmp_path: Path) -> None:
    html, markdown, _ = written(found, tmp_path)
    check_self_contained(html)
    page = Page(html)
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("svg") == 1
    for text in (page.text, markdown):
        for words in (
            "The submitted models are consistent with models never trained on the forget set. They "
            "are inconsistent with models never trained on the behaviour.",
            "The logs fit models never trained on the forget set, and do not fit models never",
            "What cannot be concluded from these logs",
            "Any ε or δ, or that the models are alike.",
            "Permutation test of 4 against 4 models",
        ):
            assert words in text
        assert "That another reference model would say the same." not in text
        assert not {"None", "nan", "inf"} & set(text.split())
    assert "Logs of mine0 and 3 more" in page.text


def test_every_number_is_in_the_file(found: llm.LLMAudit, tmp_path: Path) -> None:
    _, _, numbers = written(found, tmp_path)
    assert (numbers["format"], numbers["version"]) == ("indist-logs", 2)
    for field in ("fit", "sentence", "confidence", "cluster", "seed"):
        assert numbers[field] == getattr(found, field)
    for of, stored in zip(found.comparisons, numbers["comparisons"], strict=True):
        for field in ("reference", "submitted", "models", "noise", "pvalue", "level", "finding"):
            assert stored[field] == getattr(of, field)
        for one, row in zip(of.metrics, stored["metrics"], strict=True):
            assert row == vars(one) | {"ks": [list(each) for each in one.ks]}
    assert set(numbers["versions"]) == {"indist", "python", "numpy", "scipy"}
    given = [one["name"] for one in numbers["logs"]["unlearning"]]
    assert given == ["u0", "u1", "u2", "u3"]
    digests = {one["digest"] for logs in numbers["logs"].values() for one in logs}
    assert len(digests) == 12
    scores = {m: dict(v) for m, v in found.logs["submission"][0].scores.items()}
    text = json.dumps(scores, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == numbers["logs"]["submission"][0]["digest"]


def test_digests_are_of_scores_and_not_of_their_order() -> None:
    first = log("a", {"loss": [1.0, 2.0], "rouge": [0.5, 0.25]})
    turned = {m: dict(reversed(v.items())) for m, v in reversed(first.scores.items())}
    assert replace(first, name="b", scores=turned).digest == first.digest
    assert log("a", {"loss": [1.0, 2.0], "rouge": [0.5, 0.26]}).digest != first.digest
    assert log("a", {"loss": [1.0, 2.0], "rougf": [0.5, 0.25]}).digest != first.digest


def test_the_forest_is_drawn_from_the_comparison(found: llm.LLMAudit) -> None:
    figure = forest(found)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "prob"]
    for place, axes in enumerate(figure.axes):
        drawn = [line.get_xydata().tolist() for line in axes.lines]
        for y, of in enumerate(found.comparisons):
            one = of.metrics[place]
            assert [[one.low, y], [one.high, y]] in drawn
            assert [[one.difference, y]] in drawn
            bar: Any = axes.patches[y]
            assert bar.get_x() == pytest.approx(-one.seed_half_width)
            assert bar.get_width() == pytest.approx(2 * one.seed_half_width)
            low, high = axes.get_xlim()
            assert low < min(0.0, one.low)
            assert high > max(0.0, one.high)
        # The two kinds of reference differ in their markers, not only in colour.
        assert len({line.get_marker() for line in axes.lines} & {"s", "^"}) == 2


def test_intervals_are_rounded_outward_to_their_own_scale(
    found: llm.LLMAudit, tmp_path: Path
) -> None:
    _, markdown, _ = written(found, tmp_path)
    rows = [line.split(" | ") for line in markdown.splitlines() if line.startswith("| prob")]
    assert len(rows) == 2
    for of, row in zip(found.comparisons, rows, strict=True):
        one = of.metrics[1]
        low, high = (float(end.replace("\N{MINUS SIGN}", "-")) for end in row[5].split(" to "))
        assert low <= one.low < one.high <= high
        assert high - low < 1.3 * (one.high - one.low)


def test_one_reference_model_is_said_to_be_one_draw(tmp_path: Path) -> None:
    html, markdown, numbers = written(alone(), tmp_path)
    for text in (Page(html).text, markdown):
        for words in (
            "inconsistent with this model never trained on the forget set beyond example noise.",
            "That another reference model would say the same.",
            "Whether the models unlearned the behaviour.",
            "That the algorithm’s other models are like this one.",
        ):
            assert words in text
        # Which kind of reference fits is no question where one kind alone was given.
        assert "hich kind of reference" not in text
        assert "hich reference the logs fit" not in text
    assert "| unknown |" in markdown
    # Infinite: what is not known is null, and no bar is drawn for it.
    assert numbers["comparisons"][0]["metrics"][0]["seed_half_width"] is None
    assert not forest(alone()).axes[0].patches


def test_a_single_draw_has_no_interval(tmp_path: Path) -> None:
    audit = alone(10, cluster=20)
    assert audit.comparisons[0].metrics[0].low == -math.inf
    _, markdown, numbers = written(audit, tmp_path)
    assert "| undetermined |" in markdown
    assert numbers["comparisons"][0]["metrics"][0]["low"] is None
    assert "20 consecutive examples are one" in markdown
    assert "cannot be told" in markdown.splitlines()[0]


@pytest.mark.parametrize(
    ("fit", "words"),
    [
        ("unlearning only", "do not fit models that only missed the forget set"),
        ("both", "models never trained on the behaviour as well"),
        ("neither", "The logs fit neither"),
    ],
)
def test_it_repeats_the_verdict_and_decides_nothing(
    found: llm.LLMAudit, fit: Any, words: str, tmp_path: Path
) -> None:
    html, markdown, _ = written(replace(found, fit=fit), tmp_path)
    assert words in Page(html).text
    assert words in markdown


def test_privleak_is_reported(tmp_path: Path) -> None:
    def membership(name: str, seed: int, shift: float) -> llm.LLMLog:
        rng = np.random.default_rng(seed)
        scores = {"PPL/forget": rng.normal(shift, 1, 40), "PPL/holdout": rng.normal(0, 1, 40)}
        return log(name, scores, "PPL")

    mine, retain = membership("mine", 0, -1.0), membership("retain", 1, 0.0)
    audit = llm.compare([mine], untraining=[retain], seed=0)
    leak = audit.comparisons[0].privleak
    assert leak is not None
    _, markdown, numbers = written(audit, tmp_path / "a")
    assert "## PrivLeak" in markdown
    assert f"{leak.value:.1f}".replace("-", "\N{MINUS SIGN}") in markdown
    assert numbers["comparisons"][0]["privleak"]["low"] == leak.low
    never = llm.compare([mine], untraining=[membership("retain", 1, -99.0)], seed=0)
    _, markdown, numbers = written(never, tmp_path / "b")
    assert "undetermined, as the reference’s AUC is 0" in markdown
    assert numbers["comparisons"][0]["privleak"]["value"] is None


def test_what_logs_hold_is_escaped(tmp_path: Path) -> None:
    hostile = f"{NASTY}\n\x1b[2J é\ud800"
    scores = {hostile: {str(k): float(k % 7) for k in range(30)}}
    mine = llm.LLMLog(hostile, Path("</title><b>"), "TOFU", scores, {}, (hostile,))
    shifted = {hostile: {k: v + 0.5 + 0.1 * int(k) for k, v in scores[hostile].items()}}
    retain = replace(mine, name="</svg>" + NASTY, scores=shifted)
    audit = llm.compare([mine], untraining=[retain], seed=0)
    html, markdown, _ = written(replace(audit, warnings=(NASTY,)), tmp_path)
    check_self_contained(html)
    assert "<script" not in html
    assert "<b>" not in html
    assert Page(html).text.count(NASTY) >= 6
    assert "<script" not in markdown
    for line in markdown.splitlines():
        if line.startswith("|"):
            # Differences and logs: no cell was split.
            assert len(re.findall(r"(?<!\\)\|", line)) - 1 in (4, 10)


def test_the_same_comparison_gives_the_same_bytes(found: llm.LLMAudit, tmp_path: Path) -> None:
    assert written(found, tmp_path / "a") == written(found, tmp_path / "b")


def test_p_and_its_least_value_are_rounded_alike(tmp_path: Path) -> None:
    # 1 / 126: to the nearest it is 0.0079, and no p-value is rounded down.
    audit = llm.compare(models("mine", 4, 9.0, 100), untraining=models("r", 5, 0.0, 200), seed=0)
    assert audit.comparisons[0].pvalue == audit.comparisons[0].least_pvalue
    html, markdown, _ = written(audit, tmp_path)
    for text in (Page(html).text, markdown):
        assert "p = 0.0080" in text
        assert "p is never below 0.0080." in text


def test_warnings_stand_after_what_was_found(tmp_path: Path) -> None:
    audit = replace(alone(), warnings=("Mind this.",))
    html, markdown, _ = written(audit, tmp_path)
    for page, result in ((html, 'class="distance'), (markdown, "- ")):
        assert page.index(result) < page.index("Mind this.") < page.rindex("Paired differences")
    assert str(audit).index("loss") < str(audit).index("Mind this.")


def test_the_spread_of_one_reference_model_is_unknown_in_the_table() -> None:
    lines = str(alone()).splitlines()
    table = next(k for k, line in enumerate(lines) if "seed_half_width" in line)
    assert lines[table + 1].endswith("unknown")
    assert "inf" not in lines[table + 1]


def test_which_reference_fits_is_undecided_with_one_model_of_both_kinds(tmp_path: Path) -> None:
    one, other, third = (models(name, 1, 0.0, k) for k, name in ((1, "m"), (2, "t"), (3, "u")))
    audit = llm.compare(one, untraining=other, unlearning=third, seed=0)
    _, markdown, _ = written(audit, tmp_path)
    assert "It is undecided which kind of reference the logs fit." in markdown
    assert "Of the unlearning reference one model was given, whose training seed is" in markdown
