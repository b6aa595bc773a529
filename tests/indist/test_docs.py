"""The reference shows every public name, and says where one has no docstring."""

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from indist import audits, estimators, oracles
from indist._cli._app import app
from tests.indist.helpers import DOCS, module_of

PAGES = [path for path in DOCS.rglob("*.md") if path.parent.name != "api"]
FLOORS = {"audits": audits, "estimators": estimators, "oracles": oracles}


@pytest.fixture(scope="module")
def api() -> Any:
    return module_of(DOCS / "_api.py", "docs_api")


def test_the_reference_is_complete(api: Any) -> None:
    assert list(api.problems()) == []


def test_every_public_name_is_on_its_page(api: Any) -> None:
    modules = api.public_modules()
    assert {"indist.audits.llm", "indist.estimators.scores", "indist.figures"} <= set(modules)
    for path, module in modules.items():
        page = api.shown(path)
        shown = re.findall(r"^\.\. (?:autoclass|autofunction|py:data):: (\S+)$", page, re.MULTILINE)
        links = re.findall(r":doc:`(\w+) <", page)
        assert sorted([name.split(".")[-1] for name in shown] + links) == sorted(module.__all__)


PLANTED = '''"""A module."""
from dataclasses import dataclass
from planted_private import FAR, NEAR
__all__ = ["FAR", "NEAR", "Kind", "Plain", "here", "silent"]
@dataclass
class Kind:
    width: int
class Plain:
    """A class."""
    def silent(self): ...
    def said(self):
        """A method."""
    @property
    def quiet(self): ...
def here():
    """A function."""
def silent(): ...
'''
PRIVATE = '''NEAR = 1
"""A constant."""
FAR = 2
'''


def test_what_is_not_documented_is_named(
    api: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planted.py").write_text(PLANTED)
    (tmp_path / "planted_private.py").write_text(PRIVATE)
    for name in ("planted_private", "planted"):
        module = module_of(tmp_path / f"{name}.py")
        monkeypatch.setitem(sys.modules, name, module)
    assert sorted(api.undocumented("x", sys.modules["planted"])) == [
        "x.FAR",
        "x.Kind",
        "x.Plain.quiet",
        "x.Plain.silent",
        "x.silent",
    ]


def test_attributes_that_only_a_base_describes_are_shown(api: Any) -> None:
    text = api.with_inherited(estimators.AUC, api.docstring(estimators, "AUC"))
    shown = api.attributes(text)
    assert {"estimate", "confidence_interval", "n_p", "warnings"} <= set(shown)
    assert "exact in level" in shown["confidence_interval"]
    assert text.count("confidence_interval: ") == text.count("Attributes:") == 1
    split = api.docstring(estimators, "DKW")
    assert api.attributes(split) == {}
    text = api.with_inherited(estimators.DKW, split)
    assert list(api.attributes(text)) == ["pools", "seed"]
    assert text.index("Attributes:") < text.index("Example:")


def test_a_module_without_a_page_is_named(api: Any, tmp_path: Path) -> None:
    (tmp_path / "indist.md").write_text("```{eval-rst}\n.. public:: indist\n```\n")
    missing = [problem for problem in api.problems(tmp_path) if "expected a page" in problem]
    assert len(missing) == len(api.public_modules()) - 1
    assert not any(f"'.. public:: {path}'" in missing[0] for path in ("indist",))


def test_commands_on_the_pages_are_understood() -> None:
    commands: Any = getattr(typer.main.get_command(app), "commands")  # noqa: B009
    seen = set[str]()
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
            for line in re.findall(r"^(?:\$ )?indist (.*)$", block, re.MULTILINE):
                name, *words = shlex.split(line, comments=True)
                if not name.startswith("-"):
                    commands[name].make_context(name, words)
                    seen.add(name)
    assert {"audit", "references", "unlearn", "verify", "certify", "memorize", "plan"} <= seen


def test_names_on_the_pages_exist() -> None:
    seen = set[str]()
    for page in PAGES:
        text = page.read_text()
        code = re.findall(r"```python\n(.*?)```|(?<!`)`([^`\n]+)`", text, re.DOTALL)
        for found in re.findall(r"(?<![\w./])(audits|estimators|oracles)((?:\.\w+)+)", str(code)):
            value: Any = FLOORS[found[0]]
            for name in found[1].strip(".").split("."):
                assert hasattr(value, name), f"{page}: {''.join(found)}"
                value = getattr(value, name)
            seen.add("".join(found))
    assert {"audits.audit", "oracles.references", "estimators.delta_upper_bound"} <= seen


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ("of |S| and $a|b$", r"of \|S\| and :math:`a|b`"),
        ("shape [n, *observables], *not* `a*b`", r"shape [n, \*observables], *not* `a*b`"),
        ("**knobs: of it", r"\*\*knobs: of it"),
        ("this\n\n$$a\nb$$\n\nthat", "this\n\n.. math::\n\n   a b\n\nthat"),
        (">>> print(*x)\n|a|", ">>> print(*x)\n|a|"),
        (
            "| a | b |\n|---|---|\n| `c` | d |",
            ".. list-table::\n   :header-rows: 1\n   :widths: auto\n\n"
            "   * - a\n     - b\n   * - `c`\n     - d",
        ),
    ],
)
def test_docstrings_become_restructuredtext(api: Any, written: str, parsed: str) -> None:
    assert api.as_rst(written) == parsed
