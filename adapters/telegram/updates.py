"""Raw updates → arrivals. Each is parsed by itself: one that can't be understood is a dead letter, blocking nothing."""

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from telegram import Update

from adapters.telegram.account import TelegramAccount
from adapters.telegram.feedback import Opinions
from adapters.telegram.inbound import to_inbound
from adapters.telegram.places import key_of
from adapters.telegram.told import NotUnderstood
from core.dialogue import Inbound, InboundMessage, SessionKey
from core.ports import Arrival

#: What is asked for: what says something to the core. Reactions come only where they are asked for by name.
KINDS = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "callback_query",
    "message_reaction",
)
#: More than `int` reads without a limit of its own; no id of Telegram's is as long.
_DIGITS = 20
_ID = re.compile(rb'"update_id"\s*:\s*(\d{1,18})(?!\d)')
#: Of an update that nobody can take apart.
_KEPT_BYTES = 1 << 16
_UNNAMED = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What `getUpdates` gave."""

    #: The JSON of each update, in their order.
    updates: tuple[str, ...]
    #: Asked for next, it confirms them; None where none of them has an id.
    next_offset: int | None


def read_answer(body: bytes) -> Answer:
    """Raises ValueError where it can't be taken apart."""
    found = _read(body)
    given = found.get("result") if isinstance(found, Mapping) else None
    if not isinstance(given, list):
        raise ValueError("it holds no updates")
    ids = [update.get("update_id") for update in given if isinstance(update, Mapping)]
    known = [one for one in ids if isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 10**18]
    return Answer(tuple(map(_written, given)), max(known) + 1 if known else None)


def read_broken_answer(body: bytes) -> Answer:
    """Of one update that nobody can take apart: its beginning is kept. Raises ValueError where it has no id."""
    found = _ID.search(body)
    if found is None:
        raise ValueError("it holds no update")
    return Answer((body[:_KEPT_BYTES].decode("utf-8", "replace"),), int(found[1]) + 1)


@dataclass(frozen=True, slots=True)
class Understood:
    arrivals: tuple[Arrival, ...] = ()
    #: Of a press that waits for an answer; "" where it is none.
    query_id: str = ""


class Updates:
    """Of one account. It remembers the topics that wait for their first question, and nothing else."""

    def __init__(self, account: TelegramAccount, buttons: Opinions) -> None:
        self.account = account
        self._buttons = buttons
        self._unnamed: OrderedDict[SessionKey, None] = OrderedDict()

    def understand(self, raw: str) -> Understood:
        """Whatever is in it."""
        try:
            update = Update.de_json(_object(raw))
            inbound = to_inbound(update, self.account, self._buttons)
            self._remember_topic(update)
            return Understood(tuple(Arrival(raw, self._with_wish(one)) for one in inbound), _query_id(update))
        except NotUnderstood as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - the SDK meets what it does not expect with any error
            reason = type(error).__name__  # its words may be a person's
        return Understood((Arrival(raw, None, f"an update was not understood: {reason}"),))

    def _remember_topic(self, update: Update) -> None:
        """Telegram shows with the messages of a topic how it began; where it does not, it was said just before."""
        message = update.message
        if message is None or message.forum_topic_created is None or not message.forum_topic_created.is_name_implicit:
            return
        self._unnamed[key_of(message, self.account)] = None
        while len(self._unnamed) > _UNNAMED:
            self._unnamed.popitem(last=False)

    def _with_wish(self, inbound: Inbound) -> Inbound:
        if not isinstance(inbound, InboundMessage) or inbound.session_key not in self._unnamed:
            return inbound
        del self._unnamed[inbound.session_key]
        return replace(inbound, wants_title=True)


def _query_id(update: Update) -> str:
    query = update.callback_query
    return query.id if query is not None and isinstance(query.id, str) else ""


def _object(raw: str) -> dict[str, object]:
    found = _read(raw)
    if not isinstance(found, dict):
        raise NotUnderstood("it is no object")
    return found


def _read(raw: str | bytes) -> object:
    """Raises ValueError."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    try:
        return json.loads(text, parse_int=_number)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _written(update: object) -> str:
    """Raises ValueError."""
    try:
        return json.dumps(update, ensure_ascii=False)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS else digits
