"""Whatever was handed in, as one record each: what was seen of it, and what it says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import oracles
from audits._reading import SubmissionError
from audits.claims._declared import declared_claim
from audits.formats._content import as_margins
from audits.submissions._align import ProbeList, align, check_classes
from audits.submissions._parameters import PopulationFiles, parameters_digest
from audits.submissions._references import ObservedReferences, probes_of, reduced_to_margins
from audits.submissions._submission import Submission, method_of
from estimators.kinds import check_kind
from oracles import Observations, Population, Probes
from oracles.mechanisms import Claim
from oracles.storage.files import printable

POPULATIONS = ("submission", "original", "untraining", "unlearning")

REDUCED = (
    "The submission holds one number a model and example and no labels: all populations are "
    "compared by margins alone, and an answer counts as right where its probability is above 1/2."
)
REFERENCES_REDUCED = (
    "The references hold one number a model and example and no labels: all populations are "
    "compared by margins alone, and an answer counts as right where its probability is above 1/2."
)
WORDS_OF_REDUCTION = (REDUCED, REFERENCES_REDUCED)
"""Of which one is a warning where populations were reduced, which is not stored with them."""

Given = Submission | Population | Observations
"""A population as users hand it in."""


@runtime_checkable
class ReferencesLike(Protocol):
    """Both references of an audit: `oracles.References`, `ObservedReferences` or their like.

    ``original`` is used where there is one, and so are ``scenario`` and ``probes`` together.
    """

    @property
    def untraining(self) -> Population | Observations:
        """Models trained without the forget set."""
        ...

    @property
    def unlearning(self) -> Population | Observations:
        """Models trained without the behaviour."""
        ...


@runtime_checkable
class _WithOriginal(Protocol):
    @property
    def original(self) -> Population | Observations | None: ...


@runtime_checkable
class _WithScenario(Protocol):
    @property
    def scenario(self) -> "oracles.Scenario | None": ...

    @property
    def probes(self) -> ProbeList: ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Party:
    """One population of an audit.

    Attributes:
        name: of the submission, or which reference it is.
        observations: what was seen of it, at the references' probes and in their order.
        method: that it declares, or None.
        seeds: the seed or seeds that it declares, or None.
        claim: the (epsilon, delta) that it claims of itself, or None.
        parameters: digest of its parameters, where models are at hand.
        population: its models, where they are at hand.
    """

    name: str
    observations: Observations
    method: str | None = None
    seeds: Any = None
    claim: Claim | None = None
    parameters: str | None = None
    population: Population | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", printable(self.name))
        object.__setattr__(self, "method", self.method and printable(self.method))


@dataclass(frozen=True, eq=False, kw_only=True)
class Parties:
    """All that an audit works on.

    Attributes:
        by_name: the populations, in the order of `POPULATIONS`; ``original`` may be missing.
        scenario: in which the references were trained, where that is known.
        warnings: what a reader of any audit of them should know: whether all were reduced to
            margins, as the submission or the references hold nothing else.
    """

    by_name: Mapping[str, Party]
    scenario: "oracles.Scenario | None"
    warnings: tuple[str, ...] = ()

    @property
    def submission(self) -> Party:
        """What was submitted."""
        return self.by_name["submission"]

    @property
    def observations(self) -> dict[str, Observations]:
        """What was seen of each population."""
        return {name: party.observations for name, party in self.by_name.items()}

    def with_first(self, models: int) -> "Parties":
        """The same with so many models of the submission, the first ones; the others wait."""
        submission = self.submission
        if models == submission.observations.models:
            return self
        seen = submission.observations
        seeds = submission.seeds
        first = replace(
            submission,
            observations=replace(seen, logits=seen.logits[:models]),
            seeds=seeds[:models] if isinstance(seeds, list | tuple) else seeds,
            # Of all models, which the certificate does not speak of.
            parameters=None,
            population=None,
        )
        return replace(self, by_name={**self.by_name, "submission": first})


def check_several(parties: "Parties") -> None:
    """Several models of each population: one shows nothing of how its kind is distributed.

    Raises:
        SubmissionError: when there is one.
    """
    for name, party in parties.by_name.items():
        if party.observations.models < 2:
            hint = "; audit_single tests one model" if name == "submission" else ""
            raise SubmissionError(f"{party.name}: expected at least 2 models, found 1{hint}")


def observe_all(submission: Given, references: ReferencesLike) -> Parties:
    """Observes all populations at the references' probes.

    Where the submission holds margins only, all populations are reduced to theirs.

    Args:
        submission: what was submitted.
        references: the references.

    Returns:
        One record a population.

    Raises:
        SubmissionError: when the submission does not fit the references.
        TypeError: when something is no population.
    """
    found: Any = references
    if isinstance(submission, ReferencesLike) and not isinstance(found, ReferencesLike):
        raise TypeError("submission, references: expected in this order, found them swapped")
    check_kind(
        references,
        "references",
        ReferencesLike,
        "references, as oracles.references, oracles.load_references or audits.ObservedReferences "
        "make them",
    )
    given: dict[str, Given] = {"submission": submission}
    if isinstance(references, _WithOriginal) and references.original is not None:
        given["original"] = references.original
    given |= {"untraining": references.untraining, "unlearning": references.unlearning}
    if isinstance(references, _WithScenario):
        scenario, probes = references.scenario, references.probes
    else:
        scenario, probes = None, probes_of(references.untraining)
    warnings: tuple[str, ...] = ()
    if (
        isinstance(references, ObservedReferences)
        and references.margins_only
        and not _margins_only(submission)
    ):
        given["submission"] = reduced_to_margins(submission)
        warnings = (REFERENCES_REDUCED,)
    parties = {name: _party(name, part, probes, scenario) for name, part in given.items()}
    seen = parties["untraining"].observations
    if _margins_only(submission) and (seen.logits.shape[2] > 2 or bool(seen.labels.any())):
        warnings = (REDUCED,)
        parties = {
            name: replace(party, observations=as_margins(party.observations))
            for name, party in parties.items()
        }
    parties = {
        name: replace(party, observations=_as_stored(party)) for name, party in parties.items()
    }
    classes = parties["untraining"].observations.logits.shape[2]
    for party in parties.values():
        check_classes(party.observations, classes, party.name)
    return Parties(by_name=parties, scenario=scenario, warnings=warnings)


def _as_stored(party: Party) -> Observations:
    """In the types of stored observations, so that what is found can be recomputed."""
    try:
        return party.observations.as_stored()
    except ValueError as error:
        raise SubmissionError(f"{party.name}: {error}") from None


def _margins_only(part: Given) -> bool:
    return isinstance(part, Submission) and part.margins_only


def _party(name: str, part: Given, probes: ProbeList, scenario: "oracles.Scenario | None") -> Party:
    """The one place that asks what kind of thing was handed in."""
    if isinstance(part, Observations):
        return Party(name=name, observations=align(part, probes, name))
    if isinstance(part, Submission):
        learner = scenario.learner if scenario is not None else None
        digest = scenario.digest if scenario is not None else None
        files = part.content if isinstance(part.content, PopulationFiles) else None
        return Party(
            name=part.name,
            observations=part.observe(probes, learner=learner, scenario=digest),
            method=part.method,
            seeds=part.seeds,
            claim=part.claim,
            parameters=parameters_digest(files) if files is not None else None,
            population=oracles.load_population(files.folder, learner, probes)
            if files is not None and learner is not None and isinstance(probes, Probes)
            else None,
        )
    if isinstance(part, Population):  # pyright: ignore[reportUnnecessaryIsInstance]
        method, submitted = method_of(part.recipe), name == "submission"
        folder = part.directory.name if part.directory else None
        # Without the probes' inputs a population can only show what it showed when it was made.
        seen = part.observe(probes if isinstance(probes, Probes) else part.probes)
        return Party(
            name=(folder or method or name) if submitted else name,
            observations=align(seen, probes, name),
            method=method,
            seeds=part.recipe.get("seed"),
            claim=declared_claim(part.recipe, "submission") if submitted else None,
            parameters=part.digest,
            population=part,
        )
    expected = "a Submission as audits.load reads it, a Population or Observations"
    check_kind(part, name, (Submission, Population, Observations), expected)
    raise AssertionError
