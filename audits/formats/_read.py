"""The formats by name, and what a file looks like."""

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import NamedTuple

from audits._reading import Limits, as_path, file_size, refuse, safetensors_header
from audits.formats import (
    _confidences,
    _corrective,
    _easydub,
    _onnx,
    _ruli,
    _safetensors,
    _state_dicts,
    _table,
)
from audits.formats._archives import is_zip, opened, read_member
from audits.formats._content import Content, described
from audits.formats._logits import NAME
from audits.formats._mapping import (
    Mapping,
    find_mapping,
    read_mapping,
)
from audits.formats._others import other_kind
from audits.formats._torch import SUFFIXES
from estimators.kinds import check_kind, check_name
from oracles import Observations


class Format(NamedTuple):
    """A format.

    Attributes:
        title: what it is, in one line.
        read: its reader: ``read(path, mapping, limits)``.
    """

    title: str
    read: Callable[[Path, Mapping, Limits], Content]


FORMATS: AnyMapping[str, Format] = {
    _table.KIND: Format("CSV or Parquet table of models and examples", _table.read),
    _confidences.KIND: Format(
        ".npz of the unlearning competition's evaluation, retrained_confs", _confidences.read
    ),
    _easydub.KIND: Format("EasyDUB folder of margins or logits", _easydub.read),
    _corrective.KIND: Format(
        "corrective unlearning benchmark, folders of preds_*.npy and targets*.npy",
        _corrective.read,
    ),
    _state_dicts.ZIP_KIND: Format(
        "competition zip of .pth checkpoints, any number [torch]", _state_dicts.read_zip
    ),
    _state_dicts.KIND: Format(
        ".pth or .pt state dicts, a file or a folder [torch]", _state_dicts.read
    ),
    _ruli.KIND: Format("RULI's .pth of shadow models' confidences [torch]", _ruli.read),
    _safetensors.KIND: Format(
        "safetensors of parameters, a file a model or stacked", _safetensors.read
    ),
    _onnx.KIND: Format("ONNX models, a file or a folder [onnx]", _onnx.read),
}
"""Every format by name, with what it is and its reader."""


# Files of which each is a population of its own, or a part of one.
_RESULTS = (".csv", ".npz", ".parquet", ".zip")


def read(
    path: Path | str,
    format: str | None = None,
    *,
    mapping: Mapping | Path | str | None = None,
    limits: Limits | None = None,
) -> Content:
    """Reads what somebody holds.

    Args:
        path: the file or folder.
        format: a name in `FORMATS`; found by `sniff` if left out.
        mapping: what the file leaves unsaid, or the JSON file of it; if left out, that which lies
            beside the file as ``NAME.map.json`` or in the folder as ``map.json``.
        limits: the most it may hold; `Limits` by default.

    Returns:
        Observations, or models that are yet to be run.

    Raises:
        SubmissionError: in one sentence that names the file, the field, what was found and what
            was expected.
        ValueError: when no format has that name.
    """
    where, limits = as_path(path), limits or Limits()
    if format is not None:
        check_name(format, "format", FORMATS)
    if mapping is not None:
        expected = "a Mapping or the path of its JSON file"
        check_kind(mapping, "mapping", (Mapping, str, Path), expected)
    _check_exists(where)
    if format is None and (told := other_kind(where)) is not None:
        refuse(where, told)
    kind = format or sniff(where)
    if kind is None:
        refuse(where, f"expected one of the formats {', '.join(FORMATS)}, found something else")
    if mapping is None:
        mapping = find_mapping(where, limits)
    elif not isinstance(mapping, Mapping):
        mapping = read_mapping(Path(mapping), limits)
    return _as_mapped(FORMATS[kind].read(where, mapping, limits), mapping)


def _as_mapped(content: Content, mapping: Mapping) -> Content:
    """With the persons and texts that a mapping lists with its probes."""
    listed = {probe.id: probe for probe in mapping.probes or ()}
    if not listed or not isinstance(content.seen, Observations):
        return content
    probes = [listed[str(name)] for name in content.seen.ids]
    said = [[getattr(probe, name) for probe in probes] for name in ("person", "text")]
    for name, held, values in zip(
        ("person", "text"), (content.seen.persons, content.seen.texts), said, strict=True
    ):
        if held is not None and any(values):
            refuse(
                mapping.file, f"field probes: expected no {name}, as the table has a column of them"
            )
    persons, texts = (values if any(values) else None for values in said)
    return described(content, persons, texts)


def sniff(path: Path | str) -> str | None:
    """The format that a file's or folder's content looks like, or None.

    Args:
        path: the file or folder.

    Returns:
        A name in `FORMATS`.

    Raises:
        SubmissionError: when there is nothing, or a zip or safetensors file that is damaged.
    """
    where = as_path(path)
    _check_exists(where)
    return _sniff_folder(where) if where.is_dir() else _sniff_file(where)


def _check_exists(path: Path) -> None:
    try:
        found = path.exists()
    except (OSError, ValueError) as error:
        refuse(path, f"cannot be read ({error})")
    if not found:
        refuse(path, "not found; expected a file or folder")


def _sniff_folder(path: Path) -> str | None:
    if (path / "forget_sets").is_dir() and any((path / n).is_dir() for n in _easydub.KINDS):
        return _easydub.KIND
    if _corrective.model_folders(path):
        return _corrective.KIND
    suffixes = {file.suffix for file in path.iterdir() if file.is_file()}
    kinds = {
        _state_dicts.KIND: not suffixes.isdisjoint(SUFFIXES),
        _safetensors.KIND: ".safetensors" in suffixes,
        _onnx.KIND: _onnx.SUFFIX in suffixes,
    }
    found = [kind for kind, there in kinds.items() if there]
    # Beside models there may be a mapping or words on them, but no results of other kinds.
    alone = len(found) == 1 and suffixes.isdisjoint(_RESULTS)
    return found[0] if alone else None


def _sniff_file(path: Path) -> str | None:
    file_size(path)
    if is_zip(path):
        with opened(path, path) as archive:
            names = archive.namelist()
            pickles = [name for name in names if name.endswith("/data.pkl")]
            if pickles:
                member = archive.getinfo(pickles[0])
                code = read_member(path, archive, member, Limits().header_bytes)
                ruli = all(name.encode() in code for name in _ruli.POPULATIONS)
                return _ruli.KIND if ruli else _state_dicts.KIND
        if any(name.endswith(SUFFIXES) for name in names):
            return _state_dicts.ZIP_KIND
        return _confidences.KIND if f"{_confidences.NAME}.npy" in names else None
    with path.open("rb") as file:
        start = file.read(9)
    if start[:4] == _table.PARQUET:
        return _table.KIND
    if start[8:] == b"{" and path.suffix == ".safetensors":
        # Logits without their manifest are nobody's parameters.
        return None if set(safetensors_header(path, Limits())) == {NAME} else _safetensors.KIND
    if path.suffix == _onnx.SUFFIX:
        return _onnx.KIND
    return _table.KIND if path.suffix in (".csv", ".parquet") else None
