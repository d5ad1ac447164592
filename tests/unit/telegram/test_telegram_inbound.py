"""What Telegram sends, as the core hears it: one recorded update for each kind."""

from datetime import UTC, datetime

import pytest

from adapters.telegram.account import TelegramAccount
from core.dialogue import Called, Deletion, Edit, InboundMessage, Move, Person, Platform, SessionKey
from tests.unit.telegram.recorded import (
    ANNA,
    CHANNEL,
    CONNECTION,
    DIRECT_MESSAGES,
    DIRECTLY,
    DISCUSSION,
    FORUM,
    GROUP,
    OMAR,
    SUPERGROUP,
    key,
    message_of,
    understood,
)


def test_a_private_message_is_told_whole() -> None:
    assert message_of("private_text") == InboundMessage(
        key(ANNA),
        Person(Platform.TELEGRAM, "", ANNA, "Anna Berg"),
        "11",
        "What is rain?",
        datetime.fromtimestamp(1795000000, UTC),
        DIRECTLY,
    )


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("private_text", key(ANNA)),
        ("private_topic_first", key(ANNA, "21")),
        ("group_mention", key(GROUP)),
        ("supergroup_command", key(SUPERGROUP)),
        ("supergroup_reply_thread", key(SUPERGROUP)),
        ("forum_topic_text", key(FORUM, "61")),
        ("forum_general", key(FORUM)),
        ("channel_post", key(CHANNEL)),
        ("discussion_comment", key(DISCUSSION)),
        ("channel_direct_message", key(DIRECT_MESSAGES, "d5002")),
        ("business_text", key(OMAR, connection=CONNECTION)),
    ],
)
def test_every_place_is_a_session_of_its_own(name: str, place: SessionKey) -> None:
    assert message_of(name).session_key == place


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("private_text", DIRECTLY),
        ("private_start", Called(directly=True, by_command=True)),
        ("private_topic_first", DIRECTLY),
        ("business_text", DIRECTLY),
        ("channel_direct_message", DIRECTLY),
        ("group_plain", Called()),
        ("group_mention", Called(by_mention=True)),
        ("group_mention_of_other", Called()),
        ("group_text_mention", Called(by_mention=True)),
        ("group_reply", Called(by_reply=True)),
        ("group_reply_to_person", Called()),
        ("supergroup_reply_thread", Called(by_reply=True)),
        ("supergroup_command", Called(by_command=True)),
        ("forum_topic_text", Called(by_mention=True)),
        ("forum_topic_of_the_bots", Called()),
        ("forum_topic_reply", Called(by_reply=True)),
        ("channel_post", Called(by_mention=True)),
        ("discussion_comment", Called(by_mention=True)),
        ("photo_with_mention", Called(by_mention=True)),
    ],
)
def test_it_is_told_how_the_bot_is_called(name: str, called: Called) -> None:
    assert message_of(name).called == called


@pytest.mark.parametrize(
    ("name", "reply_to_id"),
    [
        ("group_reply", "33"),
        ("group_reply_to_person", "32"),
        ("forum_topic_reply", "64"),
        ("forum_topic_text", ""),
        ("private_topic_first", ""),
        ("discussion_comment", "81"),
        ("reply_with_quote", "15"),
    ],
)
def test_a_plain_message_of_a_topic_is_no_reply(name: str, reply_to_id: str) -> None:
    assert message_of(name).reply_to_id == reply_to_id


@pytest.mark.parametrize(
    "name",
    [
        "private_topic_created",
        "group_member_joined",
        "supergroup_migrated_from",
        "discussion_automatic_forward",
        "supergroup_command_of_other",
        "business_text_of_owner",
        "business_text_of_bot",
        "channel_direct_message_of_admin",
        "edited_live_location",
        "edited_command_of_other",
        "blocked_by_person",
        "reaction_without_opinion",
        "reaction_of_the_same_kind",
        "press_forged",
    ],
)
def test_what_is_not_for_the_bot_says_nothing(name: str) -> None:
    assert understood(name) == []


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("group_plain", (OMAR, "Omar")),
        ("supergroup_anonymous_admin", (SUPERGROUP, "Garden")),
        ("channel_post", (CHANNEL, "News of the Day")),
        ("discussion_comment_by_channel", ("-1001000000088", "Another Channel")),
    ],
)
def test_a_chat_that_somebody_speaks_for_is_who_speaks(name: str, person: tuple[str, str]) -> None:
    message = message_of(name)

    assert (message.person.platform_id, message.person.name) == person
    assert not message.is_from_bot


def test_a_bot_is_known_as_one() -> None:
    assert message_of("group_from_bot").is_from_bot


def test_a_business_chat_shares_no_name_with_the_bots_own_chat() -> None:
    message = message_of("business_text")

    assert message.message_id == f"17@{CONNECTION}"
    assert message.person.workspace == CONNECTION


def test_a_topic_that_telegram_named_wants_a_title() -> None:
    assert message_of("private_topic_first").wants_title
    assert not message_of("forum_topic_text").wants_title


def test_messages_of_an_album_share_its_name() -> None:
    first, second = message_of("album_first"), message_of("album_second")

    assert first.album == second.album != ""
    assert (first.text, second.text) == ("Which one is older?", "")
    assert message_of("private_text").album == ""


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("edited_text", (key(ANNA), "11", "What is snow?")),
        ("edited_mention", (key(GROUP), "31", "what goes with millet?")),
        ("edited_channel_post", (key(CHANNEL), "71", "Question of the day: why is grass green?")),
        ("business_edited", (key(OMAR, connection=CONNECTION), f"17@{CONNECTION}", "Do you deliver on Sundays?")),
    ],
)
def test_an_edit_is_about_the_message_that_it_changes(name: str, edit: tuple[SessionKey, str, str]) -> None:
    [inbound] = understood(name)

    assert isinstance(inbound, Edit)
    assert (inbound.session_key, inbound.message_id, inbound.text) == edit


def test_each_message_that_goes_away_is_told() -> None:
    place = key(OMAR, connection=CONNECTION)

    assert understood("business_deleted") == [
        Deletion(place, f"17@{CONNECTION}"),
        Deletion(place, f"20@{CONNECTION}"),
    ]


def test_a_group_that_becomes_a_supergroup_moves_and_its_messages_do_not() -> None:
    assert understood("group_migrated") == [Move(key(GROUP), "-1001000000009", keeps_message_ids=False)]


def test_a_bot_of_another_name_is_not_called() -> None:
    [message] = understood("group_mention", TelegramAccount("7000000001", "new_name_bot"))

    assert isinstance(message, InboundMessage)
    assert message.called == Called()
    assert message.text == "@Banter_Bot, what goes with rice?"


@pytest.mark.parametrize(
    ("name", "quotes"),
    [
        ("group_reply_to_person", "see you at eight"),
        ("group_reply", ""),
        ("reply_with_quote", "from clouds"),
        ("forum_topic_text", ""),
        ("private_topic_first", ""),
        ("private_text", ""),
    ],
)
def test_what_a_message_points_at_is_told_with_it(name: str, quotes: str) -> None:
    assert message_of(name).quotes == quotes
