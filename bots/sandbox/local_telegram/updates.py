"""What the bot has not been told yet. Ids rise; an update stays until it is confirmed."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.chats import Place
from bots.sandbox.local_telegram.refusals import Refused

KINDS = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
)
#: They come only where they are asked for by name.
_UNASKED = {"message_reaction", "message_reaction_count", "chat_member"}
DEFAULT_KINDS = tuple(kind for kind in KINDS if kind not in _UNASKED)

_MOST_PENDING = 100_000
_MOST_REMEMBERED = 10_000

OTHER_POLL = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(frozen=True, slots=True)
class Update:
    id: int
    #: Updates of one place reach a webhook one after the other.
    place: Place
    kind: str
    payload: JsonObject

    def to_json(self) -> JsonObject:
        return {"update_id": self.id, self.kind: self.payload}


class Updates:
    """One bot's."""

    def __init__(self, changed: Callable[[], None], first_id: int = 1000) -> None:
        self.allowed: tuple[str, ...] = DEFAULT_KINDS
        self._changed = changed
        #: Told of every update that comes.
        self.came: Callable[[], None] = lambda: None
        self._next_id = first_id
        self._pending: dict[int, Update] = {}
        self._remembered: deque[Update] = deque(maxlen=_MOST_REMEMBERED)
        #: To be handed out once more by the next answer.
        self._again: list[Update] = []
        #: None wakes it because something came.
        self._poll: asyncio.Future[Refused | None] | None = None

    def __len__(self) -> int:
        return len(self._pending)

    def allow(self, kinds: Iterable[object]) -> None:
        """Of what comes from now on; none named means the default ones."""
        known = tuple(kind for kind in KINDS if kind in set(map(str, kinds)))
        self.allowed = known or DEFAULT_KINDS

    def add(self, kind: str, place: Place, payload: JsonObject) -> int:
        """Gives its id; 0 where the bot does not want to know."""
        if kind not in self.allowed:
            return 0
        if len(self._pending) >= _MOST_PENDING:
            raise Refused(500, "Internal Server Error: nobody takes the updates")
        update = Update(self._next_id, place, kind, payload)
        self._next_id += 1
        self._pending[update.id] = update
        self._remembered.append(update)
        self._changed()
        self._wake(None)
        self.came()
        return update.id

    def repeat(self, update_id: int) -> None:
        """It comes once more, though it was confirmed."""
        found = next((update for update in self._remembered if update.id == update_id), None)
        if found is None:
            raise Refused(400, "Bad Request: no such update")
        self._again.append(found)
        self._wake(None)
        self.came()

    def places(self) -> list[Place]:
        """Where something is owed."""
        return list(dict.fromkeys(update.place for update in [*self._again, *self._pending.values()]))

    def first_of(self, place: Place) -> Update | None:
        return next((update for update in [*self._again, *self._pending.values()] if update.place == place), None)

    def confirm(self, update: Update) -> None:
        if update in self._again:
            self._again.remove(update)
        else:
            self._pending.pop(update.id, None)
        self._changed()

    def drop(self) -> None:
        self._pending.clear()
        self._again.clear()

    async def poll(self, offset: int, limit: int, timeout_s: int) -> list[JsonObject]:
        """Confirms what is before the offset and gives what is there, or comes in time. Raises Refused (409)."""
        self._confirm_before(offset)
        if (found := self._take(limit)) or not timeout_s:
            return found
        self._wake(Refused(409, OTHER_POLL))
        poll = self._poll = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                reason = await poll
        except TimeoutError:
            return []
        finally:
            if self._poll is poll:
                self._poll = None
        if reason is not None:
            raise reason
        return self._take(limit)

    def end_poll(self, reason: Refused) -> None:
        """Whoever polls is answered this."""
        self._wake(reason)

    def _confirm_before(self, offset: int) -> None:
        if offset < 0:
            offset = ([0, *self._pending][offset:] or [0])[0] if -offset <= len(self._pending) else 0
        for update_id in [known for known in self._pending if known < offset]:
            del self._pending[update_id]
            self._changed()

    def _take(self, limit: int) -> list[JsonObject]:
        taken = [*self._again, *self._pending.values()][:limit]
        self._again = self._again[limit:]
        return [update.to_json() for update in taken]

    def _wake(self, reason: Refused | None) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(reason)
        self._poll = None
