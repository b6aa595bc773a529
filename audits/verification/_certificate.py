"""Recomputing a certificate from the observations stored beside it."""

from pathlib import Path
from typing import Any

from audits._reading import SubmissionError
from audits.certificate._certificate import (
    AnyCertificate,
    CertificateError,
    Declaration,
    read_certificate,
)
from audits.certificate._records import ClaimRecord
from audits.report._folder import STORED
from audits.submissions._parties import POPULATIONS, WORDS_OF_REDUCTION
from audits.submissions._references import ObservedReferences
from audits.submissions._stored import stored
from audits.verification._declared import SettingsOfCertificate, check_declared
from audits.verification._differences import differences
from audits.verification._files import compare_files
from audits.verification._results import Verification, listed, shortened, with_versions
from audits.verification._submitted import compare_submission
from oracles import Observations
from oracles.mechanisms import Claim

# Fields that say what observations cannot show: where the numbers and the populations came from.
_DECLARED = {"version", "files", "provenance", "parameters", "seeds"}
# What version 1 has no fields for: it looked once, at the median margins, and drew nothing.
_LATER_DECLARED: dict[str, Any] = {
    "looked_at": [],
    "seed": None,
    "looks": None,
    "look": 1,
    "look_confidence": None,
    "among": 1,
    "references_seen": None,
}
# What version 1 has no fields for, or claimed without a right to: that is computed no more.
_NOT_OF_VERSION_1 = {
    *("progress", "shifts", "mean_distances", "least_alpha", "sharing", "stands"),
    *("nearest", "over_unlearned"),
}
_RECOMPUTED = (
    "verdict, its sentence and scope",
    "estimate, bounds, curve and decision of every comparison",
    "groups, claim and warnings",
    "digest of the observations of each population, and the subject of the statement",
)
_RECOMPUTED_LATER = (
    "progress, shifts, distances of means, nearest reference, over-unlearning, and the least level "
    "of the verdict"
)


def verify_certificate(
    path: Path, *, observations: Path | None, submission: Path | str | None
) -> Verification:
    """Recomputes a certificate of any version; see `verify`."""
    certified = read_certificate(path)
    try:
        check_declared(path, _dumped(certified), SettingsOfCertificate)
    except SubmissionError as error:
        raise CertificateError(str(error)) from None
    predicate, provenance = certified.predicate, certified.predicate.provenance
    folder = observations if observations is not None else path.parent / STORED
    names = [population.name for population in predicate.populations]
    for name in ("submission", "untraining", "unlearning"):
        if name not in names:
            raise CertificateError(f"{path}: field populations: expected also {name!r}")
    for name in names:
        if name not in POPULATIONS or names.count(name) > 1:
            raise CertificateError(
                f"{path}: field populations: expected {', '.join(POPULATIONS)} once each, found "
                f"{name[:60]!r}{' twice' if name in POPULATIONS else ''}"
            )
    seen = stored(folder, names, path.name)
    files = (
        None if certified.predicate.version == 1 else compare_files(path, _files(certified), folder)
    )
    found = [
        f"observations of {population.name}: certified with digest "
        f"{population.observations[:12]}, stored with {seen[population.name].digest[:12]}"
        for population in predicate.populations
        if seen[population.name].digest != population.observations
    ]
    found += files.differences if files else []
    found += differences("subject", _dumped(certified)["subject"], _subject(certified))
    equal: list[str] = []
    declared = predicate.declaration
    later = isinstance(declared, Declaration)
    if submission is not None:
        submitted = next(
            population for population in predicate.populations if population.name == "submission"
        )
        word = {"method": provenance.method, **submitted.model_dump()}
        equal, different = compare_submission(
            submission, word, seen["submission"], first=later and declared.looks is not None
        )
        found += different
    # Loaded on use: a file that cannot be read is refused at once.
    from audits.verdict._audit import audit
    from audits.verdict._observables import observable_of

    settings = declared.looked_at if later else []
    try:
        looked_at = tuple(map(observable_of, settings)) or None
        recomputed = audit(
            seen["submission"],
            ObservedReferences(seen["untraining"], seen["unlearning"], seen.get("original")),
            epsilon=declared.epsilon,
            tolerance="calibrated" if declared.calibrated else declared.tolerance,
            confidence=declared.confidence,
            claim=_claim(predicate.claimed),
            observables=looked_at,
            looks=declared.looks if later else None,
            among=declared.among if later else 1,
            references_seen=declared.references_seen if later else None,
            seed=declared.seed if later else None,
        )
    except ValueError as error:
        found.append(f"the audit cannot be run again: {error}")
    else:
        parts = [
            _compared(certificate, seen["submission"], later)
            for certificate in (certified, recomputed.certificate())
        ]
        now = recomputed.provenance.versions
        numbers = differences("predicate", *parts)
        found += with_versions(numbers, provenance.versions, now)
    return Verification(
        path=path,
        differences=tuple(shortened(found)),
        recomputed=(*_RECOMPUTED, *([_RECOMPUTED_LATER] if later else []), *equal),
        unchanged=files.unchanged if files else (),
        absent=files.absent if files else (),
        declared=_word(certified, equal),
    )


def _files(certified: AnyCertificate) -> dict[str, str]:
    return _dumped(certified)["predicate"].get("files", {})


def _dumped(certificate: AnyCertificate) -> dict[str, Any]:
    return certificate.model_dump(mode="json", by_alias=True)


def _subject(certified: AnyCertificate) -> list[dict[str, Any]]:
    """The subject as the populations have it."""
    submitted = next(
        population
        for population in certified.predicate.populations
        if population.name == "submission"
    )
    digests = {"observations": submitted.observations, "parameters": submitted.parameters}
    return [
        {"name": name, "digest": {"sha256": digest}}
        for name, digest in digests.items()
        if digest is not None
    ]


def _compared(certificate: AnyCertificate, submitted: Observations, later: bool) -> dict[str, Any]:
    """The part of a certificate that observations determine; of a later one than version 1, all."""
    predicate = _without_declared(_dumped(certificate)["predicate"])
    for name in () if later else _NOT_OF_VERSION_1:
        predicate.pop(name, None)
    predicate["populations"] = [_without_declared(part) for part in predicate["populations"]]
    predicate["declaration"] = _LATER_DECLARED | predicate["declaration"]
    comparisons = [predicate[name] for name in ("untraining", "unlearning", "references")]
    for comparison in [*comparisons, *(predicate["original"] or [])]:
        if comparison["forecast"]:
            comparison["forecast"] = {"beside": []} | comparison["forecast"]
    if is_reduced(submitted):
        predicate["warnings"] = [
            text for text in predicate["warnings"] if text not in WORDS_OF_REDUCTION
        ]
    return predicate


def is_reduced(seen: Observations) -> bool:
    """Whether observations may be margins alone: what they were before is not stored."""
    return seen.logits.shape[2] == 2 and not seen.labels.any()


def _without_declared(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in _DECLARED}


def _claim(record: ClaimRecord | None) -> Claim | None:
    if record is None:
        return None
    words = (record.mechanism, record.source, tuple(record.assumptions))
    return Claim(record.epsilon, record.delta, *words)


def _word(certified: AnyCertificate, equal: list[str]) -> tuple[str, ...]:
    """What stands in the certificate and was compared with nothing."""
    predicate, provenance = certified.predicate, certified.predicate.provenance
    claim = predicate.claimed
    compared = {text.removesuffix(" of the submission") for text in equal}
    parameters = [
        population.name
        for population in predicate.populations
        if population.parameters is not None
        and not (population.name == "submission" and "digest of parameters" in compared)
    ]
    words = [
        "that the observations are of the models named, made independently",
        f"name of the submission ({provenance.submission})",
        *([] if "method" in compared else [f"its method ({provenance.method or 'not declared'})"]),
        f"scenario ({provenance.scenario or 'not known'}) with its title, sizes and settings",
        "seeds" if "seeds" not in compared else "seeds of the references",
        *([f"digests of parameters of {', '.join(parameters)}"] if parameters else []),
        *([f"the claim's mechanism ({claim.mechanism}) and source"] if claim else []),
        f"versions ({listed(provenance.versions)})",
    ]
    declared = predicate.declaration
    if isinstance(declared, Declaration):
        words.append("that looks, tolerance and observables were declared before looking")
        if declared.among > 1:
            words.append(f"that {declared.among} submissions were judged at once")
        seen = {None: "is not said to have seen", True: "could see", False: "could not see"}
        who = seen[declared.references_seen]
        words.append(f"that the submitter {who} the references before handing in")
    if certified.predicate.version == 1:
        words.append("report.html and report.md, which version 1 does not name")
        words.append(
            "the nearer reference and whether too much was unlearned: version 1 claimed these on "
            "grounds that do not hold, and they are not computed any more"
        )
    return tuple(words)
