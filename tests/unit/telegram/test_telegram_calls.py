"""The bot's name is cut from what is said to it, and commands of other bots are theirs."""

import pytest
from telegram import MessageEntity, User

from adapters.telegram.calls import Heard, heard
from tests.unit.telegram.recorded import ACCOUNT, message_of

BOT = User(int(ACCOUNT.id), "Banter", is_bot=True)


def entity(text: str, what: str, kind: str, user: User | None = None) -> MessageEntity:
    before = text[: text.index(what)]
    return MessageEntity(kind, len(before.encode("utf-16-le")) // 2, len(what.encode("utf-16-le")) // 2, user=user)


def said(text: str, *names: str, kind: str = MessageEntity.MENTION) -> Heard:
    return heard(text, [entity(text, name, kind) for name in names], ACCOUNT)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@banter_bot what is rain?", "what is rain?"),
        ("@banter_bot, what is rain?", "what is rain?"),
        ("@banter_bot: rain?", "rain?"),
        ("@banter_bot\nwhat is rain?", "\nwhat is rain?"),
        ("what is rain, @banter_bot?", "what is rain?"),
        ("what is rain @banter_bot", "what is rain"),
        ("tell @banter_bot about rain", "tell about rain"),
        ("first line @banter_bot\nsecond", "first line\nsecond"),
        ("👩‍👩‍👧 hi @banter_bot 👋🏽 you", "👩‍👩‍👧 hi 👋🏽 you"),
        ("@banter_bot", ""),
    ],
)
def test_the_model_does_not_see_its_own_handle(text: str, words: str) -> None:
    assert said(text, "@banter_bot") == Heard(words, by_mention=True)


def test_every_mention_is_cut() -> None:
    text = "@banter_bot hey @BANTER_BOT rain"
    entities = [entity(text, name, MessageEntity.MENTION) for name in ("@banter_bot", "@BANTER_BOT")]

    assert heard(text, entities, ACCOUNT) == Heard("hey rain", by_mention=True)


def test_a_mention_without_a_handle_is_one_too() -> None:
    text = "Banter what now"

    assert heard(text, [entity(text, "Banter", MessageEntity.TEXT_MENTION, BOT)], ACCOUNT) == Heard("what now", True)


def test_somebody_else_is_named_and_stays() -> None:
    text = "@banter_bots and Omar"
    entities = [
        entity(text, "@banter_bots", MessageEntity.MENTION),
        entity(text, "Omar", MessageEntity.TEXT_MENTION, User(5002, "Omar", is_bot=False)),
    ]

    assert heard(text, entities, ACCOUNT) == Heard(text)


def test_a_handle_within_code_stays() -> None:
    message = message_of("supergroup_handle_in_code")

    assert message.text == "type @banter_bot here"
    assert not message.called.by_mention


@pytest.mark.parametrize(
    ("text", "command", "words"),
    [
        ("/new", "/new", "/new"),
        ("/new@banter_bot", "/new@banter_bot", "/new"),
        ("/new@Banter_BOT", "/new@Banter_BOT", "/new"),
        ("/persona@banter_bot use tutor", "/persona@banter_bot", "/persona use tutor"),
        ("/start", "/start", "/help"),
        ("/start@banter_bot", "/start@banter_bot", "/help"),
        ("/start ABCD-EFGH-1234-5678", "/start", "ABCD-EFGH-1234-5678"),
        ("/start link-K7M2Q9XA", "/start", "/link K7M2Q9XA"),
        ("/started", "/started", "/started"),
    ],
)
def test_a_command_is_the_cores(text: str, command: str, words: str) -> None:
    assert said(text, command, kind=MessageEntity.BOT_COMMAND) == Heard(words, by_command=True)


def test_a_command_of_another_bot_is_that_ones() -> None:
    assert said("/new@other_bot", "/new@other_bot", kind=MessageEntity.BOT_COMMAND).is_for_another


def test_a_command_in_the_middle_is_only_words() -> None:
    assert said("try /new then", "/new", kind=MessageEntity.BOT_COMMAND) == Heard("try /new then")


def test_a_command_behind_the_bots_name_is_one_for_the_core() -> None:
    text = "@banter_bot /new"
    entities = [entity(text, "@banter_bot", MessageEntity.MENTION), entity(text, "/new", MessageEntity.BOT_COMMAND)]

    assert heard(text, entities, ACCOUNT) == Heard("/new", by_mention=True)


@pytest.mark.parametrize(("offset", "length"), [(-1, 3), (0, 0), (0, -5), (3, 100), (10**9, 1), ("0", 3), (0, None)])
def test_an_entity_that_does_not_fit_is_passed_over(offset: int, length: int) -> None:
    kinds = (MessageEntity.TEXT_MENTION, MessageEntity.MENTION, MessageEntity.BOT_COMMAND)
    entities = [MessageEntity(kind, offset, length, user=BOT) for kind in kinds]

    assert heard("hello", entities, ACCOUNT) == Heard("hello")
