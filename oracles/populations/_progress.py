"""A progress bar on standard error, with models a second and time left."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich import progress as bar
from rich.console import Console
from rich.text import Text


class _Rate(bar.ProgressColumn):
    def render(self, task: bar.Task) -> Text:
        """Models a second, from the finished ones."""
        return Text(f"{task.speed:.1f} models/s" if task.speed else "compiling")


@contextmanager
def progress_bar(title: str, total: int, done: int = 0) -> Generator[Callable[[int], None]]:
    """Shows a bar while the block runs; in a log that is no terminal, one line at the end.

    Args:
        title: what is being made, in words.
        total: how many models there will be.
        done: how many there are already (a resumed run).

    Yields:
        A function to call with the number of models just finished.
    """
    console = Console(stderr=True)
    columns = (
        bar.TextColumn("{task.description}"),
        bar.BarColumn(),
        bar.MofNCompleteColumn(),
        _Rate(),
        bar.TimeRemainingColumn(),
    )
    with bar.Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total, completed=done)
        yield lambda count: progress.update(task, advance=count)
        finished = progress.tasks[0]
    made = total - done
    if made and not console.is_terminal and finished.elapsed:
        models = f"{made} model{'s' * (made > 1)}"
        console.print(f"{title}: {models}, {made / finished.elapsed:.1f} models/s")
