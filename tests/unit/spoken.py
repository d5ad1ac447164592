"""Messages as the tests of the policy need them: somebody says something somewhere."""

from dataclasses import replace
from datetime import UTC, datetime

from core.dialogue import Called, Inbound, InboundMessage, Person, Platform, SessionKey, TurnState
from core.memory.leased import WaitingMessage

GUILD = SessionKey(Platform.DISCORD, "banter", "guild", "general")
THREAD = replace(GUILD, thread="t1")
DM = SessionKey(Platform.DISCORD, "banter", "", "dm-anna")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def person(name: str = "anna", workspace: str = "guild") -> Person:
    return Person(Platform.DISCORD, workspace, name, name.title())


def said(
    text: str = "hello",
    key: SessionKey = GUILD,
    by: str = "anna",
    called: Called = Called(),  # noqa: B008
    roles: frozenset[str] = frozenset(),
) -> InboundMessage:
    speaker = replace(person(by, key.workspace), platform=key.platform)
    return InboundMessage(key, speaker, "m1", text, NOON, called, roles)


def waiting(inbound: Inbound, row: int = 1, at: datetime = NOON) -> WaitingMessage:
    return WaitingMessage(row, TurnState.WAITING, 0, at, at, None, inbound)
