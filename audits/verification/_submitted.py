"""A submission at hand against what is certified of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from audits._reading import SubmissionError
from audits.formats._logits import NAME
from audits.submissions._parameters import PopulationFiles, parameters_digest, shards_of
from audits.submissions._submission import load_all
from oracles import Observations


def compare_submission(
    pattern: Path | str,
    certified: dict[str, Any],
    seen: Observations,
    *,
    first: bool = False,
) -> tuple[list[str], list[str]]:
    """Compares a submission with what is certified of it.

    Args:
        pattern: a path, or a pattern that fits the files of one submission.
        certified: ``method``, ``seeds`` and ``parameters`` as they are certified.
        seen: what was observed of it.
        first: whether only its first models may have been looked at, the others waiting.

    Returns:
        What was found equal, in words; and a sentence for each difference.

    Raises:
        SubmissionError: when it cannot be read, or is several.
    """
    given = load_all([pattern])
    if len(given) != 1:
        raise SubmissionError(f"{pattern}: expected one submission, found {len(given)}")
    found = given[0]
    equal: list[str] = []
    differences: list[str] = []

    def compare(what: str, old: Any, new: Any) -> None:
        if old == new:
            equal.append(f"{what} of the submission")
        else:
            differences.append(f"{what} of the submission: certified {old!r}, found {new!r}")

    waiting = first and found.models > seen.models
    seeds = found.seeds[: seen.models] if waiting and isinstance(found.seeds, list) else found.seeds
    compare("number of models", seen.models, seen.models if waiting else found.models)
    compare("method", certified["method"], found.method)
    compare("seeds", certified["seeds"], seeds)
    if waiting and certified["parameters"] is None:
        # Parameters are certified of all models that are there, or not at all.
        pass
    elif isinstance(found.content, PopulationFiles):
        compare("digest of parameters", certified["parameters"], parameters_digest(found.content))
        if _stored_logits_are(found.content, seen):
            equal.append("observations of the submission, which lie beside its parameters")
    elif certified["parameters"] is not None:
        differences.append(
            "digest of parameters of the submission: certified "
            f"{certified['parameters']!r}, found no parameters"
        )
    if isinstance(found.content, Observations):
        aligned = found.observe(seen)
        aligned = replace(aligned, logits=aligned.logits[: seen.models]) if waiting else aligned
        compare("digest of observations", seen.digest, aligned.digest)
    return equal, differences


def _stored_logits_are(files: PopulationFiles, seen: Observations) -> bool:
    """Whether the logits that lie beside the parameters are what was observed, to the last bit."""
    parts = [shard.arrays().get(NAME) for shard in shards_of(files.folder)]
    held = [part for part in parts if part is not None]
    return len(held) == len(parts) and np.array_equal(np.concatenate(held), seen.logits)
