"""The subcommands: each reads its options, calls the floors below, and prints what they say."""

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from indist._cli._errors import CHECK_FAILED, parse_settings, parse_tolerance, plain_errors
from indist._version import __version__

app = typer.Typer(
    help="Is the output of an unlearning algorithm distributed like a model that never trained on "
    "the forget set (untraining), like one that never trained on any instance of the behaviour "
    "(unlearning), like both, or like neither?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Out = Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")]
OutAnywhere = Annotated[str, typer.Option("-o", "--output", help="Folder to write to, or a URL.")]
Models = Annotated[int, typer.Option(help="Models in each population.", min=1)]
Seed = Annotated[int, typer.Option(help="Seed of the populations.", min=0)]
DataSeed = Annotated[int, typer.Option(help="Seed of the scenario's data and forget set.", min=0)]
Discovery = Annotated[
    float | None,
    typer.Option(help="γ = |S| / |B|: the part of B that was found; the scenario's own if unsaid."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue an interrupted run, or add models.")
]
Engine = Annotated[
    str, typer.Option(help="Where to train: local, ray, ray://HOST:PORT or distributed.")
]
Chunk = Annotated[int, typer.Option(help="Models a shard: what a killed run can lose.", min=1)]
Width = Annotated[
    int | None,
    typer.Option(help="Models a device in one compiled program; part of the recipe.", min=1),
]
LeaveOut = Annotated[
    bool, typer.Option("--leave-out-damaged", help="Go on without damaged shards of references.")
]
Settings = Annotated[
    list[str], typer.Option("--set", metavar="NAME=VALUE", help="A setting; may be repeated.")
]
Epsilon = Annotated[float, typer.Option(help="ε of the hockey-stick divergence.")]
Tolerance = Annotated[
    str,
    typer.Option(
        metavar="NUMBER|calibrated",
        help="δ up to which two populations match, or the least that these sizes can meet.",
    ),
]
Confidence = Annotated[float, typer.Option(help="Familywise confidence of the verdict.")]
Claimed = Annotated[
    tuple[float, float] | None,
    typer.Option(
        metavar="EPSILON DELTA",
        help="What is claimed of submission and untraining reference; else what it declares.",
    ),
]


Learner = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|package.module:factory",
        help="Another learner than the scenario's own: see indist learners.",
    ),
]
LearnerSettings = Annotated[
    list[str],
    typer.Option("--set-learner", metavar="NAME=VALUE", help="A setting of it; may be repeated."),
]


def _knobs(
    discovery: float | None, learner: str | None, learner_settings: list[str], settings: list[str]
) -> dict[str, Any]:
    """What was said of a scenario, and nothing of what was not: it has defaults of its own."""
    said = {"discovery": discovery, "learner": learner}
    own = parse_settings(learner_settings, "--set-learner")
    if own and learner is None:
        raise ValueError("--set-learner: expected --learner beside it")
    return (
        {name: value for name, value in said.items() if value is not None}
        | ({"learner_settings": own} if own else {})
        | parse_settings(settings)
    )


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"indist {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command()
@plain_errors
def demo(
    output: Out = Path("indist-demo"),
    scenario: Annotated[str, typer.Option(help="See indist scenarios.")] = "digits-trigger",
    models: Models = 256,
    discovery: Discovery = None,
    seed: Seed = 0,
    quick: Annotated[bool, typer.Option("--quick", help="128 models, for a first look.")] = False,
) -> None:
    """Runs the main job on real data that ships inside: train, unlearn, audit, report.

    Running it again in the same folder continues where it stopped.
    """
    from indist._cli._demo import run_demo

    run_demo(output, scenario, 128 if quick else models, seed, **_knobs(discovery, None, [], []))


@app.command()
@plain_errors
def references(
    scenario: Annotated[str, typer.Argument(help="A name from indist scenarios, or a .toml file.")],
    output: OutAnywhere,
    models: Models = 256,
    discovery: Discovery = None,
    seed: Seed = 0,
    data_seed: DataSeed = 0,
    learner: Learner = None,
    learner_settings: LearnerSettings = [],  # noqa: B006  (typer reads it once, never changes it)
    settings: Settings = [],  # noqa: B006  (typer reads it once and never changes it)
    resume: Resume = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Train damaged shards again, then continue.")
    ] = False,
    engine: Engine = "local",
    chunk: Chunk = 32,
    width: Width = None,
) -> None:
    """Trains the original population and both references of a scenario."""
    from indist import oracles

    chosen = oracles.engines.engine(engine)
    world = oracles.scenarios.load(
        scenario, seed=data_seed, **_knobs(discovery, learner, learner_settings, settings)
    )
    for shard in oracles.repair(output) if repair else ():
        typer.echo(f"damaged, to be trained again: {shard}")
    refs = oracles.references(
        world,
        models=models,
        seed=seed,
        directory=output,
        resume=resume or repair,
        engine=chosen,
        chunk=chunk,
        width=width,
    )
    typer.echo(
        f"{refs.original.models} models each of original, untraining and unlearning in {output}"
    )


@app.command()
@plain_errors
def unlearn(
    scenario: Annotated[str, typer.Argument(help="A name from indist scenarios, or a .toml file.")],
    method: Annotated[str, typer.Option(help="A name from indist unlearners.")],
    output: Out,
    references: Annotated[
        Path | None, typer.Option(help="Unlearn from the originals of this folder.")
    ] = None,
    models: Annotated[
        int | None, typer.Option(help="How many; all originals, or 256 new ones.", min=1)
    ] = None,
    discovery: Discovery = None,
    seed: Annotated[int, typer.Option(help="Seed of the unlearner.", min=0)] = 1,
    data_seed: DataSeed = 0,
    learner: Learner = None,
    learner_settings: LearnerSettings = [],  # noqa: B006  (typer reads it once, never changes it)
    settings: Settings = [],  # noqa: B006  (typer reads it once and never changes it)
    resume: Resume = False,
    engine: Engine = "local",
) -> None:
    """Produces a submission: a population unlearned by a built-in method.

    With --references, scenario and originals are those of that folder; without, new originals are
    trained for the scenario, which cost as much as one reference.
    """
    from indist import oracles

    knobs: dict[str, Any] = dict(parse_settings(settings))
    if references is not None:
        refs = oracles.load_references(references, learner=learner)
        world, original = refs.scenario, refs.original
        if world.name != scenario:
            raise ValueError(
                f"{references}: expected references of {scenario}, found those of {world.name}"
            )
    else:
        world = oracles.scenarios.load(
            scenario, seed=data_seed, **_knobs(discovery, learner, learner_settings, [])
        )
        original = oracles.train(
            world, "nothing", stream="original", models=models or 256, seed=seed
        )
    made = oracles.unlearn(
        world,
        original,
        method=method,
        seed=seed,
        models=models,
        directory=output,
        resume=resume,
        engine=engine,
        **knobs,
    )
    typer.echo(f"{made.models} models unlearned by {method} in {output}")


@app.command()
@plain_errors
def plan(
    scenario: Annotated[str, typer.Argument(help="A name from indist scenarios, or a .toml file.")],
    tolerance: Annotated[
        float | None, typer.Option(help="Goal: call a perfect match at this tolerance.")
    ] = None,
    half_width: Annotated[
        float | None, typer.Option(help="Goal: know a distance within this much.")
    ] = None,
    epsilon: Epsilon = 1.0,
    confidence: Confidence = 0.95,
    discovery: Discovery = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.", min=0)] = 0,
    data_seed: DataSeed = 0,
    learner: Learner = None,
    learner_settings: LearnerSettings = [],  # noqa: B006  (typer reads it once, never changes it)
    settings: Settings = [],  # noqa: B006  (typer reads it once and never changes it)
) -> None:
    """Says how many models an audit needs, and what they cost on this machine.

    Nothing is kept: audits are simulated, and a few models trained to measure time and memory.
    """
    from rich.console import Console

    from indist import audits, oracles

    world = oracles.scenarios.load(
        scenario, seed=data_seed, **_knobs(discovery, learner, learner_settings, settings)
    )
    with Console(stderr=True).status("simulating audits, training a few models"):
        found = audits.plan(
            world,
            tolerance=tolerance,
            half_width=half_width,
            epsilon=epsilon,
            confidence=confidence,
            seed=seed,
        )
    typer.echo(str(found))


@app.command()
@plain_errors
def audit(
    submissions: Annotated[
        list[str],
        typer.Argument(
            metavar="SUBMISSION",
            help="Models, or logs of a language-model benchmark: paths, or patterns in quotes.",
        ),
    ],
    output: Out,
    references: Annotated[
        str | None, typer.Option(help="Models: folder made by indist references.")
    ] = None,
    epsilon: Epsilon = 1.0,
    tolerance: Tolerance = "0.2",
    confidence: Confidence = 0.95,
    claim: Claimed = None,
    learner: Annotated[
        str | None, typer.Option(help="The learner of the references, where it is your own code.")
    ] = None,
    leave_out_damaged: LeaveOut = False,
    untraining: Annotated[
        list[str],
        typer.Option(help="Logs: those of models trained without the forget set; may be repeated."),
    ] = [],  # noqa: B006  (typer reads it once and never changes it)
    unlearning: Annotated[
        list[str], typer.Option(help="Logs: those of models that never saw the behaviour.")
    ] = [],  # noqa: B006  (typer reads it once and never changes it)
    metric: Annotated[
        list[str], typer.Option(help="Logs: a metric to compare; the benchmark's own if unsaid.")
    ] = [],  # noqa: B006  (typer reads it once and never changes it)
    cluster: Annotated[
        int,
        typer.Option(help="Logs: consecutive examples that count as one: 20 for TOFU.", min=1),
    ] = 1,
    seed: Annotated[int, typer.Option(help="Logs: seed of the resampling.", min=0)] = 0,
) -> None:
    """Compares what somebody holds with both references: findings, numbers and report.

    With --references, models. Several of one algorithm get a verdict and a certificate; one alone
    gets exact ranks and never an ε. Several files of one model each and one format are one
    submission; other submissions are audited apart, each into a folder of its name.

    With --untraining, logs of TOFU, open-unlearning or MUSE: tests paired by example.
    """
    given = locals()
    from indist._cli import _audit

    # An option typed at its default asks for nothing that is not done.
    known = inspect.signature(audit).parameters
    said = {name for name, value in given.items() if value != known[name].default}
    if _audit.kind_of(said) == "logs":
        _audit.audit_logs(
            submissions,
            output,
            untraining=untraining,
            unlearning=unlearning,
            metrics=metric,
            confidence=confidence,
            cluster=cluster,
            seed=seed,
        )
    else:
        _audit.audit_models(
            submissions,
            output,
            references=str(references),
            learner=learner,
            leave_out_damaged=leave_out_damaged,
            epsilon=epsilon,
            tolerance=parse_tolerance(tolerance),
            confidence=confidence,
            claim=claim,
        )


@app.command()
@plain_errors
def score(
    submission: Annotated[Path, typer.Argument(help="Models: see indist formats.")],
    references: Annotated[str, typer.Option(help="Folder made by indist references.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder to write the table to.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of splits and resamples.", min=0)] = 0,
    confidence: Annotated[float, typer.Option(help="Confidence of each interval.")] = 0.95,
    learner: Annotated[
        str | None, typer.Option(help="The learner of the references, where it is your own code.")
    ] = None,
    leave_out_damaged: LeaveOut = False,
) -> None:
    """Gives the literature's scores under both references, each beside its null and ceiling."""
    from indist._cli._score import run_score

    run_score(
        submission,
        references,
        output,
        seed=seed,
        confidence=confidence,
        learner=learner,
        leave_out_damaged=leave_out_damaged,
    )


@app.command()
@plain_errors
def verify(
    certificate: Annotated[Path, typer.Argument(help="A certificate.json, its folder beside it.")],
) -> None:
    """Recomputes a certificate from the stored observations; exit code 1 on any difference."""
    from indist import audits

    differences = audits.verify(certificate)
    for difference in differences:
        typer.echo(difference)
    if differences:
        raise typer.Exit(CHECK_FAILED)
    typer.echo(f"{certificate}: every number and digest recomputed and equal")


@app.command()
@plain_errors
def certify(
    samples: Annotated[
        list[Path] | None,
        typer.Argument(help="Two files of samples, .npy, .npz or .csv: one model a row."),
    ] = None,
    mechanism: Annotated[str | None, typer.Option(help="What makes the claim, by name.")] = None,
    settings: Settings = [],  # noqa: B006  (typer reads it once and never changes it)
    claim: Annotated[
        tuple[float, float] | None, typer.Option(metavar="EPSILON DELTA", help="A claim by hand.")
    ] = None,
    epsilon: Annotated[float | None, typer.Option(help="Where to give or bound δ.")] = None,
    delta: Annotated[float | None, typer.Option(help="Where to give or bound ε.")] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of each bound.")] = 0.95,
) -> None:
    """Gives an (ε, δ) certificate: claimed by a mechanism, measured on two samples, or both.

    With both, the measured lower bound is set beside the claim: above it, the claim is refuted.
    """
    from indist._cli._certify import run_certify

    run_certify(samples or [], mechanism, settings, claim, epsilon, delta, confidence)


@app.command()
@plain_errors
def memorize(
    scenario: Annotated[str, typer.Argument(help="A name from indist scenarios, or a .toml file.")],
    output: Out,
    models: Annotated[int, typer.Option(help="Models on random subsets.", min=1)] = 400,
    inclusion: Annotated[
        float, typer.Option(help="Rate at which a model includes an example.")
    ] = 0.7,
    confidence: Annotated[float, typer.Option(help="Confidence of each interval.")] = 0.95,
    discovery: Discovery = None,
    seed: Annotated[int, typer.Option(help="Seed of inclusion and training.", min=0)] = 0,
    data_seed: DataSeed = 0,
    learner: Learner = None,
    learner_settings: LearnerSettings = [],  # noqa: B006  (typer reads it once, never changes it)
    settings: Settings = [],  # noqa: B006  (typer reads it once and never changes it)
    resume: Resume = False,
    engine: Engine = "local",
) -> None:
    """Measures memorization of each training example, and influence on all others.

    Models are trained on random subsets of D; more can be added with --resume, and intervals
    shrink.
    """
    from indist import oracles
    from indist._cli._memorize import run_memorize

    world = oracles.scenarios.load(
        scenario, seed=data_seed, **_knobs(discovery, learner, learner_settings, settings)
    )
    run_memorize(
        world,
        output,
        models=models,
        seed=seed,
        inclusion=inclusion,
        confidence=confidence,
        resume=resume,
        engine=engine,
    )


@app.command()
@plain_errors
def ingest(
    submission: Annotated[Path, typer.Argument(help="A file or folder: see indist formats.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Array to write, without a suffix.")
    ],
    format: Annotated[str | None, typer.Option(help="Its format; by content if unsaid.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="JSON file of what it leaves unsaid.")
    ] = None,
    references: Annotated[
        str | None, typer.Option(help="Folder of references, whose probes models are run with.")
    ] = None,
    learner: Annotated[
        str | None, typer.Option(help="The learner of the references, where it is your own code.")
    ] = None,
) -> None:
    """Turns what somebody holds into an observation array that indist audit reads."""
    from indist._cli._ingest import run_ingest

    run_ingest(
        submission,
        output,
        format=format,
        mapping=mapping,
        references=references,
        learner=learner,
    )


@app.command()
@plain_errors
def formats() -> None:
    """Lists the formats that a submission may have."""
    from indist._cli._ingest import run_formats

    run_formats()


@app.command()
@plain_errors
def study(
    name: Annotated[str, typer.Argument(help="Which: an unknown name lists them all.")],
    output: Out,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller: minutes.")] = False,
    models: Annotated[
        int | None,
        typer.Option(help="Models in each population; else the study's own.", min=2),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of data and populations; else the study's own.", min=0)
    ] = None,
    scenario: Annotated[list[str], typer.Option(help="Only this scenario; may be repeated.")] = [],  # noqa: B006  (typer reads it once and never changes it)
    method: Annotated[list[str], typer.Option(help="Only this unlearner; may be repeated.")] = [],  # noqa: B006  (typer reads it once and never changes it)
    settings: Settings = [],  # noqa: B006  (typer reads it once and never changes it)
) -> None:
    """Answers one question over many unlearners, as a table with intervals.

    Running it again in the same folder continues where it stopped.
    """
    from indist._cli._study import run_study

    said = {"models": models, "seed": seed, "scenarios": scenario, "methods": method}
    run_study(
        name,
        output,
        quick=quick,
        said={
            key: tuple(value) if isinstance(value, list) else value
            for key, value in said.items()
            if value not in (None, [])
        }
        | parse_settings(settings),
    )


@app.command()
@plain_errors
def figures(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME ...]", help="Which; all if unsaid.")
    ] = None,
    output: Out = Path("figures"),
    models: Models = 256,
    seed: Seed = 0,
    results: Annotated[
        Path | None,
        typer.Option(
            help="Folder of finished studies (NAME.csv); others are run on their quick setting."
        ),
    ] = None,
) -> None:
    """Makes the paper's figures: PDF, SVG and PNG at two widths, the numbers beside them as CSV.

    Populations are kept in the folder: running it again only draws.
    """
    from indist import figures

    work = figures.Work(output / "work", models, seed, results)
    for name, paths in figures.make(names or (), output, work):
        typer.echo(f"{name}: {figures.FIGURES[name].title}")
        typer.echo(f"  {', '.join(str(path) for path in paths)}")


Named = Annotated[str | None, typer.Argument(help="Of this one: what it is, and its settings.")]


@app.command()
@plain_errors
def scenarios(name: Named = None) -> None:
    """Lists the built-in scenarios, a line each."""
    from indist import oracles

    _show("scenario", name, oracles.scenarios.SCENARIOS)


@app.command()
@plain_errors
def unlearners(name: Named = None) -> None:
    """Lists the built-in unlearners, a line each."""
    from indist import oracles

    _show("method", name, oracles.unlearners.UNLEARNERS)
    for oracle, kind in oracles.ORACLES.items() if name is None else ():
        typer.echo(f"beside them {oracle}: {kind.title}")


@app.command()
@plain_errors
def learners(name: Named = None) -> None:
    """Lists the learners that a scenario can be given, a line each."""
    from indist import oracles

    _show("learner", name, oracles.learners.LEARNERS)


def _show(heading: str, name: str | None, kinds: Any) -> None:
    """A line for each of what can be made, or all about one of them."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if name is None:
        table = Table(heading, "what it is", box=None)
        for key, kind in kinds.items():
            table.add_row(key, escape((inspect.getdoc(kind) or "").split("\n")[0]))
        Console().print(table)
        return
    if name not in kinds:
        raise ValueError(f"{heading}: expected one of {', '.join(kinds)}, found {name!r}")
    typer.echo(inspect.getdoc(kinds[name]))
    table = Table("setting", "default", box=None)
    for entry in inspect.signature(kinds[name]).parameters.values():
        if entry.name not in ("train", "classes"):
            default = "" if entry.default is entry.empty else str(entry.default)
            table.add_row(entry.name, escape(default))
    Console().print(table)
