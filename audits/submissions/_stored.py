"""Observations that a result is stored with, so that it can be recomputed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from audits._reading import SubmissionError, refuse
from audits.submissions._submission import load
from oracles import Observations


def store(seen: Mapping[str, Observations], folder: Path) -> None:
    """Writes what was seen of each population to ``folder/NAME.safetensors`` and ``.json``.

    Texts of probes are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, observations in seen.items():
        # What the probes are is no number to recompute, and may be what was to be forgotten.
        replace(observations, texts=None).save(folder / name, name=name)


def stored(folder: Path, names: Iterable[str], record: str) -> dict[str, Observations]:
    """Reads what `store` wrote.

    Args:
        folder: the folder.
        names: of populations.
        record: the file that is recomputed from them, for messages.

    Raises:
        SubmissionError: when one is missing or damaged.
    """
    seen: dict[str, Observations] = {}
    for name in names:
        path = folder / f"{name}.safetensors"
        if not path.exists():
            refuse(
                path,
                f"not found; what was observed must lie beside {record}, in {folder.name}/, as it "
                "was written: it is what the numbers are recomputed from",
            )
        content = load(path).content
        if not isinstance(content, Observations):
            raise SubmissionError(f"{path}: expected observations")
        seen[name] = content
    return seen
