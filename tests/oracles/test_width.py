"""How many models a program holds: what was asked, what a folder says, what memory holds."""

from pathlib import Path

import pytest

from indist import oracles
from oracles.engines import block_width
from oracles.engines._blocks import bytes_of_block
from oracles.engines._width import _fitting, with_width  # pyright: ignore[reportPrivateUsage]
from oracles.populations._training import Training


def _task(scenario: oracles.Scenario) -> Training:
    return Training(scenario, "forget", "resampled", "s", 0, 1)


def test_a_width_asked_for_comes_first(circles: oracles.Scenario, tmp_path: Path) -> None:
    task = _task(circles)
    assert with_width(task, None, models=3).width == block_width(circles.learner.module)
    assert with_width(task, 3, models=3).width == 3
    oracles.train(circles, "forget", stream="s", models=2, seed=0, directory=tmp_path, width=2)
    assert with_width(task, None, models=9, directory=tmp_path).width == 2
    more = oracles.train(
        circles, "forget", stream="s", models=3, seed=0, directory=tmp_path, resume=True
    )
    assert more.recipe["width"] == 2
    assert with_width(task, 5, models=9, directory=tmp_path).width == 5
    assert with_width(task, None, models=9, directory=tmp_path / "none").width == task_width()


def task_width() -> int:
    return block_width(oracles.MLP((2,)))


def test_memory_grows_with_the_width(circles: oracles.Scenario) -> None:
    task = _task(circles)
    few, many = bytes_of_block(task, 4), bytes_of_block(task, 16)
    plan = circles.learner.steps * circles.learner.batch * 4
    assert few > 4 * plan
    assert 3 < many / few < 5


@pytest.mark.parametrize(
    ("limit", "width"), [(1e9, 1024), (1024.0 * 10 + 5, 1024), (5000.0, 256), (9.0, 1), (80.0, 4)]
)
def test_the_greatest_width_that_fits(limit: float, width: int) -> None:
    """Ten bytes a model and five for all."""
    asked: list[int] = []

    def size(width: int) -> int:
        asked.append(width)
        return 10 * width + 5

    assert _fitting(1024, size, limit) == width
    assert len(asked) <= 3
