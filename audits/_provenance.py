"""Where an audit's numbers come from, and what they were computed with."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import scipy

from audits.submissions._observed import Gathered
from audits.verdict._results import Provenance
from oracles import Observations


def provenance(gathered: Gathered, seen: Mapping[str, Observations]) -> Provenance:
    """Of the populations that were compared.

    Args:
        gathered: what was gathered.
        seen: those of its populations that were compared.
    """
    return Provenance(
        submission=gathered.submission,
        method=gathered.method,
        scenario=gathered.scenario,
        title=gathered.title,
        sizes=gathered.sizes,
        settings=gathered.settings,
        digests={name: observations.digest for name, observations in seen.items()},
        parameters={k: v for k, v in gathered.parameters.items() if k in seen},
        seeds={name: gathered.seeds[name] for name in seen},
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Of indist, and of what its numbers depend on."""
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
