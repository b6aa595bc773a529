"""The report of an audit by coins."""

from pathlib import Path

from audits._provenance import version_pairs
from audits.coins._figure import bounds
from audits.coins._findings import CoinFindings
from audits.coins._record import FILE, record
from audits.coins._results import CoinQuestion
from audits.coins._words import COLUMNS, NEVER, table
from audits.report import numbers
from audits.report._blocks import Block, Claims, Drawing, Listing, Pairs, Table
from audits.report._folder import file_digests, record_bytes, write_result
from audits.report._page import Glance, Page, Section, write_page
from audits.report._svg import svg
from oracles import TRAINER_KEEPS

_AGAINST = {
    "untraining": "Untraining: S was forgotten, against never having been in",
    "unlearning": "Unlearning: against no candidate ever having been in",
}


def write_coins(audit: CoinFindings, directory: Path, *, replace: bool) -> None:
    """Writes the folder of an audit by coins; see `write_result`.

    Args:
        audit: what to report; its numbers are shown, and none is computed.
        directory: where to; made when it is not there.
        replace: whether another result there is replaced.

    Raises:
        ValueError: as `write_result`.
        OSError: as the file system does.
    """

    def fill(staging: Path) -> None:
        write_page(page(audit), staging)
        content = record(audit, file_digests(staging))
        (staging / FILE).write_bytes(record_bytes(content))

    write_result(directory, FILE, fill, replace=replace)


def page(audit: CoinFindings) -> Page:
    """The audit by coins in words, a table and a figure."""
    models = "One model" if audit.models == 1 else numbers.counted(audit.models, "model")
    fair = audit.design is not None
    name = "coins" if fair else "two published sets"
    return Page(
        title=f"{models} by {name}: {audit.scores.name}",
        scenario=_scenario(audit),
        headline=audit.headline,
        scope=NEVER,
        warnings=audit.warnings,
        figure=_figure(audit),
        glances=tuple(map(_glance, audit.questions)),
        sections=(
            Section("What was found, and how sure it is", (*audit.sentences, _bounds(audit))),
            Section("What was declared beforehand", (Listing(_declared(audit)),)),
            *([Section("What has to be true", _rests_on(audit))]),
            Section("What cannot be concluded", (Claims(_cannot_conclude(audit)),), cannot=True),
            Section("How to recompute it", _recompute(audit)),
        ),
    )


def _scenario(audit: CoinFindings) -> str:
    held = audit.design.scenario if audit.design is not None else None
    return str(held.get("name", "")) if held else ""


def _figure(audit: CoinFindings) -> Drawing:
    image = svg(
        bounds(audit),
        name="bounds",
        title="Lower bound on ε for each question",
        description="; ".join(
            f"{one.question}: {one.finding}, at least {numbers.down(one.bound, 1)}, at most shown "
            f"{numbers.down(one.result.ceiling, 1)}"
            for one in audit.questions
        ),
    )
    return Drawing(
        image,
        "Each bar reaches the ε that was shown at the declared δ. The ring is the most that so "
        "many coins and models could have shown, were every coin named by them.",
    )


def _glance(one: CoinQuestion) -> Glance:
    coins = numbers.counted(one.result.examples, "coin")
    shown = numbers.down(one.result.ceiling, 1)
    return Glance(
        reference=one.question,
        heading=_AGAINST[one.question],
        number=f"ε ≥ {numbers.down(one.bound, 1)}" if one.bound > 0.0 else "no ε",
        finding=one.finding,
        reason=(
            f", from {coins} at {numbers.level(one.result.confidence_level)} confidence; at "
            f"most {shown} could have been shown."
        ),
    )


def _bounds(audit: CoinFindings) -> Table:
    found = audit.to_dataframe()
    deltas = sorted(set(found["delta"]))
    rows: list[tuple[str, ...]] = []
    for delta in deltas:
        here = found[found["delta"] == delta]
        at = dict(zip(here["question"], here["epsilon"], strict=True))
        cells = [
            numbers.down(float(at[one.question]), 1)
            if at.get(one.question, 0.0) > 0.0
            else "\N{EN DASH}"
            for one in audit.questions
        ]
        rows.append((f"δ = {numbers.plain(delta)}", *cells))
    return Table(
        "ε is at least this at each δ; all of a column hold together",
        ("", *(one.question for one in audit.questions)),
        tuple(rows),
    )


def _declared(audit: CoinFindings) -> Pairs:
    settings, design = audit.settings, audit.design
    weights = settings.weights
    pairs = [
        ("confidence", f"{numbers.level(settings.confidence)} for all questions together"),
        ("δ of the headline", numbers.plain(settings.delta)),
        ("observables", ", ".join(settings.observables)),
        ("read of each candidate", ", ".join(audit.scores.read) or "numbers handed over"),
        ("baseline", settings.baseline or "none"),
        (
            "weights",
            f"clip(z − a, ±b) with a in {_listed(weights.centres)} and b in "
            f"{_listed(weights.clips)}, z being scores about their median in spreads; "
            f"{numbers.plain(weights.main)} of the level at (0, 1), "
            f"{numbers.plain(weights.turned)} at the same turned around",
        ),
    ]
    if design is None:
        inside = sum(audit.member or ())
        pairs.append(
            (
                "sets",
                f"{numbers.counted(inside, 'example')} of the forget set, "
                f"{numbers.count(len(audit.candidates) - inside)} held out; "
                + (
                    f"{numbers.count(audit.cluster)} in a row count as one"
                    if audit.cluster > 1
                    else "each counts for itself"
                ),
            )
        )
        return tuple(pairs)
    found = int(design.found.sum())
    drawn = "one draw for all models" if design.shared else "a draw for each model"
    pairs += [
        (
            "candidates",
            f"{numbers.count(len(design.candidates))}, {numbers.count(found)} of them found",
        ),
        ("coins", f"{drawn}, of {numbers.count(design.models)} in all"),
        ("commitment", design.commitment),
    ]
    return tuple(pairs)


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(numbers.plain(value) for value in values)


def _rests_on(audit: CoinFindings) -> tuple[Block, ...]:
    if audit.design is None:
        return (
            "The forget set might as well have been any other choice of as many of these examples: "
            "then every such choice is equally likely, whatever a model that never saw it says of "
            "them. No coin was drawn, so this is an assumption, and it fails where the two sets "
            "differ in topic, date or source.",
        )
    kept = tuple((f"{place}", line) for place, line in enumerate(TRAINER_KEEPS, start=1))
    return (
        "The coins are fair, and the models’ scores depend on the tested coins through what was "
        "trained alone. The commitment, published before training, shows that coins and settings "
        "were not changed afterwards. That coins were drawn fairly and once, and that no other "
        "scores of these models were tried where the design leaves open what they are, is the "
        "auditor’s word. Whoever trains knows the coins and can evade a conviction; an exact "
        "retraining is convicted falsely at the stated rate at most, if the following was kept.",
        Listing(kept),
    )


def _cannot_conclude(audit: CoinFindings) -> Pairs:
    return (
        (
            "That models match a reference, or that an algorithm unlearns.",
            "Coins convict or find nothing. Nothing found may mean too few coins, scores that look "
            "in the wrong place, or models that were destroyed.",
        ),
        (
            "That a certain example was remembered.",
            "The bound is on all tested examples as a group. That of a single one is far smaller: "
            "see one_run_epsilon.",
        ),
        (
            "That another forget set would be found out, too.",
            "The bound is an average over the forget sets that the coins could have drawn.",
        ),
        (
            "That the models are what their maker says.",
            "The digest fixes the scores that were audited, not how they came to be.",
        ),
    )


def _recompute(audit: CoinFindings) -> tuple[Block, ...]:
    return (
        f"{FILE} holds scores, coins and settings, and indist verify computes all of it again; "
        "nothing here is drawn at random. The coins open the commitment that was published before "
        "training: compare it with the one that you were given then."
        if audit.design is not None
        else f"{FILE} holds scores and sets, and indist verify computes all of it again.",
        Listing(version_pairs(dict(audit.versions))),
        Listing(
            (
                ("scores, SHA-256", audit.scores.digest),
                *(
                    (("commitment, SHA-256", audit.design.commitment),)
                    if audit.design is not None
                    else ()
                ),
            ),
            code=True,
        ),
        Table("All numbers of the findings", COLUMNS, tuple(table(audit.questions))),
    )
