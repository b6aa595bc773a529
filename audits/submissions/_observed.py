"""Gathering what was seen of the submission and of each reference, on one list of probes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from audits.claims._claimed import declared_claim
from audits.submissions._align import ProbeList, align, check_classes
from audits.submissions._parameters import PopulationFiles, parameters_digest
from audits.submissions._submission import Submission, method_of
from oracles import Learner, Observations, Population, Probes
from oracles.mechanisms import Claim

POPULATIONS = ("submission", "original", "untraining", "unlearning")


@runtime_checkable
class ReferencesLike(Protocol):
    """Both references of an audit: `oracles.References`, `ObservedReferences` or their like.

    ``original``, ``probes`` and ``scenario`` are used where there are any.
    """

    @property
    def untraining(self) -> Population | Observations:
        """Models trained without the forget set."""
        ...

    @property
    def unlearning(self) -> Population | Observations:
        """Models trained without the behaviour."""
        ...


@dataclass(frozen=True, eq=False)
class ObservedReferences:
    """References of which only observations are at hand, as from models of other frameworks.

    Attributes:
        untraining: what was seen of models trained without the forget set.
        unlearning: the same without the whole behaviour.
        original: the same of the models before unlearning, or None.
    """

    untraining: Observations
    unlearning: Observations
    original: Observations | None = None


class Gathered(NamedTuple):
    """What an audit works on.

    Attributes:
        observations: by population, in the order of `POPULATIONS`, on the same probes.
        submission: name of the submission.
        method: the method it declares, or None.
        scenario: name of the scenario, or None.
        title: what its behaviour is, or None.
        sizes: of its sets.
        settings: its settings.
        parameters: digest of each population's parameters, where there are any.
        seeds: the seeds each population declares, or None.
        claim: what the submission claims of itself, or None.
    """

    observations: dict[str, Observations]
    submission: str
    method: str | None
    scenario: str | None
    title: str | None
    sizes: Mapping[str, int]
    settings: Mapping[str, Any]
    parameters: dict[str, str]
    seeds: dict[str, Any]
    claim: Claim | None


def gather(
    submission: Submission | Population | Observations, references: ReferencesLike
) -> Gathered:
    """Observes all populations at the references' probes.

    Args:
        submission: what was submitted.
        references: the references.

    Returns:
        Observations and what the populations say of themselves.

    Raises:
        SubmissionError: when the submission does not fit the references.
        TypeError: when something is no population.
    """
    scenario = getattr(references, "scenario", None)
    first = references.untraining
    probes: ProbeList
    if isinstance(first, Observations):
        probes = getattr(references, "probes", None) or first
    else:
        probes = getattr(references, "probes", None) or first.probes
    parts: dict[str, Any] = {"submission": submission}
    for name in POPULATIONS[1:]:
        part = getattr(references, name, None)
        if part is not None:
            parts[name] = part
    learner = getattr(scenario, "learner", None)
    digest = getattr(scenario, "digest", None)
    seen = {name: _seen(name, part, probes, learner, digest) for name, part in parts.items()}
    classes = seen["untraining"].logits.shape[2]
    for name, observations in seen.items():
        check_classes(observations, classes, _called(name, parts[name]))
    return Gathered(
        observations=seen,
        submission=_called("submission", submission),
        method=_method(submission),
        scenario=getattr(scenario, "name", None),
        title=getattr(scenario, "title", None),
        sizes=dict(getattr(scenario, "sizes", {})),
        settings=dict(getattr(scenario, "settings", {})),
        parameters={
            name: found for name, part in parts.items() if (found := _parameters(part)) is not None
        },
        seeds={name: _seeds(part) for name, part in parts.items()},
        claim=_claim(submission),
    )


def _seen(
    name: str, part: Any, probes: ProbeList, learner: Learner | None, scenario: str | None
) -> Observations:
    if isinstance(part, Observations):
        return align(part, probes, name)
    if isinstance(part, Submission):
        return part.observe(probes, learner=learner, scenario=scenario)
    if isinstance(part, Population):
        # Without the probes' inputs a population can only show what it showed when it was made.
        return align(
            part.observe(probes if isinstance(probes, Probes) else part.probes), probes, name
        )
    raise TypeError(
        f"{name}: expected a Submission, Population or Observations, found {type(part).__name__}"
    )


def _called(name: str, part: Any) -> str:
    if isinstance(part, Submission):
        return part.name
    if isinstance(part, Population) and name == "submission":
        return part.directory.name if part.directory else _method(part) or name
    return name


def _method(part: Any) -> str | None:
    if isinstance(part, Submission):
        return part.method
    return method_of(part.recipe) if isinstance(part, Population) else None


def _claim(part: Any) -> Claim | None:
    if isinstance(part, Submission):
        return part.claim
    return declared_claim(part.recipe, "submission") if isinstance(part, Population) else None


def _seeds(part: Any) -> Any:
    if isinstance(part, Submission):
        return part.seeds
    return part.recipe.get("seed") if isinstance(part, Population) else None


def _parameters(part: Any) -> str | None:
    if isinstance(part, Submission):
        part = part.content
    if isinstance(part, PopulationFiles):
        return parameters_digest(part)
    return part.digest if isinstance(part, Population) else None
