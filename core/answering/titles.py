"""A thread that nobody named is named after the first question in it."""

import asyncio
import contextlib
import logging

from core.attachments import shown_name
from core.commands.command import Command, parse
from core.dialogue import Inbound, InboundMessage
from core.errors import PlatformError, PlatformRefused, StorageError
from core.memory.sessions import Session
from core.memory.store import Memory
from core.ports import Sender

logger = logging.getLogger(__name__)

_LIMIT_CHARS = 60
_TIMEOUT_S = 10.0


async def name_thread(memory: Memory, sender: Sender, session: Session, said: Inbound) -> None:
    """Once, where the platform asks for a name. What fails for now is left to the next question."""
    can = sender.capabilities(session.key).names_threads
    if not can or session.title or not isinstance(said, InboundMessage) or not said.wants_title:
        return
    title = title_of(said)
    if not title:
        return
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            with contextlib.suppress(PlatformRefused):  # it may not, and never will
                await sender.name_thread(session.key, title)
            await memory.set_title(session.id, title)
    except (PlatformError, StorageError, TimeoutError) as error:
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
