"""Writes a page for each unlearner and each scenario, from its docstring and the study's table.

    python docs/pages.py

The numbers are those of docs/results/algorithms.csv, which ``indist study algorithms`` made: see
docs/results/algorithms.json for the command and the versions.
"""

import inspect
import re
from pathlib import Path
from typing import Any

import pandas as pd

import oracles
from indist.studies._shown import shown_interval
from indist.studies.algorithms._algorithms import GROUP_HEADINGS, Distance

DOCS = Path(__file__).parent
RESULTS = DOCS / "results" / "algorithms.csv"
_SECTION = re.compile(r"^(Attributes|Args|Raises|Example|References):\n", re.MULTILINE)
_SETTING = re.compile(r"^ {4}(\w+): ", re.MULTILINE)
_HEADINGS = ("to T = A(D∖S)", "to A(D∖B)", "verdict", *GROUP_HEADINGS.values(), "ms")
_LEGEND = (
    "Distances are hockey-stick divergences at ε = 1 over half-lines of the median margins, "
    "estimate and bounds, by which the verdict has 95 % confidence as a whole; S to test are the "
    "shares of probes given their label, in %; ms is milliseconds a model on two CPU cores that "
    "other work shared, compilation apart. Methods that belong to a learner of their own are "
    "compared with references of that learner."
)


def pages(results: pd.DataFrame) -> dict[str, str]:
    """All pages by path below docs/."""
    found: dict[str, str] = {}
    for name, kind in oracles.unlearners.UNLEARNERS.items():
        part = results[results["method"] == name]
        found[f"unlearners/{name}.md"] = _page(
            name,
            kind,
            f"indist unlearn SCENARIO --method {name} -o DIR",
            "## What the audit found",
            _table(part, "scenario", "scenarios"),
            _left_out(part, "scenario"),
            _learner(kind),
        )
    for name, kind in oracles.scenarios.SCENARIOS.items():
        part = results[results["scenario"] == name]
        scenario = oracles.scenarios.load(name, seed=0)
        sizes = ", ".join(f"{count:,} {what}" for what, count in scenario.sizes.items())
        about = ", ".join(
            f"{key} `{_tidy(value)}`" for key, value in scenario.learner.description.items()
        )
        found[f"scenarios/{name}.md"] = _page(
            name,
            kind,
            f"indist references {name} -o DIR --models 256",
            "## Every unlearner in it",
            _table(part, "method", "unlearners"),
            _left_out(part, "method"),
            f"The behaviour B: {scenario.title}. Sizes at the defaults: {sizes}. Learner: {about}.",
        )
    for folder, title in (("unlearners", "Unlearners"), ("scenarios", "Scenarios")):
        kinds = getattr(getattr(oracles, folder), folder.upper())
        lines = [
            f"- [{name}]({name}.md): {_plain((inspect.getdoc(kind) or '').splitlines()[0])}"
            for name, kind in kinds.items()
        ]
        found[f"{folder}/README.md"] = "\n".join([f"# {title}", "", *lines, ""])
    return found


def _page(
    name: str, kind: Any, command: str, heading: str, table: str, left_out: str, about: str
) -> str:
    body, settings = _docstring(kind)
    parts = [f"# {name}", body]
    if about:
        parts.append(about)
    parts.append(f"```console\n{command}\n```")
    if settings:
        parts += ["## Settings", settings]
    if table:
        parts += [heading, _LEGEND, table]
    if left_out:
        parts.append(left_out)
    return "\n\n".join(parts) + "\n"


def _learner(kind: Any) -> str:
    learner = getattr(kind, "learner", None)
    if learner is None:
        return ""
    return f"It unlearns from models of the learner `{learner}`: add `--learner {learner}`."


def _docstring(kind: Any) -> tuple[str, str]:
    """The text before the first section, and the settings as a table."""
    parts = _SECTION.split(inspect.getdoc(kind) or "")
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        found = _SECTION.split(inspect.cleandoc(base.__doc__ or ""))
        sections = dict(zip(found[1::2], found[2::2], strict=True))
        entries = _SETTING.split(sections.get("Attributes", ""))[1:]
        meanings |= dict(zip(entries[::2], entries[1::2], strict=True))
    rows = []
    for setting in inspect.signature(kind).parameters.values():
        default = "" if setting.default is setting.empty else f"`{setting.default}`"
        meaning = " ".join(_plain(meanings.get(setting.name, "")).split())
        rows.append(f"| `{setting.name}` | {default} | {meaning.replace('|', chr(92) + '|')} |")
    table = "\n".join(["| setting | default | |", "|---|---|---|", *rows]) if rows else ""
    return _plain(parts[0]).strip(), table


def _tidy(value: Any) -> str:
    return str(value).replace(" # attributes ", "").replace(" )", ")")


def _plain(text: str) -> str:
    return text.replace("``", "`")


def _table(part: pd.DataFrame, key: str, folder: str) -> str:
    rows = []
    for row in part[part["verdict"].notna()].to_dict("records"):
        distances = [
            shown_interval(*(row[f"{number}_to_{reference}"] for number in Distance._fields))
            for reference in "TB"
        ]
        shares = [row[f"{group}_submission"] for group in GROUP_HEADINGS]
        said = ["" if share != share else f"{100 * share:.0f}" for share in shares]
        name = row[key]
        link = name if name in oracles.ORACLES else f"[{name}](../{folder}/{name}.md)"
        time = f"{1000 * row['seconds_a_model']:.0f}"
        rows.append(" | ".join(["", link, *distances, row["verdict"], *said, time, ""]).strip())
    if not rows:
        return ""
    head = " | ".join(["", key, *_HEADINGS, ""]).strip()
    return "\n".join([head, "|" + "---|" * (len(_HEADINGS) + 1), *rows])


def _left_out(part: pd.DataFrame, key: str) -> str:
    rows = part[part["not_applicable"].notna()]
    pairs = zip(rows[key], rows["not_applicable"], strict=True)
    return "\n".join(f"- Not in {name}: {why}." for name, why in pairs)


def write(results: Path = RESULTS, docs: Path = DOCS) -> None:
    """Writes all pages, and removes those of what is no longer there."""
    found = pages(pd.read_csv(results))
    for folder in ("unlearners", "scenarios"):
        for old in (docs / folder).glob("*.md"):
            if f"{folder}/{old.name}" not in found:
                old.unlink()
    for path, text in found.items():
        (docs / path).parent.mkdir(parents=True, exist_ok=True)
        (docs / path).write_text(text)


if __name__ == "__main__":
    write()
