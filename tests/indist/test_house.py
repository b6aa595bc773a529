"""How the code hangs together: no circles, no private names across floors, rooms that stay rooms.

The layers between floors and rooms are import-linter's work (`make check`); it reads modules, not
the stubs that say what a lazy face hands on. Here they are counted too, and names beside modules.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parents[2]
FLOORS = ("estimators", "oracles", "audits", "indist")


class Import(NamedTuple):
    """One imported name: where, from which module, and the module that it is if it is one."""

    importer: str
    module: str
    name: str | None

    @property
    def place(self) -> str:
        return f"{self.importer}: from {self.module} import {self.name}"


def _modules() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()
FACES = {name for name, path in MODULES.items() if path.name == "__init__.py"}


def _imports(name: str) -> Iterator[Import]:
    """All that a module and its stub import, inside functions and for types alone included."""
    path = MODULES[name]
    files = [file for file in (path, path.with_suffix(".pyi")) if file.exists()]
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text()))):
        if isinstance(node, ast.Import):
            yield from (Import(name, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = (name,) if node.level else ()
            source = ".".join((*start, *filter(None, (node.module,))))
            yield from (Import(name, source, alias.name) for alias in node.names)


IMPORTS = [
    found for name in MODULES for found in _imports(name) if found.module.split(".")[0] in FLOORS
]


def _target(found: Import) -> str:
    """The module that an import needs: the one imported, or the one that holds the name."""
    if found.module == "indist" and found.name in FLOORS:
        return found.name  # Through the door, which names a folder that shadows a floor.
    whole = f"{found.module}.{found.name}"
    return whole if whole in MODULES else found.module


def _circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules each of which needs every other of its group."""
    names = sorted(edges)
    place = {name: k for k, name in enumerate(names)}
    pairs = [(place[a], place[b]) for a in names for b in edges[a]]
    rows, columns = zip(*pairs, strict=True)
    graph = csr_array((np.ones(len(pairs)), (rows, columns)), shape=(len(names), len(names)))
    parts, label = connected_components(graph, connection="strong")
    groups = [{name for name in names if label[place[name]] == part} for part in range(parts)]
    return [group for group in groups if len(group) > 1]


def test_no_module_needs_itself_faces_and_types_counted() -> None:
    edges: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in IMPORTS:
        if _target(found) != found.importer:
            edges[found.importer].add(_target(found))
    assert _circles(edges) == []


def test_a_circle_would_be_found() -> None:
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set[str]()}
    assert _circles(edges) == [{"a", "b", "c"}]


def test_no_module_imports_the_face_of_a_package_it_lies_in() -> None:
    inward = [
        found.place
        for found in IMPORTS
        if _target(found) in FACES
        and found.importer.startswith(f"{_target(found)}.")
        and MODULES[found.importer].name != "__init__.py"
    ]
    assert inward == []


def test_floors_share_public_names_alone() -> None:
    private = [
        found.place
        for found in IMPORTS
        if found.module.split(".")[0] != found.importer.split(".")[0]
        and any(part.startswith("_") for part in f"{found.module}.{found.name}".split(".")[1:])
        and found.name != "__version__"
    ]
    assert private == []


def test_what_floors_share_is_listed() -> None:
    """A name that another floor takes from a module is in that module's ``__all__``."""
    unlisted: list[str] = []
    for found in IMPORTS:
        across = found.module.split(".")[0] != found.importer.split(".")[0]
        if not across or found.module in FACES or found.name is None:
            continue
        tree = ast.parse(MODULES[found.module].read_text())
        listed = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "__all__"
        ]
        if not listed or found.name not in listed[0]:
            unlisted.append(found.place)
    assert unlisted == []


def test_few_files_lie_outside_the_rooms() -> None:
    assert len(list((ROOT / "audits").glob("*.py"))) <= 12


def test_every_room_says_what_it_holds() -> None:
    silent = [name for name in FACES if not ast.get_docstring(ast.parse(MODULES[name].read_text()))]
    assert silent == []
