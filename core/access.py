"""Who may speak to the program, and who may change what it does. Names and lists alone; nothing is looked up."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum

from core.dialogue import Person, Platform, SessionKey

#: In a name's place of the workspace: every workspace of the platform.
EVERYWHERE = "*"


class Rank(IntEnum):
    """Who may more."""

    PERSON = 0
    MODERATOR = 1
    OPERATOR = 2


@dataclass(frozen=True, slots=True)
class Name:
    """A workspace, or a channel, a person or a role in one."""

    platform: Platform
    #: "" where the platform has none; `EVERYWHERE` is all of them.
    workspace: str
    #: "" of a workspace.
    id: str = ""


Names = AbstractSet[Name]


@dataclass(frozen=True, slots=True)
class Listed:
    """One side of the lists."""

    workspaces: Names = frozenset()
    channels: Names = frozenset()
    people: Names = frozenset()
    roles: Names = frozenset()


@dataclass(frozen=True, slots=True)
class Access:
    """What is denied is denied, whatever is allowed.

    A list of allowed channels, people or roles shuts the others out in the workspaces that its names are of, and says
    nothing of any other workspace; a list of allowed workspaces shuts all others out.
    """

    allowed: Listed = Listed()
    denied: Listed = Listed()

    def admits(self, key: SessionKey, person: Person, roles: AbstractSet[str]) -> bool:
        return not self.denies(key, person, roles) and self._is_allowed(key, person, roles)

    def denies(self, key: SessionKey, person: Person, roles: AbstractSet[str]) -> bool:
        """Whether one of the denied names fits; somebody from another workspace is denied by their name there too."""
        denied = self.denied
        return (
            _named(denied.workspaces, key, "")
            or _named(denied.channels, key, key.channel)
            or _named(denied.people, key, person.platform_id, person.workspace)
            or any(_named(denied.roles, key, role) for role in roles)
        )

    def _is_allowed(self, key: SessionKey, person: Person, roles: AbstractSet[str]) -> bool:
        allowed = self.allowed
        if allowed.workspaces and not _named(allowed.workspaces, key, ""):
            return False
        if _speaks_of(allowed.channels, key) and not _named(allowed.channels, key, key.channel):
            return False
        if not (_speaks_of(allowed.people, key) or _speaks_of(allowed.roles, key)):
            return True
        return self.knows(key, person) or any(_named(allowed.roles, key, role) for role in roles)

    def knows(self, key: SessionKey, person: Person) -> bool:
        """Whether the person is allowed by name."""
        return _is_of(self.allowed.people, key, person)


@dataclass(frozen=True, slots=True)
class Ranks:
    """Who is more than a person. A role is the platform's own."""

    moderators: Names = frozenset()
    moderator_roles: Names = frozenset()
    operators: Names = frozenset()
    operator_roles: Names = frozenset()

    def of(self, key: SessionKey, person: Person, roles: AbstractSet[str]) -> Rank:
        if _is_of(self.operators, key, person) or any(_named(self.operator_roles, key, role) for role in roles):
            return Rank.OPERATOR
        if _is_of(self.moderators, key, person) or any(_named(self.moderator_roles, key, role) for role in roles):
            return Rank.MODERATOR
        return Rank.PERSON


def _named(names: Names, key: SessionKey, named: str, other_workspace: str | None = None) -> bool:
    if not names:
        return False
    workspaces = {key.workspace, EVERYWHERE} | ({other_workspace} if other_workspace is not None else set())
    return any(Name(key.platform, workspace, named) in names for workspace in workspaces)


def _is_of(names: Names, key: SessionKey, person: Person) -> bool:
    """Whether a list that gives a right names the person: by their own workspace, where they have one."""
    if not names:
        return False
    workspace = person.workspace or key.workspace
    return any(Name(key.platform, one, person.platform_id) in names for one in (workspace, EVERYWHERE))


def _speaks_of(names: Names, key: SessionKey) -> bool:
    return any(name.platform is key.platform and name.workspace in (key.workspace, EVERYWHERE) for name in names)
