"""What a file is, where it is whole and yet no submission that a reader here turns into one."""

from pathlib import Path

from audits._reading import Limits, safetensors_header
from audits.formats._archives import is_zip, opened
from audits.formats._logits import NAME

_MANIFESTS = {"manifest.json": "a population", "references.json": "references"}
_MUSE = {
    "verbmem_?/log.json": "the generated answers of one metric",
    "knowmem_?/log.json": "the generated answers of one metric",
    "privleak/log.json": "its membership scores",
    "history.json": "the generated answers of one metric",
    "agg.json": "means of one metric over its examples",
    "auc.json": "the AUCs of its membership attacks",
}
_LOGS = ("_EVAL.json", "_SUMMARY.json", "eval_log_aggregated.json", "eval_log_forget.json")
_PUBLISHED = {
    "tr_idx": "read_influence_pairs",
    "tr_mem": "read_memorization",
    "memorization": "read_memorization",
    "infl_matrix_class": "read_class_influence",
}


def other_kind(path: Path) -> str | None:
    """What a file or folder is that no format of strangers' submissions names, in words, or None.

    Args:
        path: the file or folder, which exists.

    Returns:
        A sentence without its subject.

    Raises:
        SubmissionError: when a zip or safetensors file is damaged.
    """
    if path.is_dir():
        held = [kind for name, kind in _MANIFESTS.items() if (path / name).exists()]
        if not held:
            return None
        return f"is a folder of indist's own, {held[-1]}, and indist audit takes it as it is"
    if (told := _log(path)) is not None:
        return told
    names = _names(path)
    if names == {NAME}:
        beside = path.with_suffix(".json")
        if beside.exists():
            return "is an observation array of indist's own, and indist audit takes it as it is"
        return (
            f"holds {NAME} as an observation array of indist's own does: expected its manifest "
            f"{beside.name} beside it, found none"
        )
    readers = (found for start, found in _PUBLISHED.items() if _any_starts(names, start))
    reader = next(readers, None)
    if reader is None:
        return None
    return (
        f"holds scores of examples as Feldman and Zhang published them, and no models: audits."
        f"{reader} reads it"
        + ("" if reader == "read_class_influence" else ", and indist ingest makes a table of it")
    )


def part_of_muse(path: Path) -> str | None:
    """What part of MUSE's log of a model a file is by its name, or None."""
    return next((what for name, what in _MUSE.items() if path.match(name)), None)


def _log(path: Path) -> str | None:
    part = part_of_muse(path)
    if part is not None:
        return (
            f"is by its name one file of MUSE's log of a language model, {part}; "
            "expected the folder of that model: indist audit FOLDER --untraining FOLDERS"
        )
    if path.name.endswith(_LOGS):
        return (
            "is by its name a log of a language model, which is compared with other logs: "
            "indist audit LOG --untraining LOGS"
        )
    return None


def _any_starts(names: set[str], start: str) -> bool:
    # The matrices of classes are numbered, all other names are whole.
    return start in names or (start.endswith("class") and any(k.startswith(start) for k in names))


def _names(path: Path) -> set[str]:
    """Names of the arrays of a ``.npz`` or ``.safetensors`` file."""
    if is_zip(path):
        with opened(path, path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    if path.suffix == ".safetensors":
        return set(safetensors_header(path, Limits()))
    return set()
