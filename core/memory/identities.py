"""Who is meant: a person as an operator names them, and everything that is the same human's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Platform, SessionKey
from core.errors import SettingsError
from core.memory.tables import PersonRow


@dataclass(frozen=True, slots=True)
class Identity:
    """One account of somebody on a platform."""

    platform: Platform
    #: The platform's own id.
    platform_id: str
    #: None is every workspace.
    workspace: str | None = None

    def is_at(self, key: SessionKey) -> bool:
        """Whether a dialogue there is theirs alone."""
        of_them = (key.platform, key.person) == (self.platform, self.platform_id)
        return of_them and self.workspace in (None, key.workspace)

    def __str__(self) -> str:
        parts = (self.platform.value, self.workspace, self.platform_id)
        return "/".join(part for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Human:
    """All that is known to be one person's."""

    #: Rows of `people`.
    ids: tuple[int, ...]
    accounts: tuple[Identity, ...]
    names: frozenset[str]

    def is_named_in(self, text: str) -> bool:
        """Whether one of their ids or names stands in it, as a word of its own."""
        words = {account.platform_id for account in self.accounts} | {name for name in self.names if len(name) > 2}
        return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words if word)


def parse_identity(text: str) -> Identity:
    """PLATFORM/ID or PLATFORM/WORKSPACE/ID. Raises SettingsError."""
    platform, *rest = text.split("/")
    known = [one.value for one in Platform]
    if platform not in known or len(rest) not in (1, 2) or not rest[-1]:
        raise SettingsError(
            f"{text!r} names nobody; write PLATFORM/ID or PLATFORM/WORKSPACE/ID, with a platform of {', '.join(known)}"
        )
    return Identity(Platform(platform), rest[-1], rest[0] if len(rest) == 2 else None)


_COLUMNS = (
    PersonRow.id,
    PersonRow.platform,
    PersonRow.workspace,
    PersonRow.platform_id,
    PersonRow.name,
    PersonRow.linked_to_id,
)


async def find_human(connection: AsyncConnection, identity: Identity) -> Human:
    """Their accounts on all platforms; the one that was named is among them even where it never said anything.

    Where no workspace was named, none of the linked accounts is one workspace's alone either.
    """
    accounts, ids, names = [identity], dict[int, None](), set[str]()
    for account in accounts:  # it grows while it is gone through
        for row in await _rows_of(connection, account):
            ids[row.id] = None
            names.add(row.name)
            workspace = None if identity.workspace is None else row.workspace
            known = Identity(Platform(row.platform), row.platform_id, workspace)
            if known not in accounts:
                accounts.append(known)
    return Human(tuple(ids), tuple(accounts), frozenset(names))


async def _rows_of(
    connection: AsyncConnection, account: Identity
) -> Sequence[Row[int, str, str, str, str, int | None]]:
    """An account's rows, and those that are linked with them."""
    links = select(PersonRow.linked_to_id).where(_is(account), PersonRow.linked_to_id.is_not(None))
    both = select(*_COLUMNS).where(or_(_is(account), PersonRow.linked_to_id.in_(links)))
    return (await connection.execute(both.order_by(PersonRow.id))).all()


def _is(identity: Identity) -> ColumnElement[bool]:
    named = and_(PersonRow.platform == identity.platform.value, PersonRow.platform_id == identity.platform_id)
    return named if identity.workspace is None else and_(named, PersonRow.workspace == identity.workspace)
