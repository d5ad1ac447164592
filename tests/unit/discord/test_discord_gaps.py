"""Where something was said that nobody heard, as a server's description and the marks tell it."""

from datetime import timedelta
from typing import Any

from adapters.discord.gaps import Gap, Plan, Seen, plan, seen_in
from adapters.discord.permissions import Standing, may_read
from adapters.discord.places import FORUM, PUBLIC_THREAD, TEXT, VOICE, Place
from adapters.discord.snowflakes import first_at, moment
from tests.unit.discord.happenings import BOT, GUILD, ROLE

VIEW, HISTORY, CONNECT, ADMINISTRATOR = 1 << 10, 1 << 16, 1 << 20, 1 << 3
OLD, LATER = 900000000000000100, 900000000000900000


def channel(ident: int = OLD, kind: int = TEXT) -> Place:
    return Place(str(ident), kind, GUILD)


def thread(ident: int, parent: int = OLD) -> Place:
    return Place(str(ident), PUBLIC_THREAD, GUILD, str(parent))


def test_a_channel_that_was_never_seen_gets_a_mark_and_nothing_of_it_is_fetched() -> None:
    assert plan([Seen(channel(), LATER)], {}) == Plan(((channel(), LATER),), ())
    assert plan([Seen(channel(), 0)], {}) == Plan(((channel(), OLD - 1),), ())


def test_what_is_newer_than_the_mark_is_fetched_and_nothing_else() -> None:
    assert plan([Seen(channel(), LATER)], {str(OLD): LATER - 7}) == Plan((), (Gap(channel(), LATER - 7, LATER),))
    assert plan([Seen(channel(), LATER)], {str(OLD): LATER}) == Plan((), ())
    assert plan([Seen(channel(), 0)], {str(OLD): LATER}) == Plan((), ())


def test_a_thread_that_was_made_meanwhile_is_fetched_from_its_beginning_and_marked_first() -> None:
    made = Seen(thread(LATER), LATER + 9)
    told = plan([Seen(channel(), LATER), made], {str(OLD): LATER - 7})

    assert told.marks == ((made.place, LATER - 7),)
    assert Gap(made.place, LATER - 7, LATER + 9) in told.gaps


def test_a_thread_that_was_made_from_an_old_message_is_fetched_since_its_parent_was_heard() -> None:
    """Its id is older than its parent's mark, and so may its first words be, after a crash."""
    old = Seen(thread(OLD + 5), LATER + 9)
    [(place, mark)] = plan([Seen(channel(), LATER), old], {str(OLD): LATER}).marks

    assert place == old.place
    assert mark == max(OLD + 4, first_at(moment(LATER) - timedelta(minutes=10)))
    assert mark < LATER


def test_a_post_of_a_forum_that_is_known_is_fetched_with_its_first_message() -> None:
    post = Seen(thread(LATER), LATER)
    told = plan([Seen(channel(OLD, FORUM), LATER), post], {str(OLD): LATER - 1})

    assert told.gaps == (Gap(post.place, LATER - 1, LATER),)  # nobody writes in the forum itself


def test_a_channel_that_was_made_meanwhile_is_fetched_and_one_that_was_hidden_before_is_not() -> None:
    fresh, revealed = Seen(channel(LATER), LATER + 5), Seen(channel(OLD - 50), LATER + 6)
    told = plan([Seen(channel(), LATER - 9), fresh, revealed], {str(OLD): LATER - 9})

    assert told.gaps == (Gap(fresh.place, LATER - 1, LATER + 5),)
    assert told.marks == ((fresh.place, LATER - 1), (revealed.place, LATER + 6))


def test_what_may_not_be_read_is_passed_over_so_that_nobody_asks_for_it_again() -> None:
    told = plan([Seen(channel(), LATER, can_be_read=False)], {str(OLD): LATER - 9})

    assert told == Plan(((channel(), LATER),), ())
    assert plan([Seen(channel(), LATER, can_be_read=False)], {str(OLD): LATER}) == Plan((), ())


def guild(**more: Any) -> dict[str, Any]:
    return {
        "id": GUILD,
        "roles": [{"id": GUILD, "permissions": str(VIEW | HISTORY)}, {"id": ROLE, "permissions": str(CONNECT)}],
        "members": [{"user": {"id": BOT}, "roles": [ROLE]}],
        "channels": [{"id": str(OLD), "type": 0, "last_message_id": str(LATER)}, {"id": 7}, "a channel"],
        "threads": [{"id": str(LATER), "type": 11, "parent_id": str(OLD), "last_message_id": None}],
        **more,
    }


def test_a_server_is_read_as_far_as_it_can_be() -> None:
    assert seen_in(guild(), BOT) == [Seen(channel(), LATER), Seen(thread(LATER), 0)]
    assert seen_in({"id": GUILD}, BOT) == []


def test_a_thread_can_be_read_where_its_parent_can() -> None:
    hidden = {"id": str(OLD), "type": 0, "permission_overwrites": [{"id": GUILD, "deny": str(VIEW), "allow": "0"}]}

    assert [one.can_be_read for one in seen_in(guild(channels=[hidden]), BOT)] == [False, False]


def test_a_voice_channel_is_read_by_those_who_may_join_it() -> None:
    told = guild(channels=[{"id": str(OLD), "type": VOICE}], threads=[])

    assert [one.can_be_read for one in seen_in(told, BOT)] == [True]
    told["members"][0]["roles"] = []
    assert [one.can_be_read for one in seen_in(told, BOT)] == [False]


def standing(everybody: int = VIEW | HISTORY, role: int = 0) -> Standing:
    return Standing(GUILD, BOT, frozenset({ROLE}), {GUILD: everybody, ROLE: role})


def exception(whose: str, allow: int = 0, deny: int = 0) -> dict[str, str]:
    return {"id": whose, "allow": str(allow), "deny": str(deny)}


def test_permissions_are_reckoned_as_discord_does() -> None:
    assert may_read(standing(), [])
    assert not may_read(standing(VIEW), [])
    assert may_read(standing(VIEW, HISTORY), [])
    assert may_read(standing(0, ADMINISTRATOR), [exception(GUILD, deny=VIEW)])
    assert not may_read(standing(), [exception(GUILD, deny=VIEW)])
    assert may_read(standing(), [exception(ROLE, allow=VIEW), exception(GUILD, deny=VIEW)])
    assert not may_read(standing(), [exception(ROLE, allow=VIEW), exception(BOT, deny=VIEW)])
    assert may_read(standing(), [exception(ROLE, deny=VIEW), exception(BOT, allow=VIEW)])
    assert may_read(standing(), [exception("another role", deny=VIEW)])


def test_what_can_t_be_reckoned_is_taken_for_allowed() -> None:
    assert may_read(Standing(GUILD, BOT, None, {}), [exception(GUILD, deny=VIEW)])
    assert may_read(Standing(GUILD, BOT, frozenset(), {}), [])
    assert not may_read(standing(), [exception(GUILD, deny=VIEW), {"id": ROLE, "allow": "all"}, 7])
