"""The door: lazy, honest about shadowing, and a wheel that holds exactly the four packages."""

import importlib
import inspect
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("indist", "estimators", "oracles", "audits")
HEAVY = {"jax", "flax", "optax", "matplotlib", "sklearn", "pandas", "scipy"}


def _python(code: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "code", "heavy"),
    [
        (None, 0, HEAVY),
        (["--help"], 0, HEAVY),
        (["study", "--help"], 0, HEAVY),
        (["certify"], 2, HEAVY),
        (["audit", "x", "-o", "y"], 2, HEAVY),
        (["study", "nothing", "-o", "y"], 2, HEAVY),
        (["coins", "draw", "missing.csv", "-o", "y"], 2, HEAVY),
        (["formats"], 0, HEAVY - {"scipy"}),
        (["verify", "missing.json"], 2, HEAVY - {"scipy"}),
    ],
)
def test_what_needs_no_computing_loads_nothing_heavy(
    words: list[str] | None, code: int, heavy: set[str]
) -> None:
    """Modules are counted, not seconds; None is the import alone."""
    run = "import indist; indist.__version__; dir(indist)"
    if words is not None:
        run = (
            "from typer.testing import CliRunner; from indist._cli._app import app\n"
            f"assert CliRunner().invoke(app, {words}).exit_code == {code}"
        )
    done = _python(f"{run}\nimport sys; print(sorted({heavy} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_floors_come_through_the_door() -> None:
    done = _python("from indist import estimators, oracles, audits; print(oracles.__name__)")
    assert done.stdout.strip() == "oracles", done.stderr


def test_floors_load_nothing_before_a_name_is_used() -> None:
    done = _python(
        "from indist import audits, estimators, oracles; import sys\n"
        f"print(sorted({HEAVY} & set(sys.modules)))"
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_unknown_names_are_refused() -> None:
    import indist

    with pytest.raises(AttributeError, match="module 'indist' has no attribute 'nothing'"):
        _ = indist.nothing  # pyright: ignore


def test_a_shadowing_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "audits").mkdir()
    (tmp_path / "audits" / "__init__.py").write_text("")
    done = _python("from indist import audits", cwd=tmp_path)
    assert "indist needs its own package 'audits', but Python found another" in done.stderr
    assert str(tmp_path) in done.stderr


@pytest.mark.parametrize("name", ["csv", "ast"])
def test_a_file_that_takes_the_place_of_pythons_own_is_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.py"
    file.write_text("from indist import audits\naudits.plan")
    done = subprocess.run(
        [sys.executable, file],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"{file} has the name of Python's own module '{name}', which indist needs: rename that"
    assert said in done.stderr
    assert "found another one" not in done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_and_documented(package: str) -> None:
    module = importlib.import_module(package)
    assert (Path(module.__file__ or "").parent / "py.typed").exists()
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing) or inspect.ismodule(thing):
            assert inspect.getdoc(thing), f"{package}.{name} has no docstring"


def test_the_wheel_holds_exactly_the_four_packages(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == set(PACKAGES)
    for package in PACKAGES:
        assert f"{package}/py.typed" in names
    for template in ("page", "blocks"):
        assert f"audits/report/templates/{template}.html.j2" in names
    assert "oracles/scenarios/_digits_memorization.npy" in names
    assert not [name for name in names if "__pycache__" in name]
