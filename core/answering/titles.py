"""A thread that nobody named is named after the first question in it."""

import asyncio
import logging

from core.attachments import shown_name
from core.commands.command import Command, parse
from core.dialogue import Inbound, InboundMessage, SessionKey
from core.errors import PlatformError
from core.ports import Sender

logger = logging.getLogger(__name__)

_LIMIT_CHARS = 60
_TIMEOUT_S = 10.0


async def name_thread(key: SessionKey, sender: Sender, said: Inbound) -> None:
    """Where the platform asks for a name. A thread that keeps its name for now is no reason to keep anybody waiting."""
    if not isinstance(said, InboundMessage) or not said.wants_title or not sender.capabilities(key).names_threads:
        return
    title = title_of(said)
    if not title:
        return
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await sender.name_thread(key, title)
    except (PlatformError, TimeoutError) as error:
        logger.info("a thread was not named: %s", type(error).__name__, extra={"action": "name_thread"})


def title_of(said: InboundMessage) -> str:
    """The question's first line, cut at a word; "" for a command."""
    text = parse(said.text)
    if isinstance(text, Command):
        return ""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not line and said.attachments:
        line = shown_name(said.attachments[0])
    if len(line) <= _LIMIT_CHARS:
        return line
    cut = line[: _LIMIT_CHARS - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[_LIMIT_CHARS // 2 :] else cut}…"
