"""Was a part sent already? The thread is read behind the question.

A message that says a part carries the part's own name in its metadata. Only a stream has none before it is stopped; one
that is in doubt never got a text, for nobody knew its handle. So an own message without metadata and text is it.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.calls import Calls, Errand
from adapters.slack.outbound import EVENT_TYPE, OPEN
from adapters.slack.refusals import Refused
from core.ports import Outgoing

_PAGE = 200
#: A thread in which more was said behind a question is not read to its end.
_MOST_PAGES = 10
_NOWHERE = frozenset({"thread_not_found", "message_not_found"})


@dataclass(frozen=True, slots=True)
class Found:
    handle: str
    #: `outbound.OPEN`, `WHOLE` or `LAST`.
    state: str
    #: The message itself says that it is the part.
    is_named: bool


async def find_part(calls: Calls, errand: Errand, part: Outgoing) -> Found | None:
    """Raises PlatformError."""
    unfinished = None
    async for message in _said_since(calls, errand, part):
        if not _is_own(message, errand):
            continue
        payload = _payload(message)
        if payload.get("part") == part.nonce:
            return Found(str(message["ts"]), str(payload.get("state", OPEN)), is_named=True)
        if not payload and not _says_anything(message):
            unfinished = Found(str(message["ts"]), OPEN, is_named=False)
    return unfinished


async def _said_since(calls: Calls, errand: Errand, part: Outgoing) -> AsyncIterator[Mapping[str, Any]]:
    key, asked = part.session_key, _ts(part.reply_to_id)
    arguments = {"channel": key.channel, "limit": _PAGE, "include_all_metadata": True}
    arguments |= {"ts": key.thread} if key.thread else {}
    arguments |= {"oldest": part.reply_to_id} if any(asked) else {}
    method = "conversations.replies" if key.thread else "conversations.history"
    for _ in range(_MOST_PAGES):
        try:
            answer = await calls.ask(errand, method, arguments)
        except Refused as refused:
            if refused.code in _NOWHERE:
                return
            raise
        for message in answer.get("messages", ()):
            if isinstance(message, dict) and _ts(message.get("ts")) > asked:
                yield message
        cursor = (answer.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return
        arguments["cursor"] = cursor


def _is_own(message: Mapping[str, Any], errand: Errand) -> bool:
    workspace = errand.workspace
    return (bool(workspace.bot_id) and message.get("bot_id") == workspace.bot_id) or (
        bool(workspace.bot_user_id) and message.get("user") == workspace.bot_user_id
    )


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return {}
    payload = metadata.get("event_payload")
    return payload if isinstance(payload, dict) else {}


def _says_anything(message: Mapping[str, Any]) -> bool:
    return bool(str(message.get("text") or "").strip() or message.get("files"))


def _ts(value: object) -> tuple[int, int]:
    """(0, 0) for what is no ts."""
    seconds, _, part = str(value).partition(".")
    return (int(seconds), int(part)) if seconds.isdecimal() and part.isdecimal() else (0, 0)
