"""Where an audit's numbers come from, what they were computed with, and how pages list it."""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import scipy

from audits.report import numbers
from audits.report._blocks import Pairs
from audits.report._words import POPULATION_NAMES
from audits.submissions._parties import Parties

_SETTINGS = {"discovery": "discovery fraction γ", "seed": "seed of the scenario"}
_SETS = {"train": "training set D", "behaviour": "behaviour B", "forget": "forget set S"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Provenance:
    """Where the numbers came from. Keys of the mappings are names of populations.

    Attributes:
        submission: name of the submission.
        method: the method it declares, or None.
        scenario: name of the scenario, or None when only observations were given.
        title: what the behaviour is, in plain words, or None.
        sizes: how many examples are in D (``train``), B and S, and how many probes; or empty.
        settings: the scenario's settings (JSON values), empty when unknown.
        digests: SHA-256 of each population's observations, as ``Observations.digest``.
        parameters: SHA-256 of each population's parameters, where models were at hand.
        seeds: the seed (or the seeds) that each population declares, or None.
        versions: version of indist, Python, numpy and scipy.
    """

    submission: str
    method: str | None
    scenario: str | None
    title: str | None
    sizes: Mapping[str, int]
    settings: Mapping[str, Any]
    digests: Mapping[str, str]
    parameters: Mapping[str, str]
    seeds: Mapping[str, Any]
    versions: Mapping[str, str]


def provenance(parties: Parties, compared: Iterable[str]) -> Provenance:
    """The provenance of an audit.

    Args:
        parties: all populations.
        compared: names of those that were compared.

    Returns:
        The provenance of those that were compared, with the versions that run now.
    """
    scenario, submission = parties.scenario, parties.submission
    chosen = {name: parties.by_name[name] for name in compared}
    return Provenance(
        submission=submission.name,
        method=submission.method,
        scenario=None if scenario is None else scenario.name,
        title=None if scenario is None else scenario.title,
        sizes={} if scenario is None else dict(scenario.sizes),
        settings={} if scenario is None else dict(scenario.settings),
        digests={name: party.observations.digest for name, party in chosen.items()},
        parameters={k: party.parameters for k, party in chosen.items() if party.parameters},
        seeds={name: party.seeds for name, party in chosen.items()},
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Versions of indist, and of what its numbers depend on."""
    try:
        own = version("indist")
    except PackageNotFoundError:
        own = "not installed"
    return {
        "indist": own,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


def compared(provenance: Provenance) -> Pairs:
    """What was submitted, and in which scenario."""
    sizes = provenance.sizes
    title = [("behaviour", provenance.title)] if provenance.title else []
    return (
        ("submission", provenance.submission),
        ("method", provenance.method or "not declared"),
        ("scenario", provenance.scenario or "not known: only observations were given"),
        *title,
        *(
            (called, numbers.counted(sizes[name], "example"))
            for name, called in _SETS.items()
            if name in sizes
        ),
        *((_SETTINGS.get(name, name), str(value)) for name, value in provenance.settings.items()),
    )


def digest_pairs(provenance: Provenance) -> Pairs:
    """Digests of all that was audited."""
    return tuple(
        (f"{POPULATION_NAMES.get(name, name)}, {kind}", digest)
        for kind, digests in (
            ("observations", provenance.digests),
            ("parameters", provenance.parameters),
        )
        for name, digest in digests.items()
    )


def seed_pairs(provenance: Provenance) -> Pairs:
    """The seed that each population declares."""
    return tuple(
        (
            f"seed of the {POPULATION_NAMES.get(name, name)}",
            "not declared" if seed is None else str(seed),
        )
        for name, seed in provenance.seeds.items()
    )


def version_pairs(versions: Mapping[str, str]) -> Pairs:
    """What the numbers were computed with."""
    return tuple((f"version of {name}", number) for name, number in versions.items())
