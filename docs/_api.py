"""The reference: every public name of every public module, from `__all__` alone.

A page ``docs/api/MODULE.md`` holds one directive, ``.. public:: MODULE``, which shows all names of
that module. The build warns, and so fails, where a module has no page or a name no docstring.

Users reach the floors through `indist`, so they are shown by that path (``indist.estimators``).
"""

import ast
import dataclasses
import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

ROOTS = ("indist", "indist.studies", "indist.figures")
# What floors share, for developers: see docs/house.md.
TOOLS = (
    "estimators.checks",
    "estimators.kinds",
    "oracles.randomness",
    "oracles.storage.arrays",
    "oracles.storage.digests",
    "oracles.storage.files",
    "oracles.storage.locks",
    "oracles.storage.shards",
    "audits.report.numbers",
    "audits.report.palette",
)
PAGES = Path(__file__).parent / "api"
# Methods of private bases belong to the class; those of these do not, or are shown with them.
_MEMBERS = ["   :members:", "   :inherited-members: Result, BaseModel, Module, tuple, ValueError"]
_LOG = logging.getLogger(__name__)


def public_modules() -> dict[str, ModuleType]:
    """All public modules by the path that users know, each before those inside it."""
    found: dict[str, ModuleType] = {}

    def visit(path: str, module: ModuleType) -> None:
        if path not in found:
            found[path] = module
            for name in module.__all__:
                if isinstance(value := getattr(module, name), ModuleType):
                    visit(f"{path}.{name}", value)

    for root in (*ROOTS, *TOOLS):
        visit(root, importlib.import_module(root))
    return found


def kind_of(value: Any) -> str:
    """``module``, ``class``, ``function`` or ``data``."""
    if isinstance(value, ModuleType):
        return "module"
    if inspect.isclass(value):
        return "class"
    return "function" if inspect.isroutine(value) else "data"


def docstring(module: ModuleType, name: str) -> str:
    """What is written about a public name; empty where nothing is.

    A constant's docstring is the string below its assignment, wherever that is.
    """
    value = getattr(module, name)
    kind = kind_of(value)
    if kind == "data":
        return _constant(module, name)
    text = inspect.cleandoc(value.__doc__ or "")
    if kind == "class" and dataclasses.is_dataclass(value):
        # A dataclass without one is given its signature.
        return "" if text.startswith(f"{value.__name__}(") else text
    return text


def _constant(module: ModuleType, name: str) -> str:
    where = Path(module.__file__ or "")
    stub = where.with_suffix(".pyi")
    tree = ast.parse((stub if stub.exists() else where).read_text())
    for statement, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(statement, ast.ImportFrom) and statement.module:
            home = f"{module.__name__}.{statement.module}" if statement.level else statement.module
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return _constant(importlib.import_module(home), alias.name)
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return inspect.cleandoc(str(after.value.value))
    return ""


_ATTRIBUTES = re.compile(r"^Attributes:\n((?: {4,}.*(?:\n|$))+)", re.MULTILINE)


def attributes(text: str) -> dict[str, str]:
    """The entries of the section ``Attributes`` of a docstring, by name."""
    section = _ATTRIBUTES.search(inspect.cleandoc(text))
    entries = re.split(r"^(?= {4}\w+: )", section[1] if section else "", flags=re.MULTILINE)
    return {entry.split(":")[0].strip(): entry.rstrip() for entry in entries if entry}


def with_inherited(value: type, text: str) -> str:
    """The docstring of a class with those attributes that only its bases describe."""
    own, inherited = attributes(text), dict[str, str]()
    for base in reversed(value.__mro__[1:]):
        inherited |= attributes(base.__doc__ or "")
    more = [entry for name, entry in inherited.items() if name not in own]
    if not more:
        return text
    section = "\n".join(["Attributes:", *own.values(), *more])
    if own:
        return _ATTRIBUTES.sub(lambda _: f"{section}\n", text)
    later = re.compile(r"^(?=(?:Raises|Example|References):$)", re.MULTILINE)
    head, *rest = later.split(text, maxsplit=1)
    return "\n\n".join([head.rstrip(), section, *rest])


def undocumented(path: str, module: ModuleType) -> Iterator[str]:
    """Names of a module, and public methods of its classes, about which nothing is written."""
    if not module.__doc__:
        yield path
    for name in module.__all__:
        value = getattr(module, name)
        if not name.startswith("__") and not docstring(module, name):
            yield f"{path}.{name}"
        for member, method in vars(value).items() if inspect.isclass(value) else ():
            plain = isinstance(method, (FunctionType, classmethod, staticmethod, property))
            if plain and not member.startswith("_") and not inspect.getdoc(getattr(value, member)):
                yield f"{path}.{name}.{member}"


def problems(pages: Path = PAGES) -> Iterator[str]:
    """Why the reference is not complete, a sentence each."""
    for path, module in public_modules().items():
        page = pages / f"{path}.md"
        if not page.exists() or f".. public:: {path}\n" not in page.read_text():
            yield f"{page}: expected a page with the directive '.. public:: {path}'"
        for name in undocumented(path, module):
            yield f"{name}: expected a docstring, found none"


def shown(path: str) -> str:
    """The page of a module in reStructuredText: what it is, a line a name, then all about each."""
    module = public_modules()[path]
    names: dict[str, list[str]] = {"module": [], "function": [], "class": [], "data": []}
    for name in sorted(module.__all__, key=str.lower):
        names[kind_of(getattr(module, name))].append(name)
    lines = [f".. automodule:: {path}", "", ".. list-table::", "   :widths: auto", ""]
    for kind, name in ((kind, name) for kind, listed in names.items() for name in listed):
        where = f":doc:`{name} <{path}.{name}>`" if kind == "module" else f":py:obj:`{name}`"
        lines += [f"   * - {where}", f"     - {as_rst(docstring(module, name).split(chr(10))[0])}"]
    for kind, heading in (("function", "Functions"), ("class", "Classes"), ("data", "Constants")):
        lines += ["", f".. rubric:: {heading}"] if names[kind] else []
        for name in names[kind]:
            if kind == "data":
                text = as_rst(docstring(module, name)).split("\n")
                lines += ["", f".. py:data:: {name}", "", *(f"   {line}" for line in text)]
            else:
                lines += ["", f".. auto{kind}:: {path}.{name}"]
                lines += _MEMBERS if kind == "class" else []
    return "\n".join([*lines, ""])


_CODE = re.compile(r"(``.+?``|`[^`]+`|\$\$.+?\$\$|\$[^$]+\$)", re.DOTALL)
_STARS = re.compile(r"(?<![\w*])(\*{1,2})(?=[^\s*])[^*]*[^\s*]\1(?![\w*])|\*")


def as_rst(text: str) -> str:
    """A docstring of this house as reStructuredText.

    Formulas stand between dollars, tables are those of Markdown, and a bar or a star alone means
    itself. Examples are left as they are.
    """
    return "".join(_block(block) for block in re.split(r"(\n[ ]*\n)", text))


def _block(text: str) -> str:
    bare = text.strip()
    indent = " " * (len(text) - len(text.lstrip(" ")))
    if bare.startswith(">>>"):
        return text
    if bare.startswith("|") and bare.endswith("|"):
        rows = [line.strip().strip("|").split("|") for line in bare.split("\n")]
        table = [[_inline(cell.strip()) for cell in row] for row in [rows[0], *rows[2:]]]
        cells = [f"{'-' if i else '* -'} {cell}" for row in table for i, cell in enumerate(row)]
        shifted = [cell if cell.startswith("*") else f"  {cell}" for cell in cells]
        head = [".. list-table::", "   :header-rows: 1", "   :widths: auto", ""]
        return "\n".join(indent + line for line in [*head, *(f"   {cell}" for cell in shifted)])
    if bare.startswith("$$") and bare.endswith("$$") and bare.count("$$") == 2:
        return f"{indent}.. math::\n\n{indent}   {' '.join(bare[2:-2].split())}"
    return _inline(text)


def _inline(text: str) -> str:
    parts = _CODE.split(text)
    parts[::2] = [_STARS.sub(_star, part.replace("|", "\\|")) for part in parts[::2]]
    parts[1::2] = [
        f":math:`{' '.join(part.strip('$').split())}`" if part.startswith("$") else part
        for part in parts[1::2]
    ]
    return "".join(parts)


def _star(found: re.Match[str]) -> str:
    return found[0] if found[1] else "\\*"


class Public(SphinxDirective):
    """``.. public:: MODULE``: all public names of a module."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The page of the module, parsed."""
        return self.parse_text_to_nodes(shown(self.arguments[0]))


class Registry(SphinxDirective):
    """``.. registry:: MODULE.NAME FIELD``: the keys of a mapping, and that field of each value."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """The table, parsed."""
        path, _, name = self.arguments[0].rpartition(".")
        lines = [".. list-table::", "   :widths: auto", ""]
        for key, value in getattr(public_modules()[path], name).items():
            lines += [f"   * - ``{key}``", f"     - {_inline(getattr(value, self.arguments[1]))}"]
        return self.parse_text_to_nodes("\n".join([*lines, ""]))


class Results(SphinxDirective):
    """``.. results::``: each study of which there is a table below docs/results."""

    def run(self) -> list[nodes.Node]:
        """Question, answer, command and files of each, parsed."""
        lines: list[str] = []
        for path in sorted((PAGES.parent / "results").glob("*.json")):
            self.env.note_dependency(str(path))
            about = json.loads(path.read_text())
            files = (path.with_suffix(".csv"), path)
            links = ", ".join(f":download:`{f.name} </results/{f.name}>`" for f in files)
            lines += [f".. rubric:: {about['study']}", "", _inline(about.get("question", "")), ""]
            lines += [f"- {_inline(sentence)}" for sentence in about.get("answer", ())]
            lines += ["", f"``{about['command']}``: {links}", ""]
        return self.parse_text_to_nodes("\n".join(lines))


class Gallery(SphinxDirective):
    """``.. gallery::``: each figure of the paper that lies in docs/figures."""

    def run(self) -> list[nodes.Node]:
        """Name, title, picture and numbers of each, parsed."""
        lines: list[str] = []
        for name, figure in public_modules()["indist.figures"].FIGURES.items():
            lines += [f".. rubric:: {name}", "", _inline(figure.title), ""]
            if (PAGES.parent / "figures" / f"{name}-page.png").exists():
                lines += [f".. image:: /figures/{name}-page.png", f"   :alt: {name}", ""]
                lines += [f":download:`{name}.csv </figures/{name}.csv>`", ""]
        return self.parse_text_to_nodes("\n".join(lines))


def _check(app: Sphinx) -> None:
    for problem in problems():
        _LOG.warning(problem)


def _read(_app: Sphinx, kind: str, _name: str, value: Any, _options: Any, lines: list[str]) -> None:
    text = "\n".join(lines)
    lines[:] = as_rst(with_inherited(value, text) if kind == "class" else text).split("\n")


def _link(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.reference | None:
    """Private and short paths of public things lead to where they are shown."""
    if node["refdomain"] != "py":
        return None
    target = _paths().get(node["reftarget"], f"indist.{node['reftarget']}")
    domain = env.domains.python_domain
    if target not in domain.objects:
        return None
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", target, pending_xref(""), text
    )


def _code(app: Sphinx, document: nodes.document, name: str) -> None:
    """Public names in backticks on the pages lead to where they are shown.

    Dotted ones everywhere; bare ones of the module that a page names as ``names`` at its head.
    """
    domain = app.env.domains.python_domain
    module = app.env.metadata[name].get("names")
    for node in list(document.findall(nodes.literal)):
        text = node.astext()
        target = f"indist.{text}" if "." in text else f"{module}.{text}"
        linked = isinstance(node.parent, nodes.reference) or "xref" in node["classes"]
        if target in domain.objects and not linked:
            found = domain.resolve_xref(
                app.env, name, app.builder, "obj", target, pending_xref(""), node.deepcopy()
            )
            node.replace_self(found or node)


@cache
def _paths() -> dict[str, str]:
    """The public path of each public class and function by the path that it has itself."""
    return {
        f"{value.__module__}.{value.__qualname__}": f"{path}.{name}"
        for path, module in public_modules().items()
        for name in module.__all__
        if kind_of(value := getattr(module, name)) in ("class", "function")
    }


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers directive, check and links with Sphinx."""
    # autodoc imports by path, and the floors are behind indist's door.
    sys.modules.update(public_modules())
    for directive in (Public, Registry, Results, Gallery):
        app.add_directive(directive.__name__.lower(), directive)
    app.connect("builder-inited", _check)
    # Before napoleon, which reads the sections.
    app.connect("autodoc-process-docstring", _read, priority=400)
    app.connect("missing-reference", _link)
    app.connect("doctree-resolved", _code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
