"""Recomputing a certificate from the observations stored beside it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audits._reading import SubmissionError
from audits.certificate._certificate import (
    OBSERVATIONS,
    Certificate,
    CertificateError,
    ClaimRecord,
    read_certificate,
)
from audits.submissions._parties import POPULATIONS, ObservedReferences
from audits.submissions._submission import load
from oracles import Observations
from oracles.mechanisms import Claim

RELATIVE = 1e-9
ABSOLUTE = 1e-12
_MOST = 20

# Fields that say what observations cannot show: where the numbers and the populations came from.
_DECLARED = {"provenance", "parameters", "seeds"}


def verify(certificate: Path | str, *, observations: Path | str | None = None) -> list[str]:
    """Recomputes a certificate and lists every difference, in words.

    Digests of the stored observations are compared with those that the certificate names; then the
    whole audit is run again on them, as declared. Numbers may differ by a relative 1e-9 (or 1e-12
    near 0), which is what mathematical libraries of other machines may do to them. Names, methods,
    seeds, settings, versions and digests of parameters are the auditor's word: they cannot be
    recomputed from observations and are not compared.

    Args:
        certificate: the file ``certificate.json``.
        observations: the folder of observations; ``observations`` beside the file by default.

    Returns:
        One sentence a difference; empty when everything is as certified.

    Raises:
        CertificateError: when the file is no certificate.
        SubmissionError: when stored observations are missing or damaged.
    """
    path = Path(certificate)
    certified = read_certificate(path)
    folder = Path(observations) if observations is not None else path.parent / OBSERVATIONS
    populations = [
        record for record in certified.predicate.populations if record.name in POPULATIONS
    ]
    seen = {population.name: _observations(folder, population.name) for population in populations}
    missing = {"submission", "untraining", "unlearning"} - set(seen)
    if missing:
        raise CertificateError(f"{path}: populations: expected also {sorted(missing)[0]!r}")
    differences = [
        f"observations of {population.name}: certified with digest "
        f"{population.observations[:12]}, stored with {seen[population.name].digest[:12]}"
        for population in populations
        if seen[population.name].digest != population.observations
    ]
    # Loaded on use: a file that cannot be read is refused at once.
    from audits.verdict._audit import audit

    declared = certified.predicate.declaration
    try:
        recomputed = audit(
            seen["submission"],
            ObservedReferences(seen["untraining"], seen["unlearning"], seen.get("original")),
            epsilon=declared.epsilon,
            tolerance="calibrated" if declared.calibrated else declared.tolerance,
            confidence=declared.confidence,
            claim=_claim(certified.predicate.claimed),
        )
    except ValueError as error:
        return [*differences, f"the audit cannot be run again: {error}"]
    differences += _differences("", _compared(certified), _compared(recomputed.certificate()))
    if len(differences) > _MOST:
        more = f"and {len(differences) - _MOST} more differences"
        differences = [*differences[:_MOST], more]
    then = certified.predicate.provenance.versions
    now = recomputed.provenance.versions
    if differences and then != now:
        differences.append(f"versions: certified by {_listed(then)}, recomputed by {_listed(now)}")
    return differences


def _claim(record: ClaimRecord | None) -> Claim | None:
    if record is None:
        return None
    words = (record.mechanism, record.source, tuple(record.assumptions))
    return Claim(record.epsilon, record.delta, *words)


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _observations(folder: Path, name: str) -> Observations:
    content = load(folder / f"{name}.safetensors").content
    if not isinstance(content, Observations):
        raise SubmissionError(f"{folder / name}: expected observations")
    return content


def _compared(certificate: Certificate) -> Any:
    """The part of a certificate that observations determine."""
    content = certificate.model_dump(mode="json", by_alias=True)
    content["subject"] = [part for part in content["subject"] if part["name"] != "parameters"]
    predicate = _without_declared(content["predicate"])
    predicate["populations"] = [_without_declared(part) for part in predicate["populations"]]
    return content | {"predicate": predicate}


def _without_declared(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in _DECLARED}


def _differences(where: str, certified: Any, recomputed: Any) -> list[str]:
    if isinstance(certified, dict) and isinstance(recomputed, dict):
        keys = list(dict.fromkeys([*certified, *recomputed]))
        pairs = [(f"{where}.{key}" if where else key, key) for key in keys]
        return [
            text
            for name, key in pairs
            for text in _differences(name, certified.get(key), recomputed.get(key))
        ]
    if isinstance(certified, list) and isinstance(recomputed, list):
        if len(certified) != len(recomputed):
            return [
                f"{where}: certified with {len(certified)} entries, recomputed {len(recomputed)}"
            ]
        return [
            text
            for place, (old, new) in enumerate(zip(certified, recomputed, strict=True))
            for text in _differences(f"{where}[{place}]", old, new)
        ]
    if _same(certified, recomputed):
        return []
    return [f"{where}: certified {certified!r}, recomputed {recomputed!r}"]


def _same(certified: Any, recomputed: Any) -> bool:
    numbers = (int, float)
    if isinstance(certified, bool) or isinstance(recomputed, bool):
        return certified is recomputed
    if isinstance(certified, numbers) and isinstance(recomputed, numbers):
        return math.isclose(certified, recomputed, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return certified == recomputed
