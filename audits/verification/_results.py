"""What a verification found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audits.report._terminal import filled
from audits.report.numbers import counted

MOST = 20


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a verification found. `str` of it is the whole answer in plain text.

    Attributes:
        path: the file that was verified.
        differences: a sentence each; empty where everything that can be recomputed is equal.
        recomputed: what was recomputed, in words.
        unchanged: files beside it whose bytes have the digests that it names.
        absent: files that it names and that were not there to be compared.
        declared: what is the auditor's word alone, in words.
    """

    path: Path
    differences: tuple[str, ...]
    recomputed: tuple[str, ...]
    unchanged: tuple[str, ...]
    absent: tuple[str, ...]
    declared: tuple[str, ...]

    def __str__(self) -> str:
        if self.differences:
            return "\n".join(self.differences)
        parts = {
            "Recomputed, and equal": self.recomputed,
            "Files whose bytes have the digests that it gives": self.unchanged,
            "Named in it but not there, so not compared": self.absent,
            "Not recomputed, the auditor's word alone": self.declared,
        }
        texts = [
            filled(f"{name}: {'; '.join(part)}.", "- ") for name, part in parts.items() if part
        ]
        return "\n".join([f"{self.path}: no difference found", *texts])


def with_versions(numbers: list[str], then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Differences of numbers, before them the versions that computed them where those differ."""
    if not numbers or dict(then) == dict(now):
        return numbers
    return [f"versions: certified by {listed(then)}, recomputed by {listed(now)}", *numbers]


def shortened(differences: list[str]) -> list[str]:
    """At most `MOST` differences."""
    if len(differences) <= MOST:
        return differences
    return [*differences[:MOST], f"and {counted(len(differences) - MOST, 'more difference')}"]


def listed(versions: Mapping[str, str]) -> str:
    """Versions in a line."""
    return ", ".join(f"{name} {number}" for name, number in versions.items())
