"""Messages of Discord's, as the core is told of them."""

from datetime import UTC, datetime

import pytest

from adapters.discord.account import DiscordAccount
from adapters.discord.snowflakes import first_at, moment
from adapters.payloads import NotUnderstood
from core.dialogue import Attachment, Called, Person, Platform
from tests.unit.discord.happenings import (
    ANNA,
    BOT,
    BOT_ROLE,
    CHANNEL,
    DIRECT_PLACE,
    DM,
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
    VOICE_PLACE,
    calling,
    key,
    mentioned_bot,
    message,
    own,
    replying,
    said,
    said_alone,
    understood,
    user,
)


def test_a_direct_message_calls_the_bot_by_itself() -> None:
    told = message(said_alone("hello"), DIRECT_PLACE)

    assert told.session_key == key(DM, guild="")
    assert (told.text, told.called, told.roles, told.wants_title) == (
        "hello",
        Called(directly=True),
        frozenset(),
        False,
    )


def test_a_mention_in_the_root_begins_a_thread_that_will_have_the_messages_id() -> None:
    told = message(calling("what is rain?"))

    assert told.session_key == key(CHANNEL, FIRST)
    assert (told.text, told.called, told.wants_title) == ("what is rain?", Called(by_mention=True), True)


def test_a_mention_goes_on_in_the_channel_where_threads_are_not_wanted() -> None:
    told = message(calling("hi"), account=DiscordAccount(BOT, threads=False))

    assert (told.session_key, told.wants_title) == (key(CHANNEL), False)


def test_a_mention_in_a_voice_channel_goes_on_there() -> None:
    told = message(calling("hi"), VOICE_PLACE)

    assert (told.session_key, told.wants_title) == (key(CHANNEL), False)


def test_what_is_said_in_a_thread_belongs_to_its_parent_and_it() -> None:
    told = message(said("and snow?", channel_id=THREAD), THREAD_PLACE)

    assert (told.session_key, told.called) == (key(CHANNEL, THREAD), Called())


def test_a_mention_in_a_thread_begins_no_other_one() -> None:
    told = message(calling("and snow?", channel_id=THREAD), THREAD_PLACE)

    assert (told.session_key, told.wants_title) == (key(CHANNEL, THREAD), False)


def test_a_message_that_calls_nobody_stays_in_the_channel() -> None:
    told = message(said("good morning"))

    assert (told.session_key, told.called, told.wants_title) == (key(CHANNEL), Called(), False)


def test_a_reply_to_the_bot_goes_on_where_it_stands_though_it_mentions_the_bot() -> None:
    told = message(replying(f"<@{BOT}> why?", own(), mentions=[mentioned_bot()]))

    assert (told.session_key, told.wants_title) == (key(CHANNEL), False)
    assert (told.called, told.reply_to_id, told.quotes) == (Called(by_mention=True, by_reply=True), FIRST, "")


def test_the_ping_of_a_reply_is_no_mention() -> None:
    """Discord puts whom a reply pings among the mentions, though the text says nothing of them."""
    told = message(replying("why?", own(), mentions=[mentioned_bot()]))

    assert told.called == Called(by_reply=True)


def test_a_reply_to_somebody_else_that_calls_the_bot_quotes_them() -> None:
    before = said("it rains", author=user(OMAR, "omar"))
    told = message(replying(f"<@{BOT}> is that so?", before, mentions=[mentioned_bot()]))

    assert (told.called, told.quotes, told.reply_to_id) == (Called(by_mention=True), "it rains", FIRST)
    assert told.session_key == key(CHANNEL, SECOND)


def test_a_forwarded_message_is_what_its_sender_points_at() -> None:
    reference = {"type": 1, "message_id": FIRST, "channel_id": CHANNEL}
    shots = [{"message": {"content": "the news"}}]
    told = message(said_alone("", message_reference=reference, message_snapshots=shots), DIRECT_PLACE)

    assert (told.text, told.quotes, told.reply_to_id) == ("", "the news", "")


def test_the_bots_own_role_calls_it_and_another_role_does_not() -> None:
    called = message(said(f"<@&{BOT_ROLE}> hi", mention_roles=[BOT_ROLE]))
    assert (called.text, called.called) == ("hi", Called(by_mention=True))

    assert message(said(f"<@&{ROLE}> hi", mention_roles=[ROLE])).text == "@helpers hi"
    assert message(said(f"<@&{ROLE}> hi", mention_roles=[ROLE])).called == Called()


def test_what_looks_like_a_mention_and_is_none_stays() -> None:
    told = message(said(f"`<@{BOT}>`"))

    assert (told.text, told.called) == (f"`<@{BOT}>`", Called())


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (f"ask <@{ANNA}>", "ask @Annie"),
        (f"see <#{CHANNEL}>", "see #general"),
        ("see <#900000000000000999>", "see #900000000000000999"),
        ("well <:blob:900000000000000998> <a:party:900000000000000997>", "well :blob: :party:"),
        ("try </ask:900000000000000996>", "try /ask"),
        ("at <t:1618953630:R>", "at 2021-04-20 21:20 UTC"),
        ("at <t:9999999999999>", "at 9999999999999"),
        (f"hi <@{BOT}>!", "hi!"),
        (f"<@!{BOT}>, please", "please"),
        (f"is it <@{BOT}> now", "is it now"),
        ("a < b <c> d", "a < b <c> d"),
    ],
)
def test_markup_reads_as_people_see_it(content: str, text: str) -> None:
    mentions = [mentioned_bot(), {**user(), "member": {"nick": "Annie"}}]

    assert message(said(content, mentions=mentions)).text == text


def test_a_posts_first_message_begins_with_its_title_and_tags() -> None:
    told = message(said("I left it outside.", POST, channel_id=POST), POST_PLACE)

    assert told.session_key == key(FORUM_CHANNEL, POST)
    assert (told.text, told.quotes) == ("Why is it wet?\n[weather, help]\n\nI left it outside.", "")


def test_a_posts_first_message_that_calls_the_bot_is_headed_once() -> None:
    told = message(calling("any idea?", ident=POST, channel_id=POST), POST_PLACE)

    assert (told.text, told.quotes) == ("Why is it wet?\n[weather, help]\n\nany idea?", "")


def test_a_mention_later_in_a_post_is_told_what_the_post_is_about() -> None:
    told = message(calling("any idea?", channel_id=POST), POST_PLACE)
    assert (told.text, told.quotes) == ("any idea?", "Why is it wet?\n[weather, help]")

    assert message(said("no idea", channel_id=POST), POST_PLACE).quotes == ""
    replied = replying(f"<@{BOT}>?", said("a", author=user(OMAR)), mentions=[mentioned_bot()], channel_id=POST)
    assert message(replied, POST_PLACE).quotes == "a"


def test_who_speaks_is_known_by_one_id_everywhere_and_by_the_name_that_is_used_there() -> None:
    assert message(said("a")).person == Person(Platform.DISCORD, "", ANNA, "anna")
    assert message(said("a", author=user(global_name="Anna B."))).person.name == "Anna B."
    assert message(said("a", member={"roles": [ROLE, GUILD], "nick": "Annie"})).person.name == "Annie"
    assert message(said("a", member={"roles": [ROLE, GUILD]})).roles == {ROLE}


@pytest.mark.parametrize(
    "more",
    [
        {"author": user(OMAR, "robot", bot=True)},
        {"author": user(OMAR, "hook"), "webhook_id": OMAR},
        {"author": user(OMAR, "discord", system=True)},
        {"author": mentioned_bot()},
        {"author": user(BOT, "banter")},
    ],
)
def test_what_programs_say_is_told_as_theirs(more: dict[str, object]) -> None:
    assert message(said("beep") | more).is_from_bot


@pytest.mark.parametrize("kind", [3, 6, 7, 8, 18, 20, 21, 23, 24, True, "0", None])
def test_what_nobody_said_says_nothing(kind: object) -> None:
    assert understood(said("Anna joined", type=kind)) == []


def test_without_the_message_content_intent_a_message_says_nothing() -> None:
    assert understood(said("")) == []


def test_a_bare_mention_is_a_call() -> None:
    assert message(calling("")).text == ""


def test_files_come_with_what_gives_them_out() -> None:
    file = {"id": SECOND, "filename": "a.txt", "content_type": "text/plain; charset=utf-8", "size": 12, "url": "x"}
    told = message(said_alone("", attachments=[file]), DIRECT_PLACE)

    assert told.attachments == (Attachment("a.txt", "text/plain", 12, f"{DM}/{FIRST}/{SECOND}"),)


def test_a_message_was_sent_when_its_id_was_made() -> None:
    told = message(said("hello", "175928847299117063"))

    assert told.sent_at == datetime(2016, 4, 30, 11, 18, 25, 796000, UTC)
    assert moment(first_at(told.sent_at)) == told.sent_at
    assert first_at(told.sent_at) <= 175928847299117063


@pytest.mark.parametrize(
    "spoilt",
    [
        {"id": 7},
        {"id": ""},
        {"id": "0"},
        {"id": "007"},
        {"id": "9" * 20},
        {"author": None},
        {"author": {"username": "anna"}},
        {"content": 7},
        {"mentions": "all"},
        {"mentions": [7]},
        {"attachments": [{"filename": "a.txt"}]},
        {"member": {"roles": [None]}},
        {"referenced_message": "it"},
    ],
)
def test_what_is_not_as_it_should_be_is_not_understood(spoilt: dict[str, object]) -> None:
    with pytest.raises(NotUnderstood):
        understood(said("hello") | spoilt)
