"""Settings of a wrong kind end in one sentence, for every study and every setting.

In a process of their own: the tests' checks of types would refuse them first.
"""

import json
import re
import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest

from indist import studies
from tests.indist.helpers import run

_ALL = """
import json, sys
from dataclasses import fields
from typing import get_origin
from indist import studies

found = {}
for name, kind in studies.STUDIES.items():
    for field in fields(kind):
        wrong = {"text": "algorithms.csv", "truth": True, "nothing": None, "mapping": {}}
        if field.type is int:
            wrong |= {"fraction": 1.5, "several": (1, 2)}
        if field.type is float:
            wrong |= {"several": (0.5,)}
        if field.type in (str, str | int):
            del wrong["text"]
        if get_origin(field.type) is tuple:
            wrong |= {"one": 3, "texts": ("x", None), "truths": (True,), "rows": ((1,),)}
        for what, value in wrong.items():
            try:
                found[f"{name}/{field.name}/{what}"] = f"gives {kind(**{field.name: value})}"
            except Exception as error:
                found[f"{name}/{field.name}/{what}"] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""

_COMMAND = "from indist._cli import main; main()"


def of_python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)


def test_every_setting_of_every_study_is_of_its_kind() -> None:
    done = of_python("-c", _ALL)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    kinds: dict[str, type[Any]] = dict(studies.STUDIES)
    settings = {f"{name}/{field.name}" for name, kind in kinds.items() for field in fields(kind)}
    assert settings == {case.rpartition("/")[0] for case in found}
    sentence = r"ValueError: study {}: {}: expected .*, found .*"
    wrong = {
        case: said
        for case, said in found.items()
        if not re.fullmatch(sentence.format(*case.split("/")[:2]), said)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("study", "coins", "--set", "population=algorithms.csv"),
            "study coins: population: expected a whole number, found 'algorithms.csv'",
        ),
        (
            ("study", "coins", "--set", "models=x"),
            "study coins: models: expected a whole number, found 'x'",
        ),
        (
            ("study", "coins", "--set", "sizes=1,x"),
            "study coins: sizes: expected whole numbers, separated by commas, found (1, 'x')",
        ),
        (
            ("study", "score-nulls", "--set", "sizes=64,1.5"),
            "study score-nulls: sizes: expected whole numbers, separated by commas, found (64, 1.5",
        ),
        (
            ("study", "claims", "--set", "tolerance=true"),
            "study claims: tolerance: expected a number, found True",
        ),
        (
            ("study", "seeds", "--set", "seed=x"),
            "study seeds: seed: expected an integer in",
        ),
        (
            ("references", "digits-random-labels", "--set", "wrong=x"),
            "digits-random-labels: wrong: expected a number in [0.005, 0.5], found 'x'",
        ),
    ],
)
def test_the_command_says_so_and_writes_nothing(
    words: tuple[str, ...], message: str, tmp_path: Any
) -> None:
    folder = tmp_path / "study"
    done = of_python("-c", _COMMAND, *words, "-o", str(folder))
    assert done.returncode == 2, done.stderr
    assert message in " ".join(done.stderr.split())
    assert not folder.exists()


def test_several_values_stand_with_commas(tmp_path: Any) -> None:
    done = run("study", "coins", "--set", "sizes=11,12", "-o", tmp_path / "study")
    assert done.exit_code == 2
    said = " ".join(done.output.split())
    assert "sizes: expected one of at most 10 models, found (11, 12)" in said
