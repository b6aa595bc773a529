"""Studies of published scores: forms against plain twins, planted rows, and the page."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import kendalltau, ks_2samp, spearmanr

from audits.memorization import Estimate
from indist import estimators
from indist.studies import read_rows
from indist.studies.scores._gaussian_populations import EXACT, METHODS, GaussianPopulations
from indist.studies.scores._grade_forms import GRADES
from indist.studies.scores._metric_audit import (
    SCORES,
    MetricAudit,
    ScoreRankingRow,
    follows,
    kendall,
    ranking_of,
)
from indist.studies.scores._pools import BAD
from indist.studies.scores._score_forms import FORMS, Case, ScoreForm, SeenModels, attacked
from indist.studies.scores._score_nulls import (
    CostlyRow,
    NullFinding,
    NullRow,
    Readings,
    ScoreNulls,
    summarised,
)
from tests.indist.helpers import DOCS, assert_goes_on, module_of

SIZES = {
    "forget": 12,
    "behaviour": 12,
    "behaviour_test": 15,
    "near": 5,
    "retain": 30,
    "test": 20,
}
GROUPS = np.repeat(list(SIZES), list(SIZES.values()))
NAMES = [form.name for form in FORMS]
NULLS = ScoreNulls(models=8, sizes=(8,), simulations=2, attacked=2)
AUDIT = MetricAudit(models=8, replicates=2, attacked=1)


def models(rng: np.random.Generator, mean: float, number: int = 8) -> SeenModels:
    margins = rng.normal(mean, 1.0, (number, len(GROUPS)))
    teachers = np.zeros((1, len(GROUPS)))
    return SeenModels(margins, attacked(margins, GROUPS, teachers, seed=0))


@pytest.fixture(scope="module")
def case() -> Case:
    rng = np.random.default_rng(3)
    ours, twins, theirs, original = (models(rng, mean) for mean in (0.5, 0.4, 0.0, 1.0))
    return Case(GROUPS, ours, twins, theirs, original)


@pytest.fixture(scope="module")
def nulls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[NullRow | CostlyRow]]:
    folder = tmp_path_factory.mktemp("nulls")
    return folder, list(NULLS.run(folder))


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ScoreRankingRow]]:
    folder = tmp_path_factory.mktemp("audit")
    return folder, list(AUDIT.run(folder))


def value(name: str, case: Case) -> float:
    return next(form for form in SCORES if form.name == name).value(case)


def test_forms_agree_with_plain_twins(case: Case) -> None:
    gone, fresh = GROUPS == "forget", GROUPS == "behaviour_test"
    ours, theirs = case.ours.margins, case.theirs.margins
    right, wanted = ours > 0, theirs > 0

    def share(of: np.ndarray, *groups: str) -> list[float]:
        return [float(of[:, name == GROUPS].mean()) for name in groups]

    gaps = {n: 1 - abs(share(right, n)[0] - share(wanted, n)[0]) for n in SIZES}
    assert value("tow", case) == pytest.approx(gaps["forget"] * gaps["retain"] * gaps["test"])
    whole = value("tow", case) * gaps["behaviour"]
    assert value("tow-behaviour", case) == pytest.approx(whole)
    svc = [float(side.attacks["svc"].mean()) for side in (case.ours, case.theirs)]
    with_attack = (1 - abs(svc[0] - svc[1])) * gaps["retain"] * gaps["test"]
    assert value("tow-mia", case) == pytest.approx(with_attack)
    assert value("svc", case) == pytest.approx(svc[0])
    a, b = share(right, "forget")[0], share(wanted, "forget")[0]
    assert value("sape", case) == pytest.approx(100 * abs(a - b) / (a + b))
    assert value("corrective", case) == pytest.approx(1 - share(right, "behaviour_test")[0])
    start = share(case.original.margins > 0, "test")[0]
    each = [
        (1 - (start - row[GROUPS == "test"].mean()))
        / (1 + abs(row[GROUPS == "test"].mean() - row[gone].mean()))
        for row in right
    ]
    assert value("aus", case) == pytest.approx(np.mean(each))
    ratios = np.exp(-ours[0, gone]), np.exp(-theirs[0, gone])
    assert value("tofu-forget-quality", case) == pytest.approx(np.asarray(ks_2samp(*ratios))[1])
    apart = np.sqrt(2) * np.abs(expit(ours[:, gone]) - expit(theirs[:, gone])).mean()
    assert value("activation-distance", case) == pytest.approx(apart)

    def area(side: np.ndarray) -> float:
        return float(np.mean([(row[gone][:, None] < row[fresh][None]).mean() for row in side]))

    leak = 100 * (area(ours) / area(theirs) - 1)
    assert value("privleak", case) == pytest.approx(leak)
    medians = [
        np.stack([np.median(side[:, n == GROUPS], axis=1) for n in SIZES], axis=1)
        for side in (ours, theirs)
    ]
    found = estimators.hockey_stick(*medians, epsilon=1.0).estimate
    assert value("audit", case) == pytest.approx(np.max(found))


def test_subset_guessing_is_certain_where_halves_show_and_silent_where_they_do_not() -> None:
    """All of 16 guesses right, as 16 models of 32 fit: Clopper and Pearson's closed form."""
    rng = np.random.default_rng(0)
    margins = rng.normal(size=(2, 32, len(GROUPS)))
    sides = [SeenModels(part + shift, {}) for part, shift in zip(margins, (0.0, 9.0), strict=True)]
    chance = 0.05 ** (1 / 16)
    seen = Case(GROUPS, sides[0], sides[1], sides[0], sides[0])
    assert value("subset-guessing", seen) == pytest.approx(np.log(chance / (1 - chance)), abs=1e-6)
    blind = Case(GROUPS, sides[0], sides[0], sides[0], sides[0])
    assert value("subset-guessing", blind) == 0.0


def test_lira_calls_the_original_a_member_and_the_reference_not() -> None:
    rng = np.random.default_rng(1)
    shape = 10, len(GROUPS)
    far, near = (SeenModels(rng.normal(mean, 1.0, shape), {}) for mean in (8.0, 0.0))
    fresh = [SeenModels(rng.normal(mean, 1.0, shape), {}) for mean in (8.0, 0.0)]
    assert value("lira", Case(GROUPS, fresh[0], near, near, far)) > 0.95
    assert value("lira", Case(GROUPS, fresh[1], near, near, far)) < 0.05


def test_drawing_from_a_pool_is_like_drawing_afresh() -> None:
    """KLoM's null at 64 models of a pool of 2048 against fresh models.

    Two means of 60 that differ by at most 4 standard errors: wrong once in 15,000 seeds.
    """
    rng = np.random.default_rng(5)
    pool = SeenModels(rng.normal(size=(2048, 20)), {})

    def drawn() -> np.ndarray:
        return pool.take(rng.integers(2048, size=64)).margins

    klom = estimators.scores.klom_value
    ours = [float(klom(drawn(), drawn())) for _ in range(60)]
    fresh = [float(klom(*rng.normal(size=(2, 64, 20)))) for _ in range(60)]
    error = np.hypot(np.std(ours), np.std(fresh)) / np.sqrt(60)
    assert abs(np.mean(ours) - np.mean(fresh)) < 4 * error


PLAIN = ScoreForm("plain", "none", lambda _: 0.0, "nearest", 0.5)


def test_interval_of_an_auc_is_clopper_and_pearsons() -> None:
    values = np.column_stack([np.full(50, 0.6), np.full(50, 0.3), np.full(50, 0.4)])
    coins = np.arange(50) < 25
    found = summarised(PLAIN, values, coins, ("far", "tied"), 0.99)
    assert found.aucs["far"].value == 1.0
    assert found.aucs["far"].low == pytest.approx(0.005 ** (1 / 50))
    assert found.aucs["far"].high == 1.0
    assert found.aucs["tied"].value == 0.5, "0.4 and 0.6 are as far from 0.5: coins decide"
    assert found.finding == "cannot tell"
    assert found.readings["perfect"].failed is None


def test_rates_of_a_decision() -> None:
    form = next(form for form in FORMS if form.name == "tofu-forget-quality")
    values = np.column_stack([[0.5, 0.01, 0.2, 0.9], [0.01, 0.02, 0.03, 0.4]])
    found = summarised(form, values, np.ones(4, dtype=bool), ("identity",), 0.95)
    assert found.readings["perfect"].failed == 0.25
    assert found.readings["identity"].failed == 0.75
    assert found.aucs["identity"].value == 0.75
    assert found.finding == "undetermined"


@pytest.mark.parametrize(
    ("wins", "simulations", "finding"),
    [(120, 120, "tells"), (60, 120, "cannot tell"), (115, 120, "undetermined")],
)
def test_findings_at_the_level_of_the_full_table(wins: int, simulations: int, finding: str) -> None:
    values = np.zeros((simulations, 2))
    values[:, 1] = np.where(np.arange(simulations) < wins, -1.0, 1.0)
    form = ScoreForm("high", "none", lambda _: 0.0, "higher is better")
    coins = np.zeros(simulations, bool)
    assert summarised(form, values, coins, ("bad",), ScoreNulls().confidence).finding == finding


def test_nulls_go_on_where_they_stopped(nulls: tuple[Path, list[NullRow | CostlyRow]]) -> None:
    folder, rows = nulls
    assert [(row.score, row.question) for row in rows] == [
        (name, question) for question in BAD for name in NAMES
    ]
    assert_goes_on(NULLS, folder, rows, "8/untraining.json")
    other = ScoreNulls(models=8, sizes=(8,), simulations=3, attacked=2)
    with pytest.raises(ValueError, match=r"untraining\.json: was made with other settings"):
        next(other.run(folder))
    assert set(NULLS.shown(rows))
    assert all("nan" not in str(row) for row in rows)


def test_grades_agree_with_plain_twins(case: Case) -> None:
    # Far enough off that eight models show that there is a way.
    rng = np.random.default_rng(4)
    case = replace(case, original=models(rng, 9.0))
    ours, theirs, original = (
        {name: np.median(side.margins[:, name == GROUPS], axis=1) for name in SIZES}
        for side in (case.ours, case.theirs, case.original)
    )
    shifts = [
        abs(np.median(ours[name]) - np.median(theirs[name])) / theirs[name].std(ddof=1)
        for name in SIZES
    ]
    assert value("shift", case) == pytest.approx(max(shifts))
    above = [(ours[name][:, None] > theirs[name]).mean() for name in SIZES]
    assert value("auc", case) == pytest.approx(max(abs(share - 0.5) for share in above))
    sides = case.ours.margins, case.theirs.margins
    assert value("mean-distance", case) == estimators.mean_distance(*sides, seed=0).estimate
    start, here, end = (np.median(side["forget"]) for side in (original, ours, theirs))
    assert value("progress-forget", case) == pytest.approx(abs(1 - (here - start) / (end - start)))
    assert value("progress", case) >= value("progress-forget", case)
    # Nothing to make progress on is no difference between algorithms.
    same = replace(case, original=models(rng, 0.0, 60), theirs=models(rng, 0.0, 60))
    same = replace(same, ours=models(rng, 0.5, 60))
    assert value("progress", same) == 0.0


def test_no_grade_is_a_score_of_the_nulls() -> None:
    assert not {form.name for form in GRADES} & {form.name for form in FORMS}
    assert {form.family for form in GRADES} == {"indist"}


def test_costly_scores_say_so() -> None:
    study = ScoreNulls(models=12, sizes=(256,), simulations=1, attacked=6)
    form = next(form for form in FORMS if form.most)
    row = study._row(form, 256, "untraining", {})
    assert isinstance(row, CostlyRow)
    assert row.not_applicable == "costs too much beyond 128 models a side"


def planted(
    score: str, size: int, question: str, finding: NullFinding, high: float = 1.0
) -> NullRow:
    readings = Readings(0.1, 0.2, 0.3)
    values: dict[str, Any] = dict.fromkeys(("perfect", *BAD[question]), readings)
    values |= {f"{bad}_auc": Estimate(0.5, 0.2, high) for bad in BAD[question]}
    return NullRow(
        score=score,
        models=size,
        question=question,
        family="none",
        reading="lower is better",
        simulations=9,
        pool=9,
        bar=0.9,
        confidence=0.95,
        finding=finding,
        **values,
    )


def test_answer_of_planted_nulls() -> None:
    rows = [
        planted("sees", 64, "untraining", "cannot tell"),
        planted("sees", 128, "untraining", "tells"),
        planted("blind", 128, "untraining", "cannot tell", high=0.4),
        planted("open", 128, "untraining", "undetermined"),
    ]
    text = " ".join(ScoreNulls().answer(rows))
    assert "Untraining: sees (128) tell a perfect unlearner from every bad one" in text
    assert "Untraining: blind cannot at the most models tried, up to 128" in text
    assert "Untraining: open are undetermined" in text
    assert "Untraining: blind read identity as better" in text
    assert "Unlearning" not in text


def test_kendall_is_scipys_where_nothing_is_tied() -> None:
    rng = np.random.default_rng(0)
    truth = rng.permutation(12).astype(float)
    for _ in range(5):
        score = rng.normal(size=12)
        assert kendall(score, truth) == pytest.approx(np.asarray(kendalltau(score, truth))[0])
    assert kendall(np.array([2.0, 1.0, 3.0]), np.array([1.0, 1.05, 2.0])) == 1.0, (
        "too near to count"
    )


def test_summary_of_rankings() -> None:
    truth = np.arange(8.0)
    rng = np.random.default_rng(0)
    lower = ScoreForm("low", "none", lambda _: 0.0, "lower is better")
    right = ranking_of(lower, np.tile(truth, (5, 1)), truth, 0.95)
    assert (right.tau.value, right.finding) == (1.0, "ranks like it")
    wrong = ranking_of(lower, -truth + rng.normal(0, 0.5, (5, 8)), truth, 0.95)
    assert wrong.finding == "does not"
    values = truth + rng.normal(0, 1.0, (3, 8))
    wide = ranking_of(lower, values, truth, 0.9999)
    assert wide.finding == "undetermined"
    assert wide.spearman == pytest.approx(
        np.mean([np.asarray(spearmanr(v, truth))[0] for v in values])
    )
    constant = ranking_of(lower, np.zeros((4, 8)), truth, 0.95)
    assert (constant.tau.value, constant.spearman) == (0.0, 0.0)


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> GaussianPopulations:
    folder = tmp_path_factory.mktemp("exact")
    return GaussianPopulations(folder, models=4000, attacked=8, shift=2.0, seed=0)


def test_populations_are_exact(exact: GaussianPopulations) -> None:
    named = dict(zip([*METHODS, *EXACT], exact.algorithms, strict=True))
    assert exact.apart(named["identity"], exact.secrets["unlearning"]) == pytest.approx(2.0)
    assert exact.apart(named["retrain on D∖S"], exact.secrets["untraining"]) == 0.0
    assert exact.apart(named["retrain on D∖B"], exact.secrets["unlearning"]) == 0.0
    weights = exact.secrets["original"].astype(np.float32)
    logits = exact.scenario.learner.logits(
        {"weights": weights, "secret": weights}, exact.scenario.probes.inputs
    )
    labels = exact.scenario.probes.labels
    own = np.take_along_axis(np.asarray(logits), labels[:, None], 1)[:, 0]
    margins = exact.margins(exact.secrets["original"], np.random.default_rng(0))
    # A mean of 4000 is off by more than 5 standard errors once in 1.7 million probes.
    error = margins.std(axis=0) / np.sqrt(4000)
    assert (np.abs(margins.mean(axis=0) - 2 * own) < 5 * error + 1e-5).all()
    assert (margins.std(axis=0) < 1.1 * exact.sigma).all()


def test_methods_have_no_randomness_of_their_own(
    exact: GaussianPopulations, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, key = exact.algorithms, jax.random.key
    monkeypatch.setattr(jax.random, "key", lambda _: key(7))
    again = replace(exact).algorithms
    assert max(exact.apart(a, b) for a, b in zip(before, again, strict=True)) < 1e-4


def test_audit_goes_on_where_it_stopped(audit: tuple[Path, list[ScoreRankingRow]]) -> None:
    folder, rows = audit
    assert_goes_on(AUDIT, folder, rows, "0.json")
    assert {row.score for row in rows} == {*NAMES, *(form.name for form in GRADES)}
    assert {row.reference for row in rows} == {"none", "untraining", "unlearning"}
    assert -1 < rows[0].truths_tau < 0.5, "the truths must differ, or one score serves both"
    with pytest.raises(ValueError, match=r"0\.json: was made with other settings"):
        list(MetricAudit(models=9, replicates=2, attacked=1).run(folder))


RANKING = ScoreRankingRow(
    score="one",
    reference="untraining",
    question="untraining",
    family="none",
    reading="lower is better",
    models=9,
    replicates=9,
    algorithms=9,
    bar=0.8,
    confidence=0.95,
    truths_tau=0.1,
    tau=Estimate(0.9, 0.85, 0.95),
    spearman=0.9,
    finding="ranks like it",
)


def test_answer_of_planted_rankings() -> None:
    open_ = replace(RANKING, score="two", finding="undetermined", tau=Estimate(0.9, 0.7, 0.95))
    text = " ".join(MetricAudit().answer([RANKING, open_, replace(RANKING, finding="does not")]))
    assert "Untraining: one (against untraining, 0.90 [0.85, 0.95]): rank algorithms" in text
    assert "Untraining: two (against untraining, 0.90 [0.70, 0.95]): are undetermined" in text
    assert "Unlearning: no score: rank" in text
    low = replace(RANKING, question="unlearning", tau=Estimate(0.0, -0.2, 0.2), finding="does not")
    apart = " ".join(MetricAudit().answer([RANKING, low]))
    assert "nearer to the true ranking of untraining than to the other: one." in apart
    assert "nearer to the true ranking of unlearning than to the other: none." in apart


def test_a_score_follows_the_ranking_whose_interval_lies_above() -> None:
    low = replace(RANKING, question="unlearning", tau=Estimate(0.0, -0.3, 0.1))
    assert follows([replace(RANKING, tau=Estimate(0.5, 0.4, 0.7)), low]) == "untraining"
    assert follows([replace(RANKING, tau=Estimate(0.5, 0.1, 0.7)), low]) == ""
    assert follows([RANKING]) == ""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScoreNulls(sizes=(4,)), "sizes: expected numbers of at least 8, found"),
        (lambda: ScoreNulls(attacked=3), "attacked: expected a divisor of 2048, found 3"),
        (lambda: ScoreNulls(simulations=0), "simulations: expected at least 1, found 0"),
        (lambda: MetricAudit(models=4), "models: expected at least 8, found 4"),
        (lambda: MetricAudit(replicates=1), "replicates: expected at least 2, found 1"),
        (lambda: MetricAudit(shift=0.0), "shift: expected a number over 0, found 0"),
    ],
)
def test_bad_settings_of_the_studies_of_scores(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.fixture(scope="module")
def maker() -> Any:
    return module_of(DOCS / "scores_page.py")


def test_page_is_a_function_of_the_tables(
    maker: Any,
    nulls: tuple[Path, list[NullRow | CostlyRow]],
    audit: tuple[Path, list[ScoreRankingRow]],
    tmp_path: Path,
) -> None:
    tables = [[row.record() for row in rows] for rows in (nulls[1], audit[1])]
    page = maker.scores_page(*tables)
    assert all(f"| {form.name} |" in page for form in SCORES)
    stored: list[list[dict[str, Any]]] = []
    for name, records in zip(("a.csv", "b.csv"), tables, strict=True):
        pd.DataFrame(records).to_csv(tmp_path / name, index=False)
        stored.append(read_rows(tmp_path / name))
    assert maker.scores_page(*stored) == page
    louder = [record | {"perfect_median": 77.7} for record in tables[0]]
    assert "77.7" in maker.scores_page(louder, tables[1])
    narrow = {"tau": 0.12, "tau_low": 0.115, "tau_high": 0.125}
    assert "0.12 [0.11, 0.13]" in maker.scores_page(
        tables[0], [record | narrow for record in tables[1]]
    )


@pytest.mark.skipif(not (DOCS / "scores.md").exists(), reason="the page is not made yet")
def test_page_is_current(maker: Any) -> None:
    """When it is not: python docs/scores_page.py."""
    tables = [DOCS / "results" / f"{name}.csv" for name in ("score-nulls", "metric-audit")]
    assert (DOCS / "scores.md").read_text() == maker.scores_page(*map(read_rows, tables))


def test_attacks_of_some_models_are_drawn_alike() -> None:
    held = SeenModels(np.zeros((6, 1)), {"svc": np.array([0.0, 1.0, 2.0])})
    np.testing.assert_array_equal(held.take(np.arange(6)).attacks["svc"], [0, 1, 2, 0, 1, 2])
    both = held.join(SeenModels(np.ones((6, 1)), {}))
    assert both.margins.shape == (12, 1)
    assert not both.attacks
