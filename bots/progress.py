"""Progress bars for long work, on the standard error stream; one plain line for each step where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from core.generation import progress as work


@contextmanager
def shown_progress(console: Console) -> Iterator[work.Progress]:
    """Gives the callback that long work reports to; the bars stay until the block ends."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        shown = _Bars(bars)
        yield shown
        shown.finish()


class _Bars:
    """One bar for each step; a step is done when the next one begins."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._step = ""

    def __call__(self, step: str, fraction: float | None, /) -> None:
        if step != self._step:
            self.finish()
            self._step = step
            self._bars.add_task(step, total=None)
        if fraction is not None:
            self._bars.update(self._bars.task_ids[-1], total=1.0, completed=fraction)

    def finish(self) -> None:
        """The step that is shown is done."""
        for task in self._bars.task_ids[-1:]:
            self._bars.update(task, total=1.0, completed=1.0)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = ""

    def __call__(self, step: str, _fraction: float | None, /) -> None:
        if step != self._step:
            self._step = step
            self._console.print(f"{step} …", markup=False, highlight=False)
