"""Edits, deletions and reactions, as the gateway tells of them: no cache is asked what was there before."""

import pytest

from adapters.payloads import NotUnderstood
from core.dialogue import Deletion, Edit, Feedback, Inbound, Opinion, Person, Platform
from tests.unit.discord.happenings import (
    ANNA,
    BOT,
    CHANNEL,
    FIRST,
    FORUM_CHANNEL,
    GUILD,
    OMAR,
    POST,
    POST_PLACE,
    ROLE,
    SECOND,
    THREAD,
    THREAD_PLACE,
    calling,
    key,
    mentioned_bot,
    own,
    reacted,
    said,
    understood,
    user,
)

AT = "2026-11-22T05:52:00.123456+00:00"


def edited(data: dict[str, object]) -> list[Inbound]:
    return understood(data, kind="MESSAGE_UPDATE")


def test_an_edit_says_what_the_message_says_now_without_the_bots_name() -> None:
    person = Person(Platform.DISCORD, "", ANNA, "anna")

    assert edited(calling("what is snow?", edited_timestamp=AT)) == [Edit(key(), person, FIRST, AT, "what is snow?")]


def test_an_edit_in_a_thread_stands_in_it() -> None:
    [told] = understood(said("snow", channel_id=THREAD, edited_timestamp=AT), THREAD_PLACE, "MESSAGE_UPDATE")

    assert told.session_key == key(CHANNEL, THREAD)


def test_an_edit_of_a_posts_first_message_keeps_its_title() -> None:
    [told] = understood(said("dry", POST, channel_id=POST, edited_timestamp=AT), POST_PLACE, "MESSAGE_UPDATE")

    assert isinstance(told, Edit)
    assert (told.session_key, told.text) == (key(FORUM_CHANNEL, POST), "Why is it wet?\n[weather, help]\n\ndry")


@pytest.mark.parametrize(
    "data",
    [
        said("a link's preview came"),
        said("", edited_timestamp=AT),
        {"id": FIRST, "channel_id": CHANNEL, "edited_timestamp": AT, "embeds": []},
        own() | {"edited_timestamp": AT},
        said("beep", author=user(OMAR, "robot", bot=True), edited_timestamp=AT),
        said("Anna pinned it", type=6, edited_timestamp=AT),
        said(f"<@{BOT}>", mentions=[mentioned_bot()], edited_timestamp=AT),
    ],
)
def test_what_nobody_edited_or_what_leaves_no_words_is_no_edit(data: dict[str, object]) -> None:
    assert edited(data) == []


def test_a_deletion_needs_nothing_but_ids() -> None:
    gone = {"id": FIRST, "channel_id": CHANNEL, "guild_id": GUILD}

    assert understood(gone, kind="MESSAGE_DELETE") == [Deletion(key(), FIRST)]
    assert understood(gone, THREAD_PLACE, "MESSAGE_DELETE") == [Deletion(key(CHANNEL, THREAD), FIRST)]


def test_many_are_deleted_at_once() -> None:
    gone = {"ids": [FIRST, SECOND], "channel_id": CHANNEL, "guild_id": GUILD}

    assert understood(gone, kind="MESSAGE_DELETE_BULK") == [Deletion(key(), FIRST), Deletion(key(), SECOND)]
    for spoilt in (None, "all", [7], [FIRST] * 1001):
        with pytest.raises(NotUnderstood):
            understood(gone | {"ids": spoilt}, kind="MESSAGE_DELETE_BULK")


@pytest.mark.parametrize(("sign", "opinion"), [("👍", Opinion.GOOD), ("👍🏽", Opinion.GOOD), ("👎", Opinion.BAD)])
def test_a_thumb_is_an_opinion_of_somebody_with_their_roles(sign: str, opinion: Opinion) -> None:
    person = Person(Platform.DISCORD, "", ANNA, "Annie")
    event = f"session.7.{ANNA}.{opinion.value}"

    assert understood(reacted(sign), kind="MESSAGE_REACTION_ADD") == [
        Feedback(key(), person, FIRST, opinion, event, roles=frozenset({ROLE}))
    ]


def test_a_thumb_is_taken_back_by_somebody_without_a_name() -> None:
    told = reacted()
    del told["member"], told["message_author_id"]
    [found] = understood(told, kind="MESSAGE_REACTION_REMOVE")

    assert isinstance(found, Feedback)
    assert (found.is_withdrawn, found.person.platform_id, found.opinion) == (True, ANNA, Opinion.GOOD)


@pytest.mark.parametrize(
    "data",
    [
        reacted("🎉"),
        reacted(""),
        reacted(message_author_id=OMAR),
        reacted(user_id=BOT),
        reacted(member={"user": user(OMAR, bot=True), "roles": []}),
        reacted(emoji=None),
    ],
)
def test_other_signs_and_other_peoples_messages_and_bots_tell_nothing(data: dict[str, object]) -> None:
    assert understood(data, kind="MESSAGE_REACTION_ADD") == []
