"""The names of people: Slack's events tell ids alone.

They are asked for once in a while and remembered. Nobody waits long for a name: what is not known in time is asked for
all the same, and known the next time; until then the id stands for it.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from adapters.slack.texts import mentioned_in
from adapters.slack.workspaces import Workspace
from core.errors import BanterError

_MINUTE_S = 60.0


class Directory(Protocol):
    """Slack's `users.info`."""

    async def user(self, workspace: Workspace, user_id: str) -> Mapping[str, object]:
        """Raises PlatformError."""
        ...


@dataclass(frozen=True, slots=True)
class PeopleLimits:
    #: Nobody waits longer for names.
    wait_s: float = 1.0
    #: A question ends by then.
    ask_s: float = 10.0
    #: People change their names now and then.
    known_s: float = 3600.0
    #: After this, who was not found is asked for again.
    unknown_s: float = 60.0
    names: int = 10_000
    #: At once.
    questions: int = 20
    #: In one workspace, where Slack answers about a hundred; the sender asks as well.
    per_minute: int = 60
    #: Of one event.
    people: int = 20


class People:
    def __init__(
        self, directory: Directory, limits: PeopleLimits = PeopleLimits(), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._directory = directory
        self._limits = limits
        self._clock = clock
        #: Workspace and user → name, "" where it is not known, and until when that counts; the least used first.
        self._names: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}
        #: Workspace → when somebody was asked for, within the last minute.
        self._asked: dict[str, deque[float]] = {}

    async def names(self, workspace: Workspace, ids: Iterable[str]) -> Mapping[str, str]:
        """Those that are known by then. Raises nothing."""
        wanted = list(dict.fromkeys(ids))[: self._limits.people]
        asked = [task for user in wanted if (task := self._ask(workspace, user)) is not None]
        if asked:
            await asyncio.wait(asked, timeout=self._limits.wait_s)
        known = {user: self._names.get((workspace.id, user), ("", 0.0))[0] for user in wanted}
        return {user: name for user, name in known.items() if name}

    async def aclose(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ask(self, workspace: Workspace, user: str) -> asyncio.Task[None] | None:
        """None where it is known, or can't be asked now."""
        who = (workspace.id, user)
        if who in self._names and self._names[who][1] > self._clock():
            self._names.move_to_end(who)
            return None
        if who not in self._asking and len(self._asking) < self._limits.questions and self._may_ask(workspace):
            self._asking[who] = asyncio.create_task(self._learn(workspace, user))
        return self._asking.get(who)

    def _may_ask(self, workspace: Workspace) -> bool:
        now, asked = self._clock(), self._asked.setdefault(workspace.id, deque())
        while asked and now - asked[0] >= _MINUTE_S:
            asked.popleft()
        if len(asked) >= self._limits.per_minute:
            return False
        asked.append(now)
        return True

    async def _learn(self, workspace: Workspace, user: str) -> None:
        who = (workspace.id, user)
        try:
            async with asyncio.timeout(self._limits.ask_s):
                name = name_of(await self._directory.user(workspace, user))
        except (BanterError, TimeoutError):
            name = self._names.get(who, ("", 0.0))[0]  # an old name is better than none
            self._keep(who, name, self._limits.unknown_s)
        else:
            self._keep(who, name, self._limits.known_s if name else self._limits.unknown_s)
        finally:
            del self._asking[who]

    def _keep(self, who: tuple[str, str], name: str, for_s: float) -> None:
        self._names[who] = name, self._clock() + for_s
        self._names.move_to_end(who)
        while len(self._names) > self._limits.names:
            self._names.popitem(last=False)


def people_in(body: Mapping[str, object]) -> list[str]:
    """The ids of those whose names an event needs: whoever it is about first, then whom its text names."""
    event = _fields(body.get("event"))
    message = _fields(event.get("message"))
    told = [one for one in (event.get("text"), message.get("text")) if isinstance(one, str)]
    authors = [one for one in (event.get("user"), message.get("user")) if isinstance(one, str) and one]
    return [*authors, *sorted(set().union(*map(mentioned_in, told)))]


def name_of(user: Mapping[str, object]) -> str:
    """As people see it; "" where there is none."""
    profile = _fields(user.get("profile"))
    told = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return next((name for name in told if isinstance(name, str) and name), "")


def _fields(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
