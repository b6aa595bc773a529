"""``indist coins``: designs by coins, by which one model is enough to convict."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from audits.report.numbers import counted
from indist import audits, estimators, oracles
from indist._cli._options import Out, ScenarioOptions, scenario_options
from oracles.storage.folders import check_folder

_TABLES = (".csv", ".jsonl")
_FOUND = 0.5


@scenario_options
def draw(
    scenario: Annotated[
        ScenarioOptions,
        typer.Argument(
            metavar="SCENARIO|FILE",
            help="A name from indist scenarios, a .toml file, or a .csv or .jsonl file with a "
            "column candidate and perhaps found, text, label, group and person.",
        ),
    ],
    output: Out,
    models: Annotated[
        int | None,
        typer.Option(min=1, help="This many models, all trained on one draw of coins; else 1."),
    ] = None,
    per_model: Annotated[
        int | None,
        typer.Option(min=1, help="This many models, each with coins of its own, which shows more."),
    ] = None,
    found: Annotated[
        float | None,
        typer.Option(
            help="Chance that a candidate of FILE is among those that are found, where it has no "
            f"such column; {_FOUND} if unsaid.",
        ),
    ] = None,
    delta: Annotated[float, typer.Option(help="δ of the audit, sealed with the coins.")] = 0.01,
    confidence: Annotated[
        float, typer.Option(help="Confidence of the audit, sealed with the coins.")
    ] = 0.95,
    observable: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of the scores that the audit will read, sealed with the coins; may be "
            "repeated. One of margin, score, probability and loss, whichever there is, if unsaid.",
        ),
    ] = None,
    rank: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Which of the models' p-values the audit looks at, the smallest being 1, sealed "
            "with the coins; may be repeated. The middle one and the greatest if unsaid.",
        ),
    ] = None,
    centre: Annotated[
        list[float] | None,
        typer.Option(
            help="Centre of the audit's weights in standard deviations, sealed with the coins; may "
            "be repeated, 0 among them. -1, -0.5, 0, 0.5 and 1 if unsaid.",
        ),
    ] = None,
    clip: Annotated[
        list[float] | None,
        typer.Option(
            help="Where the audit's weights are cut off in standard deviations, sealed with the "
            "coins; may be repeated, 1 among them. 0.25, 1 and 3 if unsaid.",
        ),
    ] = None,
    main: Annotated[
        float | None,
        typer.Option(
            help="Share of the level that the weights of centre 0 and clip 1 get, sealed with the "
            "coins; 0.5 if unsaid.",
        ),
    ] = None,
    turned: Annotated[
        float | None,
        typer.Option(
            help="Share of the level for the same weights turned around, sealed with the coins; "
            "0.02 if unsaid.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="SCORES",
            help="Scores of models that saw none of the candidates, to be subtracted in the audit; "
            "their digest is sealed with the coins.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Draw the same coins again, for tests and demonstrations: who knows it knows the "
            "coins.",
        ),
    ] = None,
) -> None:
    """Draws who is in the training set of a model, and which of them it is to forget.

    A fair coin for each candidate says whether the model trains on it. Train on those, let the
    ones in column forget be unlearned, and score every candidate: one model is then enough to
    convict an unlearner, without any reference.
    """
    if models is not None and per_model is not None:
        raise ValueError(
            "--models and --per-model: expected one of them, found both: models have either one "
            "draw of coins or each its own"
        )
    check_folder(output)
    weights = {"centres": centre, "clips": clip, "main": main, "turned": turned}
    settings: dict[str, Any] = _said_of(
        delta=delta,
        confidence=confidence,
        observables=observable,
        ranks=rank,
        weights=_said_of(**weights),
    )
    count, shared = per_model or models or 1, (models or 1) > 1
    cost = ""
    if Path(scenario.name).suffix.lower() in _TABLES:
        _check_no_scenario(scenario)
        read = oracles.read_candidates(scenario.name)
        if read.found is not None and found is not None:
            raise ValueError(f"--found: {scenario.name} has a column found already")
        if baseline is not None:
            settings["baseline"] = _digest(baseline, read.names, settings)
        design = oracles.draw_coins(
            read.names,
            found=_chance(found) if read.found is None else read.found,
            models=count,
            shared=shared,
            seed=seed,
            settings=settings,
            details=read.details,
        )
    else:
        if found is not None:
            raise ValueError("--found: expected a file of candidates; a scenario has --discovery")
        world = scenario.load()
        if baseline is not None:
            names = oracles.coins(world, seed=0).design.candidates
            settings["baseline"] = _digest(baseline, names, settings)
        design = oracles.coins(
            world, models=count, shared=shared, seed=seed, settings=settings
        ).design
        with Console(stderr=True).status("training a few models"):
            measured = oracles.training_cost(world)
        seconds = measured.startup + count * measured.seconds
        cost = (
            f"Training {counted(count, 'model')} takes about {seconds:.3g} s here, "
            f"{measured.startup:.2g} s of them to compile, and {measured.memory / 1e6:.0f} MB of "
            "memory. Unlearning comes on top of it; no references are needed."
        )
    design.save(output)
    for line in (*_drawn(design, output), *_keeping(), *([cost] if cost else [])):
        typer.echo(line)


def _said_of(**values: Any) -> dict[str, Any]:
    """Those settings that were said; the others are as usual."""
    return {name: value for name, value in values.items() if value not in (None, [], {})}


def _check_no_scenario(scenario: ScenarioOptions) -> None:
    """Refuses options that say something of a scenario beside a file of candidates."""
    said = {
        "--discovery": scenario.discovery is not None,
        "--data-seed": scenario.data_seed != 0,
        "--learner": scenario.learner is not None,
        "--set-learner": bool(scenario.learner_settings),
        "--set": bool(scenario.settings),
    }
    for option, is_said in said.items():
        if is_said:
            raise ValueError(f"{option}: expected a scenario, found a file of candidates")


def _digest(path: str, names: Sequence[str], settings: Mapping[str, Any]) -> str:
    """Of the scores of a baseline, as the audit will find it."""
    observables = audits.CoinSettings.of(settings).observables
    return audits.coin_scores(path, names, observables, models=None).digest


def _chance(found: float | None) -> float:
    return _FOUND if found is None else found


def _drawn(design: "oracles.CoinDesign", output: Path) -> Iterator[str]:
    """What was drawn, where it lies, and what it could show."""
    draws = ", all with the same coins" if design.shared else ""
    draws = draws or (", each with coins of its own" if design.models > 1 else "")
    yield (
        f"{counted(len(design.candidates), 'candidate')}, {design.found.sum():,} of them found; "
        f"{counted(design.models, 'model')}{draws}"
    )
    yield f"Commitment: {design.commitment}"
    yield "Publish it before training: it binds whoever holds the coins."
    yield f"  {output / 'design.json'}: all but the coins; it may be published, too"
    yield (
        f"  {output / 'training.csv'}: for whoever trains, who is in (in_training) and who is to "
        "be forgotten (forget); it shows the coins, too"
    )
    yield f"  {output / 'coins.json'}: sealed; keep it to yourself until the audit"
    if design.seeded:
        yield "Drawn from a given seed: who knows it knows the coins."
    yield from _could_show(design)


def _could_show(design: "oracles.CoinDesign") -> Iterator[str]:
    """The most that an audit could show on each question, with half of the level for each."""
    settings = audits.CoinSettings.of(design.settings)
    found, everyone = int(design.found.sum()), len(design.found)
    # Where all or none were found one question is asked, with all of the level, and of all coins.
    alone = found in (0, everyone)
    asked = [("untraining", found, 1), ("unlearning", everyone, 1 if alone else 2)]
    for question, tested, parts in asked:
        most = tested and estimators.coin_ceiling(
            tested,
            models=design.models,
            delta=settings.delta,
            confidence=settings.confidence if alone else settings.half,
            weights=settings.weights,
            parts=parts * len(settings.observables),
            ranks=settings.ranks,
            shared=design.shared,
        )
        at = f"δ = {settings.delta:g}"
        if most > 0.0:
            yield f"Could show at best: not {question} for ε < {most:.3g}, {at}"
        else:
            yield (
                f"Can show nothing of {question} at {at}: it takes more candidates that were "
                "found, more models or a smaller δ"
            )


def _keeping() -> Iterator[str]:
    yield "What whoever trains must keep, or exact retraining could be convicted:"
    yield from (f"  - {sentence}" for sentence in oracles.TRAINER_KEEPS)
