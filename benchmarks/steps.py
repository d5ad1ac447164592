"""What each step of the walk costs: the database's time, its items, and its statements."""

import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from rich.table import Table

from benchmarks.statements import Recorder
from core.memory import inbox, leases, outbox, outbox_ends, outbox_writes, recall

#: Where the walk finds its steps, and under which name.
_WRITES: tuple[tuple[str, ModuleType, str], ...] = (
    ("accept", inbox, "_accept"),
    ("recall", recall, "recall"),
    ("take", leases, "_take"),
    ("renew", leases, "_renew"),
    ("release", leases, "_release"),
    ("begin", outbox_writes, "begin"),
    ("progress", outbox_writes, "progress"),
    ("say", outbox_writes, "say"),
    ("record", outbox_writes, "record"),
    ("settle", outbox_ends, "settle"),
    ("end", outbox_ends, "end"),
    ("next", outbox, "next_work"),
)

Write = Callable[[Any, Any, Sequence[Any]], Awaitable[Sequence[Any]]]


class Steps:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.items: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.statements: Counter[str] = Counter()

    @contextmanager
    def watching(self) -> Iterator[None]:
        kept = [(module, name, getattr(module, name)) for _, module, name in _WRITES]
        for step, module, name in _WRITES:
            setattr(module, name, self._watched(step, getattr(module, name)))
        try:
            yield
        finally:
            for module, name, function in kept:
                setattr(module, name, function)

    def table(self, database: str) -> Table:
        shown = Table(title=f"{database}: what each step costs")
        for heading in ("step", "ms for one", "in one group", "statements for one group"):
            shown.add_column(heading, justify="left" if heading == "step" else "right")
        for step, count in self.items.most_common():
            calls = self.calls[step]
            statements = self.statements["read" if step == "recall" else step] / calls
            cost_ms = 1000 * self.seconds[step] / count
            shown.add_row(step, f"{cost_ms:.2f}", f"{count / calls:.1f}", f"{statements:.1f}")
        return shown

    def _watched(self, step: str, write: Write) -> Write:
        async def watched(database: Any, connection: Any, items: Sequence[Any]) -> Sequence[Any]:
            self._recorder.step, begin = step, time.perf_counter()
            try:
                return await write(database, connection, items)
            finally:
                self._recorder.step = ""
                self._add(step, time.perf_counter() - begin, len(items))

        return watched

    def _add(self, step: str, seconds: float, items: int) -> None:
        self.seconds[step] += seconds
        self.items[step] += items
        self.calls[step] += 1
