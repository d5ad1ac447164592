"""What holds for any lists and any message: who is denied is never answered, and no rule leaves its workspace."""

import asyncio
from dataclasses import replace
from datetime import datetime

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.access import EVERYWHERE, Access, Listed, Name, Names, Ranks
from core.dialogue import Called, Edit, Feedback, InboundMessage, Opinion, Person, Platform, SessionKey
from core.doorkeeper import Decision, Doorkeeper
from core.memory.usage import Admission
from core.policy import Attention, Calls, Manner, Place, Policy
from core.quotas import Exceeded
from tests.unit.spoken import NOON, waiting

EXAMPLES = settings(max_examples=200, deadline=None, derandomize=True)

#: Few, so that what is drawn meets; the same id names different things in different workspaces.
PLATFORMS = st.sampled_from([Platform.DISCORD, Platform.SLACK, Platform.TELEGRAM])
WORKSPACES = st.sampled_from(["", "one", "two"])
IDS = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(["hello", "!b hello", "Banter, hello", "/help", "/regenerate", "/stop", "//x", "-", "a/b"])

NAMES = st.builds(Name, PLATFORMS, st.one_of(WORKSPACES, st.just(EVERYWHERE)), IDS)
WORKSPACE_NAMES = st.builds(Name, PLATFORMS, st.one_of(WORKSPACES, st.just(EVERYWHERE)))
LISTS = st.builds(
    Listed,
    st.frozensets(WORKSPACE_NAMES, max_size=1),
    st.frozensets(NAMES, max_size=3),
    st.frozensets(NAMES, max_size=3),
    st.frozensets(NAMES, max_size=3),
)
RANKS = st.builds(Ranks, *(st.frozensets(NAMES, max_size=2) for _ in range(4)))
MANNERS = st.builds(
    Manner,
    persona=st.sampled_from(["banter", "pirate"]),
    calls=st.builds(Calls, prefixes=st.sampled_from([(), ("!b",)]), names=st.sampled_from([(), ("Banter",)])),
    each_alone=st.booleans(),
    overhears=st.booleans(),
    asks_for_code=st.booleans(),
)
PLACES = st.dictionaries(st.tuples(PLATFORMS, WORKSPACES, st.sampled_from(["", "a", "b"])), MANNERS, max_size=5)
POLICIES = st.builds(Policy, MANNERS, PLACES, st.builds(Access, LISTS, LISTS), RANKS)


@st.composite
def messages(draw: st.DrawFn) -> InboundMessage:
    platform, workspace = draw(PLATFORMS), draw(WORKSPACES)
    key = SessionKey(platform, "banter", workspace, draw(IDS), draw(st.sampled_from(["", "t"])))
    speaker = Person(platform, workspace, draw(IDS), "Somebody")
    called = draw(st.builds(Called, *(st.booleans() for _ in range(4))))
    return InboundMessage(key, speaker, "m1", draw(TEXTS), NOON, called, draw(st.frozensets(IDS)))


class Generous:
    """Counts nothing, and knows everybody."""

    async def admit(self, admission: Admission) -> Exceeded | None:
        return None

    async def redeem(self, code_hash: str, person: Person, moment: datetime) -> bool:
        return True

    async def is_paired(self, person: Person) -> bool:
        return True


def decision(policy: Policy, inbound: InboundMessage | Edit | Feedback) -> Decision:
    verdict = Doorkeeper(policy, Generous(), Generous())(waiting(inbound))
    return asyncio.run(verdict).decision


def denied_names(message: InboundMessage) -> st.SearchStrategy[Listed]:
    """Lists that deny the message's author, one way or another."""
    key, platform = message.session_key, message.session_key.platform
    workspace = st.sampled_from([key.workspace, EVERYWHERE])
    ways = [
        workspace.map(lambda of: Listed(workspaces=frozenset({Name(platform, of)}))),
        workspace.map(lambda of: Listed(channels=frozenset({Name(platform, of, key.channel)}))),
        workspace.map(lambda of: Listed(people=frozenset({Name(platform, of, message.person.platform_id)}))),
    ]
    if message.roles:
        role = st.sampled_from(sorted(message.roles))
        ways.append(st.tuples(workspace, role).map(lambda of: Listed(roles=frozenset({Name(platform, *of)}))))
    return st.one_of(ways)


@EXAMPLES
@given(POLICIES, messages(), st.data())
def test_a_person_who_is_denied_is_never_answered_nor_overheard(
    policy: Policy, message: InboundMessage, data: st.DataObject
) -> None:
    access = Access(policy.access.allowed, joined(policy.access.denied, data.draw(denied_names(message))))
    stricter = Policy(policy.manner(message.session_key), None, access, policy.ranks)

    assert stricter.attention(message) is Attention.IGNORE
    assert decision(stricter, message) is Decision.IGNORE
    assert decision(stricter, replace(message, is_overheard=True)) is Decision.IGNORE
    edit = Edit(message.session_key, message.person, "m1", "2", message.text)
    if stricter.access.denies(message.session_key, message.person, frozenset()):
        assert decision(stricter, edit) is Decision.IGNORE
    press = Feedback(message.session_key, message.person, "m1", Opinion.REGENERATE, "e", roles=message.roles)
    assert decision(stricter, press) is Decision.IGNORE


@EXAMPLES
@given(MANNERS, PLACES, st.tuples(LISTS, LISTS), RANKS, messages())
def test_without_the_rules_of_other_workspaces_everything_is_the_same(
    manner: Manner, places: dict[Place, Manner], lists: tuple[Listed, Listed], ranks: Ranks, message: InboundMessage
) -> None:
    key, speaker = message.session_key, message.person
    allowed, denied = lists
    # A list of allowed workspaces is about all workspaces: that is what it is for.
    assume(bool(spoken_of(key, allowed.workspaces)) or not allowed.workspaces)
    own = {place: one for place, one in places.items() if place[:2] == (key.platform, key.workspace)}
    whole = Policy(manner, places, Access(allowed, denied), ranks)
    part = Policy(manner, own, Access(local(key, allowed), local(key, denied)), local_ranks(key, ranks))

    assert part.attention(message) is whole.attention(message)
    assert part.manner(key) == whole.manner(key)
    assert part.received(message) == whole.received(message)
    assert part.rank(key, speaker, message.roles) is whole.rank(key, speaker, message.roles)
    assert decision(part, message) is decision(whole, message)


def joined(one: Listed, other: Listed) -> Listed:
    return Listed(
        frozenset(one.workspaces) | other.workspaces,
        frozenset(one.channels) | other.channels,
        frozenset(one.people) | other.people,
        frozenset(one.roles) | other.roles,
    )


def spoken_of(key: SessionKey, names: Names) -> Names:
    """Those that are about the workspace."""
    return {name for name in names if name.platform is key.platform and name.workspace in (key.workspace, EVERYWHERE)}


def local(key: SessionKey, lists: Listed) -> Listed:
    parts = (lists.workspaces, lists.channels, lists.people, lists.roles)
    return Listed(*(spoken_of(key, names) for names in parts))


def local_ranks(key: SessionKey, ranks: Ranks) -> Ranks:
    parts = (ranks.moderators, ranks.moderator_roles, ranks.operators, ranks.operator_roles)
    return Ranks(*(spoken_of(key, names) for names in parts))
