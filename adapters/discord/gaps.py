"""Where something was said that nobody here heard, as a server tells when a session begins. Pure.

A channel without a mark is seen for the first time: it gets one, and what was said in it before is nobody's business.
But in a server that was known, a thread without one was made (or woken) since, and a channel that is younger than every
mark was made since: what was said there is fetched. They get their marks first, before the mark of any other channel
moves; otherwise a crash in between would make them look as if they had been there before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from adapters.discord.ledger import mark_of
from adapters.discord.permissions import Standing, may_read, standing_of
from adapters.discord.places import PUBLIC_THREAD, STAGE, VOICE, WRITTEN_IN, Place, place_in
from adapters.discord.snowflakes import first_at, moment, number_in
from adapters.payloads import NotUnderstood, found_in, list_in

#: A thread's first words may be older than its parent's mark by so much, where the process was killed just then.
_SLACK = timedelta(minutes=10)
#: Of threads that were put away: those in which something was said within so long before the last of all marks.
_ASLEEP_SINCE = timedelta(days=1)
_MOST_ASLEEP = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """A channel or a thread, as the server told of it."""

    place: Place
    #: Its newest message, 0 where there is none; it may have been deleted.
    last: int
    can_be_read: bool = True


@dataclass(frozen=True, slots=True)
class Gap:
    place: Place
    #: All that is newer than this is to be fetched.
    after: int
    #: Where the mark goes if Discord refuses to tell.
    last: int = 0
    #: No server told of it: it may be a thread that was put away.
    is_asleep: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    #: Written before anything else.
    marks: tuple[tuple[Place, int], ...]
    gaps: tuple[Gap, ...]


def seen_in(guild: Mapping[str, object], bot: str) -> list[Seen]:
    """Of what GUILD_CREATE tells; what can't be read is left out."""
    standing = standing_of(guild, bot)
    overwrites = {str(found_in(one, "id")): list_in(one, "permission_overwrites") for one in list_in(guild, "channels")}
    told = (*list_in(guild, "channels"), *list_in(guild, "threads"))
    return list(_seen(told, standing, overwrites))


def _seen(told: Sequence[object], standing: Standing, overwrites: Mapping[str, Sequence[object]]) -> Iterator[Seen]:
    for channel in told:
        try:
            place = place_in(channel, standing.guild)
        except NotUnderstood:
            continue
        exceptions = overwrites.get(place.parent if place.is_thread else place.id, ())
        can_be_read = may_read(standing, exceptions, is_voice=place.kind in (VOICE, STAGE))
        yield Seen(place, number_in(channel, "last_message_id"), can_be_read)


def asleep(marks: Mapping[str, int], is_told: Callable[[str], bool]) -> list[Gap]:
    """Channels with marks that no server told of, and in which something was said lately; the newest first.

    Whoever writes in a thread wakes it, and may put it away again before anybody here listens.
    """
    since = first_at(moment(max(marks.values(), default=0)) - _ASLEEP_SINCE)
    lately = [(mark, name) for name, mark in marks.items() if mark >= since and name.isdecimal() and not is_told(name)]
    found = sorted(lately, reverse=True)[:_MOST_ASLEEP]
    return [Gap(Place(name, PUBLIC_THREAD), mark, is_asleep=True) for mark, name in found]


def plan(seen: Sequence[Seen], marks: Mapping[str, int]) -> Plan:
    known = [marks[one.place.id] for one in seen if one.place.id in marks]
    newest = max(known, default=0)
    firsts: list[tuple[Place, int]] = []
    gaps: list[Gap] = []
    for one in seen:
        mark = marks.get(mark_of(one.place))
        after = mark if mark is not None else _floor(one, marks, newest)
        if not one.can_be_read:
            after = max(one.last, after)
        if mark is None or after > mark:
            firsts.append((one.place, after))
        if one.last > after and one.place.kind in WRITTEN_IN:
            gaps.append(Gap(one.place, after, one.last))
    return Plan(tuple(firsts), tuple(gaps))


def _floor(one: Seen, marks: Mapping[str, int], newest: int) -> int:
    """The mark of a channel that has none."""
    own = int(one.place.id)
    if one.place.is_thread and one.place.parent in marks:
        parent = marks[one.place.parent]
        return max(own - 1, first_at(moment(parent) - _SLACK)) if own < parent else min(own - 1, parent)
    if 0 < newest < own:
        return own - 1
    return max(one.last, own - 1)
