"""What was said while nobody listened: fetched from Discord after each session that was no resumption of another one.

Every message goes through the same door as those that come live, and is known there if it came both ways. A mark moves
with each page that was kept, so whatever ends this process, it goes on where it was. What is older than `catch_up_s`
is passed over, but for the newest page, which is handed over at once and as late: the core answers a late message with
one note for each dialogue.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters.discord.gaps import Gap, Plan, Seen, asleep, plan
from adapters.discord.history import PAGE, History
from adapters.discord.keeping import Keeping, arrivals_of
from adapters.discord.lanes import MESSAGE, Event
from adapters.discord.ledger import DIRECT_GROUP, Ledger, direct_marks, mark_of
from adapters.discord.marks import Marks
from adapters.discord.places import DIRECT, Place
from adapters.discord.snowflakes import first_at, number_in
from adapters.discord.together import together
from adapters.discord.whereabouts import Whereabouts
from adapters.trouble import Pauses, Trouble
from core.errors import PlatformError, PlatformRefused, StorageError
from core.ports import Arrival

#: Marks that are written together.
_MARKS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class CatchUp:
    #: What is older gets no answer of its own.
    catch_up_s: float = 3600.0
    #: Channels that are fetched at once.
    at_once: int = 4
    pauses: Pauses = field(default_factory=Pauses)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Group:
    """Channels that are looked through together, as they were told of in a session."""

    shard: int
    session: int
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class _Task:
    gap: Gap
    #: See `Ledger.fall_behind`.
    number: int


class BackFill:
    """Of one account's receiver."""

    def __init__(
        self,
        ledger: Ledger,
        marks: Marks,
        history: History,
        whereabouts: Whereabouts,
        keeping: Keeping,
        options: CatchUp = CatchUp(),
    ) -> None:
        self._ledger = ledger
        self._marks = marks
        self._history = history
        self._whereabouts = whereabouts
        self._keeping = keeping
        self._options = options
        self._trouble = Trouble("discord", options.pauses)
        #: Group → what was told of it last, the oldest first.
        self._groups: OrderedDict[str, _Group] = OrderedDict()
        #: Channel → what is to be fetched.
        self._gaps: OrderedDict[str, _Task] = OrderedDict()
        self._more_groups, self._more_gaps = asyncio.Event(), asyncio.Event()
        self._are_marks_fresh = False
        self._has_begun = False
        #: What no server told of is still to be looked at.
        self._is_rest_due = False
        #: Groups that were not told of yet → their shards.
        self._awaited: dict[str, int] = {}
        #: Groups and channels that are being worked on.
        self._running = 0

    def begin(self, shard: int, groups: Iterable[str] = ()) -> None:
        """A session began that is no resumption: marks that other processes moved are read again.

        `groups` will be told of.
        """
        self._are_marks_fresh = False
        self._ledger.begin(shard)
        self._has_begun = self._is_rest_due = True
        self._awaited = {name: its for name, its in self._awaited.items() if its != shard} | dict.fromkeys(
            groups, shard
        )
        if shard == 0:  # direct messages come over no other
            self.look_through(DIRECT_GROUP, shard, ())

    def look_through(self, group: str, shard: int, seen: Sequence[Seen]) -> None:
        """A server, or the direct messages with those who are known."""
        self._ledger.close(group)
        self._awaited.pop(group, None)
        self._groups[group] = _Group(shard, self._ledger.session(shard), tuple(seen))
        self._more_groups.set()

    def leave(self, group: str) -> None:
        """The bot is in that server no more, or the server is away; then it is told of again."""
        self._ledger.close(group)
        self._awaited.pop(group, None)
        self._groups.pop(group, None)

    def fetch(self, place: Place) -> None:
        """Something of the channel is missing, while all else of it comes live."""
        after = self._ledger.marks.get(mark_of(place), int(place.id) - 1)
        self._put(Gap(place, after))

    def catch_up(self, place: Place) -> None:
        """A thread that was put away is there again; one without a mark was nobody's business."""
        mark = self._ledger.marks.get(mark_of(place))
        if mark is not None:
            self._put(Gap(place, mark))

    @property
    def is_idle(self) -> bool:
        is_due = self._is_rest_due or self._awaited or self._groups or self._gaps or self._running
        return self._has_begun and not is_due

    async def run(self) -> None:
        """Until it is cancelled."""
        await together(self._plan_all(), *(self._fill_all() for _ in range(self._options.at_once)))

    async def _plan_all(self) -> None:
        while True:
            while not self._groups:
                if self._is_rest_due and not self._awaited:
                    self._plan_rest()
                self._more_groups.clear()
                await self._more_groups.wait()
            name, group = self._groups.popitem(last=False)
            with self._working():
                try:
                    await self._plan(name, group)
                except StorageError as error:
                    self._groups.setdefault(name, group)
                    await self._keeping.paused(error)

    async def _plan(self, name: str, group: _Group) -> None:
        """Raises StorageError."""
        if not self._are_marks_fresh:
            self._are_marks_fresh = True
            try:
                self._ledger.learn(await self._marks.known())
            except StorageError:
                self._are_marks_fresh = False
                raise
        made = self._plan_of(name, group)
        for start in range(0, len(made.marks), _MARKS_AT_ONCE):
            batch = made.marks[start : start + _MARKS_AT_ONCE]
            await asyncio.gather(*(self._mark(place, mark) for place, mark in batch))
        if self._ledger.session(group.shard) != group.session or name in self._groups:
            return  # it was told of anew
        for gap in made.gaps:
            self._put(gap)
        self._ledger.open(name, group.shard)

    def _plan_rest(self) -> None:
        self._is_rest_due = False
        for gap in asleep(self._ledger.marks, lambda channel: self._whereabouts.servers.place(channel) is not None):
            if not self._ledger.is_behind(gap.place.id):
                self._put(gap)

    def _plan_of(self, name: str, group: _Group) -> Plan:
        if name != DIRECT_GROUP:
            return plan(group.seen, self._ledger.marks)
        known = direct_marks(self._ledger.marks)
        return Plan((), tuple(Gap(Place(channel, DIRECT), mark) for channel, mark in known.items()))

    async def _fill_all(self) -> None:
        while True:
            while not self._gaps:
                self._more_gaps.clear()
                await self._more_gaps.wait()
            channel, task = self._gaps.popitem(last=False)
            with self._working():
                try:
                    await self._fill(task.gap)
                    self._ledger.settle(channel, task.number)
                except StorageError as error:
                    self._gaps.setdefault(channel, task)
                    await self._keeping.paused(error)
                except PlatformError as error:
                    self._gaps.setdefault(channel, task)
                    await self._trouble.met("history", f"{error}; what was said meanwhile is asked for again")
                else:
                    self._keeping.passed()
                    self._trouble.passed()

    async def _fill(self, gap: Gap) -> None:
        """Raises PlatformError and StorageError; whatever was kept by then is marked."""
        try:
            place = await self._whereabouts.asleep(gap.place.id) if gap.is_asleep else gap.place
            if place is not None:
                await self._fill_from(place, max(gap.after, self._ledger.marks.get(mark_of(place), 0)))
        except PlatformRefused:
            reached = self._ledger.marks.get(mark_of(gap.place), 0)
            await self._mark(gap.place, max(gap.last, gap.after, reached))  # nobody will ever tell

    async def _fill_from(self, place: Place, after: int) -> None:
        old = first_at(self._options.now() - timedelta(seconds=self._options.catch_up_s))
        if after < old:
            after = await self._pass_over(place, after, old)
        while True:
            page = await self._history.after(place, after)
            newest = max((number_in(one, "id") for one in page), default=after)
            if newest > after:
                await self._keep(place, page, newest)
            if len(page) < PAGE or newest <= after:
                return
            after = newest

    async def _pass_over(self, place: Place, after: int, old: int) -> int:
        """What is too old for answers of its own. Gives where to go on."""
        page = [one for one in await self._history.before(place, old) if number_in(one, "id") > after]
        await self._keep(place, page, old - 1, is_late=True)
        return old - 1

    async def _keep(
        self, place: Place, page: Sequence[Mapping[str, object]], mark: int, *, is_late: bool = False
    ) -> None:
        arrivals = [arrival for one in page for arrival in await self._understood(one, place, is_late=is_late)]
        cursor = self._ledger.cursor_to(place, mark)
        await self._keeping.keep(arrivals, cursor)
        self._ledger.passed(cursor)

    async def _understood(self, message: Mapping[str, object], place: Place, *, is_late: bool) -> list[Arrival]:
        event = Event(MESSAGE, {**message, "channel_id": place.id})
        whole = self._whereabouts.known(event.data) or await self._whereabouts.place(event.data)
        return arrivals_of(self._whereabouts.happening(event, whole), is_late=is_late)

    async def _mark(self, place: Place, mark: int) -> None:
        cursor = self._ledger.cursor_to(place, mark)
        await self._keeping.keep([], cursor)
        self._ledger.passed(cursor)

    def _put(self, gap: Gap) -> None:
        self._gaps[gap.place.id] = _Task(gap, self._ledger.fall_behind(gap.place.id))
        self._more_gaps.set()

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
