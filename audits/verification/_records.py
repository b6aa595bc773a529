"""Recomputing records other than certificates from what is stored beside or in them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from audits._reading import Limits, SubmissionError, check_format, read_json, refuse
from audits.report._folder import STORED, record_bytes
from audits.submissions._parties import POPULATIONS, WORDS_OF_REDUCTION
from audits.submissions._references import ObservedReferences
from audits.submissions._stored import stored
from audits.verification._certificate import is_reduced
from audits.verification._declared import (
    DeclaredOfCoins,
    DeclaredOfLogs,
    DeclaredOfScores,
    DeclaredOfSingle,
    check_declared,
)
from audits.verification._differences import differences
from audits.verification._files import check_files, compare_files
from audits.verification._results import Verification, listed, shortened, with_versions
from audits.verification._submitted import compare_submission
from oracles import Observations

SINGLE, LOGS, SCORES = "indist-single", "indist-logs", "indist-scores"
COINS = "indist-coin-audit"
FORMATS = (SINGLE, LOGS, SCORES, COINS)
_VERSIONS = {SINGLE: 2, LOGS: 2, SCORES: 1, COINS: 1}
_DECLARED = {
    SINGLE: DeclaredOfSingle,
    LOGS: DeclaredOfLogs,
    SCORES: DeclaredOfScores,
    COINS: DeclaredOfCoins,
}
_MADE_INDEPENDENTLY = "that what is stored is of the models named, made independently"


class _Recomputed(NamedTuple):
    """A record as recomputed, and what of it stands for more than the stored numbers show."""

    content: dict[str, Any]
    recomputed: tuple[str, ...]
    declared: tuple[str, ...]
    # Paths of fields that are the auditor's word.
    word: tuple[str, ...]
    versions: Mapping[str, str]
    seen: Observations | None = None


def verify_record(
    path: Path, kind: str, *, observations: Path | None, submission: Path | str | None
) -> Verification:
    """Recomputes a record of one of `FORMATS`; see `verify`."""
    content = read_json(path, Limits())
    if kind in (SINGLE, LOGS) and type(content.get("version")) is int and content["version"] == 1:
        refuse(
            path,
            "is of version 1, which stored nothing that it could be recomputed from; make it again "
            "with this indist",
        )
    check_format(path, content, kind, _VERSIONS[kind])
    check_declared(path, content, _DECLARED[kind])
    files = check_files(path, content.get("files"))
    folder = observations if observations is not None else path.parent / STORED
    compared = compare_files(path, files, folder)
    found = list(compared.differences)
    recompute: Callable[[Path, dict[str, Any], Path], _Recomputed]
    recompute = {SINGLE: _single, LOGS: _logs, SCORES: _scores, COINS: _coins}[kind]
    try:
        again = recompute(path, content, folder)
    except (KeyError, TypeError, IndexError, AttributeError):
        # A field that is needed to begin with is of another type, or is not there.
        refuse(path, f"expected the fields of {kind}, version {_VERSIONS[kind]}, found others")
    equal: list[str] = []
    if submission is not None:
        if again.seen is None or kind in (SCORES, COINS):
            raise SubmissionError(
                f"{path}: a submission is compared with certificates and ranks only"
            )
        provenance = content["provenance"]
        word = {
            "method": provenance["method"],
            "seeds": provenance["seeds"].get("submission"),
            "parameters": provenance["parameters"].get("submission"),
        }
        equal, different = compare_submission(submission, word, again.seen)
        found += different
    # Through JSON, as the file went.
    fresh = json.loads(record_bytes(again.content))
    for field in ("files", *again.word):
        _drop(content, field)
        _drop(fresh, field)
    then = _versions(content)
    _versions(fresh)
    found += with_versions(differences("", content, fresh), then, again.versions)
    return Verification(
        path=path,
        differences=tuple(shortened(found)),
        recomputed=(*again.recomputed, *equal),
        unchanged=compared.unchanged,
        absent=compared.absent,
        declared=(*again.declared, f"versions ({listed(then)})"),
    )


def _versions(content: dict[str, Any]) -> dict[str, str]:
    """Takes the versions out of a record, wherever its kind has them."""
    return (content if "versions" in content else content["provenance"]).pop("versions")


def _drop(content: Any, field: str) -> None:
    """Takes a field out, its path with dots and ``*`` for every entry."""
    first, _, rest = field.partition(".")
    parts = list(content) if isinstance(content, list) else [content]
    if first == "*":
        parts = list(content.values()) if isinstance(content, dict) else parts
        for part in parts:
            _drop(part, rest)
        return
    for part in parts:
        if isinstance(part, dict) and first in part:
            if rest:
                _drop(part[first], rest)
            else:
                del part[first]


def _single(path: Path, content: dict[str, Any], folder: Path) -> _Recomputed:
    from audits.single._audit import audit_single
    from audits.single._record import record

    names = ("submission", "untraining", "unlearning")
    seen = stored(folder, names, path.name)
    confidence = content["confidence"]
    again = audit_single(
        seen["submission"],
        ObservedReferences(seen["untraining"], seen["unlearning"]),
        confidence=confidence,
    )
    fresh = record(again)
    if is_reduced(seen["submission"]):
        said = [text for text in WORDS_OF_REDUCTION if text in content["warnings"]]
        fresh["warnings"] = [*fresh["warnings"], *said]
    provenance = content["provenance"]
    scenario = provenance["scenario"] or "not known"
    fields = (
        "submission",
        "method",
        "scenario",
        "title",
        "sizes",
        "settings",
        "parameters",
        "seeds",
    )
    return _Recomputed(
        content=fresh,
        recomputed=(
            "findings, ranks and p-values against both references",
            "likelihood ratio, observables, examples, sentence and warnings",
            "digest of the observations of each population",
        ),
        declared=(
            _MADE_INDEPENDENTLY,
            f"name of the submission ({provenance['submission']}), its method "
            f"({provenance['method'] or 'not declared'}) and seeds",
            f"scenario ({scenario}) with its title, sizes and settings",
            "digests of parameters",
        ),
        word=tuple(f"provenance.{name}" for name in fields),
        versions=again.provenance.versions,
        seen=seen["submission"],
    )


def _logs(path: Path, content: dict[str, Any], folder: Path) -> _Recomputed:
    from audits.llm._audit import compare
    from audits.llm._record import FILE, record
    from audits.llm._stored import read_stored_logs

    if not (folder / FILE).exists():
        refuse(folder / FILE, f"not found; the examples' scores must lie beside {path.name}")
    logs = read_stored_logs(folder / FILE, Limits())
    again = compare(
        logs["submission"],
        untraining=logs["untraining"],
        unlearning=logs.get("unlearning", ()),
        metrics=[metric["metric"] for metric in content["comparisons"][0]["metrics"]],
        confidence=content["confidence"],
        cluster=content["cluster"],
        seed=content["seed"],
    )
    return _Recomputed(
        content=record(again),
        recomputed=(
            "fit, findings and p-values",
            "means, intervals and tests of every metric, PrivLeak, sentence and warnings",
            "digest of the scores of each log",
        ),
        declared=(
            _MADE_INDEPENDENTLY,
            "that the scores are what the logs held, at the paths named",
            "that the metrics were chosen beforehand",
        ),
        word=(),
        versions=again.versions,
    )


def _scores(path: Path, content: dict[str, Any], folder: Path) -> _Recomputed:
    from audits.scores._inputs import ScoreInputs
    from audits.scores._record import read_shown_by_models, record
    from audits.scores._scoreboard import scoreboard

    names = [name for name in POPULATIONS if name in content["models"]]
    seen = stored(folder, names, path.name)
    teachers, relearn = read_shown_by_models(folder, Limits())
    inputs = ScoreInputs(seen, content["seed"], teachers, relearn or None)
    fresh = record(scoreboard(content["submission"], inputs, content["confidence"]))
    return _Recomputed(
        content=fresh,
        recomputed=(
            "every score with its interval, null, ceiling and what it says",
            "digest of the observations of each population",
        ),
        declared=(
            _MADE_INDEPENDENTLY,
            f"name of the submission ({content['submission']}) and the command",
            *(["logits of random teachers"] if teachers is not None else []),
            *(["steps that models take to relearn"] if relearn else []),
        ),
        word=("submission", "command"),
        versions=fresh["versions"],
    )


def _coins(path: Path, content: dict[str, Any], folder: Path) -> _Recomputed:
    from audits.coins._again import again
    from audits.coins._record import record

    del folder
    try:
        found = again(content)
    except ValueError as error:
        refuse(path, str(error))
    fresh = record(found)
    return _Recomputed(
        content=fresh,
        recomputed=(
            "finding, bounds and p-values of every question, utility, sentences and warnings",
            *(["commitment, from the coins and settings that open it"] if found.design else []),
            "digest of the scores",
        ),
        declared=(
            "that the scores are of the models named, and where they are from "
            f"({found.scores.name}), read as named, and that no others were tried",
            *(
                [
                    "that coins were drawn fairly and once, and the commitment published before "
                    "training",
                    "that whoever trained kept what the report lists",
                ]
                if found.design
                else ["that the forget set and the hold-out set are exchangeable"]
            ),
        ),
        word=("scores.name", "baseline.name", "check.name"),
        versions=found.versions,
    )
