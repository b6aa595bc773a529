"""Options that several commands share, and a scenario with all that can be said of it."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer
from typer.core import TyperCommand

from indist import oracles
from indist._cli._errors import parse_settings

Out = Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")]
OutAnywhere = Annotated[str, typer.Option("-o", "--output", help="Folder to write to, or a URL.")]
Models = Annotated[int, typer.Option(help="Models in each population.", min=1)]
Seed = Annotated[int, typer.Option(help="Seed of the populations.", min=0)]
Gamma = Annotated[
    float | None,
    typer.Option(help="γ = |S| / |B|: the part of B that was found; the scenario's own if unsaid."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue an interrupted run, or add models.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace another result that the folder holds.")
]
Engine = Annotated[
    str, typer.Option(help="Where to train: local, ray, ray://HOST:PORT or distributed.")
]
LeaveOut = Annotated[
    bool, typer.Option("--leave-out-damaged", help="Go on without damaged shards of references.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting; may be repeated."),
]
Epsilon = Annotated[float, typer.Option(help="ε of the hockey-stick divergence.")]
Confidence = Annotated[float, typer.Option(help="Familywise confidence of the verdict.")]
Interval = Annotated[float, typer.Option(help="Confidence of each interval.")]
OwnLearner = Annotated[
    str | None, typer.Option(help="The learner of the references, where it is your own code.")
]
OwnScenario = Annotated[
    str | None,
    typer.Option(help="Their scenario file, where it or its data lie outside its own folder."),
]

_WORDS = "indist.words"
_BEFORE_SEED = {"discovery": Gamma}
_AFTER_SEED = {
    "data_seed": Annotated[
        int, typer.Option(help="Seed of the scenario's data and forget set.", min=0)
    ],
    "learner": Annotated[
        str | None,
        typer.Option(
            metavar="NAME|package.module:factory",
            help="Another learner than the scenario's own: see indist learners.",
        ),
    ],
    "learner_settings": Annotated[
        list[str] | None,
        typer.Option(
            "--set-learner", metavar="NAME=VALUE", help="A setting of it; may be repeated."
        ),
    ],
    "settings": Settings,
}
_SCENARIO = Annotated[str, typer.Argument(help="A name from indist scenarios, or a .toml file.")]


@dataclass(frozen=True)
class ScenarioOptions:
    """A scenario as the command line names it.

    Attributes:
        name: of a built-in scenario, or a ``.toml`` file.
        data_seed: of its data and forget set.
        discovery: γ, or None for its own.
        learner: another learner, or None for its own.
        learner_settings: ``NAME=VALUE`` each.
        settings: ``NAME=VALUE`` each.
    """

    name: str
    data_seed: int
    discovery: float | None
    learner: str | None
    learner_settings: list[str]
    settings: list[str]

    def load(self) -> "oracles.Scenario":
        """The scenario; what was not said of it keeps its own default.

        Raises:
            ValueError: when the scenario is unknown, or a setting is wrong.
        """
        knobs: dict[str, Any] = {"discovery": self.discovery, "learner": self.learner}
        own = parse_settings(self.learner_settings, "--set-learner")
        if own and self.learner is None:
            raise ValueError("--set-learner: expected --learner beside it")
        knobs = {name: value for name, value in knobs.items() if value is not None}
        knobs |= ({"learner_settings": own} if own else {}) | parse_settings(self.settings)
        try:
            return oracles.scenarios.load(self.name, seed=self.data_seed, **knobs)
        except TypeError as error:
            # Of a setting that is of another kind, such as a text for a number.
            raise ValueError(f"{self.name}: {error}") from None


def scenario_options(command: Callable[..., None]) -> Callable[..., None]:
    """Puts SCENARIO and its options in the place of a command's parameter ``scenario``.

    On the command line stand the argument SCENARIO, ``--discovery`` before ``--seed``, and
    ``--data-seed``, ``--learner``, ``--set-learner`` and ``--set`` after it; the command gets them
    as one `ScenarioOptions`. An argument that the command annotates ``scenario`` with is shown in
    the place of the usual one.
    """

    @functools.wraps(command)
    def wrapped(**values: Any) -> None:
        named = {name: values.pop(name) for name in (*_BEFORE_SEED, *_AFTER_SEED)}
        for name in ("learner_settings", "settings"):
            named[name] = named[name] or []
        command(scenario=ScenarioOptions(values.pop("scenario"), **named), **values)

    own = inspect.signature(command).parameters["scenario"].annotation
    argument = Annotated[str, own.__metadata__[0]] if get_origin(own) is Annotated else _SCENARIO
    shown = [_parameter("scenario", argument, inspect.Parameter.empty)]
    for name, parameter in inspect.signature(command).parameters.items():
        if name == "seed":
            shown += [_parameter(*option, None) for option in _BEFORE_SEED.items()]
        if name != "scenario":
            shown.append(_parameter(name, parameter.annotation, parameter.default))
        if name == "seed":
            shown += [
                _parameter(*option, 0 if option[0] == "data_seed" else None)
                for option in _AFTER_SEED.items()
            ]
    return _with_signature(wrapped, shown)


class RememberingCommand(TyperCommand):
    """A command that keeps its words as they were typed, for `typed_options`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keeps the words, then reads them."""
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)


def typed_options(command: Callable[..., None]) -> Callable[..., None]:
    """Tells a command what was typed: options as ``typed``, and every word as ``words``.

    An option that was typed at its default asks for nothing, and is left out.
    """

    @functools.wraps(command)
    def wrapped(context: Any, **values: Any) -> None:
        words = tuple(context.meta.get(_WORDS, ()))
        typed = {
            parameter.name
            for parameter in context.command.params
            if context.get_parameter_source(parameter.name).name == "COMMANDLINE"
            and context.params[parameter.name] != parameter.default
        }
        command(typed=typed, words=words, **values)

    shown = [_parameter("context", typer.Context, inspect.Parameter.empty)]
    for name, parameter in inspect.signature(command).parameters.items():
        if name not in ("typed", "words"):
            shown.append(_parameter(name, parameter.annotation, parameter.default))
    return _with_signature(wrapped, shown)


def _with_signature(
    command: Callable[..., None], parameters: list[inspect.Parameter]
) -> Callable[..., None]:
    # Typer reads options off the signature.
    setattr(command, "__signature__", inspect.Signature(parameters))  # noqa: B010
    return command


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
