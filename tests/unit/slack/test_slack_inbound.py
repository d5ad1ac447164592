"""What Slack sends, as the core hears it."""

from datetime import UTC, datetime

import pytest

from adapters.payloads import NotUnderstood
from adapters.slack.workspaces import Workspace
from core.dialogue import Attachment, Called, Deletion, Edit, InboundMessage, Move, SessionKey
from tests.unit.slack.happenings import (
    ANNA,
    APP,
    BOT,
    BOT_USER,
    CHANNEL,
    DIRECTLY,
    DM,
    LATER,
    OMAR,
    ORGANISATION,
    OTHER_TEAM,
    ROOT,
    SHARED,
    TEAM,
    Body,
    body_of,
    deleted,
    edited,
    key,
    mentioned,
    message_of,
    moved,
    person,
    reacted,
    said,
    said_alone,
    shared,
    stopped,
    text_file,
    understood,
)

OURS = f"<@{BOT_USER}>"


def test_a_message_to_the_bot_alone_is_told_whole() -> None:
    assert message_of(said_alone("What is rain?")) == InboundMessage(
        key(DM, ROOT),
        person(ANNA),
        ROOT,
        "What is rain?",
        datetime.fromtimestamp(1795000000.0001, UTC),
        DIRECTLY,
        wants_title=True,
    )


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (said_alone("root"), key(DM, ROOT)),
        (said_alone("in a thread", LATER, thread_ts=ROOT), key(DM, ROOT)),
        (said("root"), key(CHANNEL, ROOT)),
        (said("in a thread", LATER, thread_ts=ROOT), key(CHANNEL, ROOT)),
        (mentioned(OURS), key(CHANNEL, ROOT)),
        (said("shown in the channel too", LATER, thread_ts=ROOT, subtype="thread_broadcast"), key(CHANNEL, ROOT)),
        (said("hi all", channel_type="mpim", channel="G0GROUP001"), key("G0GROUP001", ROOT)),
    ],
)
def test_every_thread_is_a_session_of_its_own(body: Body, place: SessionKey) -> None:
    assert message_of(body).session_key == place


@pytest.mark.parametrize(
    ("body", "called"),
    [
        (said_alone("hi"), DIRECTLY),
        (said_alone("hi", channel_type="app_home"), DIRECTLY),
        (said("hi"), Called()),
        (said("hi", channel_type="mpim"), Called()),
        (said(f"{OURS} hi"), Called(by_mention=True)),
        (said(f"<@{BOT_USER}|banter> hi"), Called(by_mention=True)),
        (said(f"<@{OMAR}> hi"), Called()),
        (mentioned(f"{OURS} hi"), Called(by_mention=True)),
        (said("hi", LATER, thread_ts=ROOT, parent_user_id=BOT_USER), Called(by_reply=True)),
        (said("hi", LATER, thread_ts=ROOT, parent_user_id=OMAR), Called()),
        (said_alone("hi", LATER, thread_ts=ROOT, parent_user_id=BOT_USER), DIRECTLY),
    ],
)
def test_it_is_told_how_the_bot_is_called(body: Body, called: Called) -> None:
    assert message_of(body).called == called


def test_a_mention_and_its_twin_are_one_event() -> None:
    assert message_of(mentioned(f"{OURS} hi")) == message_of(said(f"{OURS} hi"))


def test_only_the_root_of_a_dialogue_with_the_bot_alone_wants_a_title() -> None:
    assert message_of(said_alone("hi")).wants_title
    assert not message_of(said_alone("hi", LATER, thread_ts=ROOT)).wants_title
    assert not message_of(said(f"{OURS} hi")).wants_title


def test_a_reply_to_the_bots_own_root_names_it() -> None:
    assert message_of(said("hi", LATER, thread_ts=ROOT, parent_user_id=BOT_USER)).reply_to_id == ROOT
    assert message_of(said("hi", LATER, thread_ts=ROOT, parent_user_id=OMAR)).reply_to_id == ""


@pytest.mark.parametrize(
    "body",
    [
        said("joined", subtype="channel_join"),
        said("new topic", subtype="channel_topic"),
        said("", subtype="assistant_app_thread"),
        said("   "),
        body_of({"type": "app_home_opened", "user": ANNA, "channel": DM, "tab": "home"}),
        body_of({"type": "app_context_changed", "user": ANNA}),
        body_of({"type": "something_new"}),
        edited("same", "same"),
        edited("words", ""),
        edited("rain", "rain!", bot_id=BOT),
        edited("rain", "rain, unfurled", edited=None),
        edited("rain", "snow", user=BOT_USER),
        deleted(bot_id=BOT),
        deleted(user=BOT_USER),
        reacted("tada"),
        reacted("+1", item_user=OMAR),
        reacted("+1", user=BOT_USER),
        reacted("+1", item={"type": "file", "file": "F0NOTES001"}),
    ],
)
def test_what_is_not_for_the_bot_says_nothing(body: Body) -> None:
    assert understood(body) == []


@pytest.mark.parametrize(
    "body",
    [
        said("beep", bot_id=BOT, user=BOT_USER),
        said("beep", subtype="bot_message", bot_id="B0OTHER001", user=None, username="other"),
        said("beep", bot_id="B0OTHER001"),
        said("You have been added", user="USLACKBOT"),
        said("beep", user=BOT_USER),
    ],
)
def test_a_bot_is_known_as_one(body: Body) -> None:
    assert message_of(body).is_from_bot


def test_a_bot_without_a_user_goes_by_its_own_name() -> None:
    message = message_of(said("beep", subtype="bot_message", bot_id="B0OTHER001", user=None, username="other"))

    assert (message.person.platform_id, message.person.name) == ("B0OTHER001", "other")


def test_whose_name_is_not_known_goes_by_the_id() -> None:
    assert message_of(said_alone("hi", user="U0NOBODY01")).person.name == "U0NOBODY01"


def test_a_channel_with_another_id_keeps_its_messages() -> None:
    assert understood(moved()) == [Move(key(CHANNEL), SHARED, keeps_message_ids=True)]


class TestFilesAndQuotes:
    def test_files_are_told_with_what_they_are_given_out_for(self) -> None:
        message = message_of(said_alone("", subtype="file_share", files=[text_file()]))

        assert message.attachments == (Attachment("notes.txt", "text/plain", 120, "F0NOTES001"),)

    def test_a_file_of_another_company_says_nothing_of_itself(self) -> None:
        stub = {"id": "F0STUB0001", "mode": "file_access", "file_access": "check_file_info"}

        assert message_of(said_alone("", files=[stub])).attachments == (Attachment("", "", 0, "F0STUB0001"),)

    def test_what_is_left_of_a_file_is_none(self) -> None:
        assert message_of(said_alone("hi", files=[text_file(mode="tombstone")])).attachments == ()

    def test_a_message_that_is_passed_on_is_quoted(self) -> None:
        passed_on = {"is_share": True, "author_id": OMAR, "text": "see &amp; be seen, <@U0OMAR0001>"}

        assert message_of(said_alone("", attachments=[passed_on])).quotes == "see & be seen, @Omar"

    @pytest.mark.parametrize("more", [{"author_id": BOT_USER}, {"is_share": False}, {"text": ""}])
    def test_neither_unfurled_links_nor_the_bots_own_words_are(self, more: dict[str, object]) -> None:
        attachment = {"is_share": True, "author_id": OMAR, "text": "words", **more}

        assert message_of(said_alone("hi", attachments=[attachment])).quotes == ""


class TestSlackConnect:
    def test_what_calls_the_bot_is_heard_and_its_author_is_another_companys(self) -> None:
        message = message_of(shared(said(f"{OURS} What is rain?")))

        assert (message.session_key, message.text) == (key(SHARED, ROOT), "What is rain?")
        assert message.person == person(ANNA, OTHER_TEAM)

    def test_ones_own_people_are_ones_own(self) -> None:
        assert message_of(shared(said(f"{OURS} hi"), user_team=TEAM)).person.workspace == TEAM

    def test_ones_own_people_in_an_organisation_are_too(self) -> None:
        organisation = Workspace(ORGANISATION, BOT_USER, BOT, "xoxb-of-all")
        team = {"enterprise_id": ORGANISATION, "team_id": TEAM, "is_enterprise_install": True}
        body = shared(said(f"{OURS} hi"), user_team=TEAM) | {"authorizations": [team]}
        [message] = understood(body, organisation)

        assert isinstance(message, InboundMessage)
        assert message.person.workspace == message.session_key.workspace == ORGANISATION

    @pytest.mark.parametrize(
        "body",
        [
            shared(said("among ourselves")),
            shared(said("a reply", LATER, thread_ts=ROOT)),
            shared(said("a reply", LATER, thread_ts=ROOT, parent_user_id=BOT_USER)),
            shared(said("<@U0OTHERBOT> hi")),
            shared(mentioned("<@U0OTHERBOT> hi")),
            shared(said_alone("hi")),
            shared(said("look", subtype="file_share", files=[text_file()])),
            shared(edited("rain", "snow")),
        ],
    )
    def test_nothing_else_is_heard(self, body: Body) -> None:
        assert understood(body) == []

    def test_what_somebody_takes_back_is_forgotten(self) -> None:
        assert understood(shared(deleted())) == [Deletion(key(SHARED, ROOT), ROOT)]

    def test_a_question_may_be_corrected(self) -> None:
        [edit] = understood(shared(edited("rain", f"{OURS} snow")))

        assert isinstance(edit, Edit)
        assert edit.text == "snow"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": None},
        {"event": {}},
        {"event": {"type": 5}},
        said_alone("hi") | {"api_app_id": None},
        said_alone("hi", "not a time"),
        said_alone("hi", ROOT, thread_ts=5),
        said_alone("hi", user=5),
        said_alone("hi", user=None),
        said_alone("hi", user="U" * 300),
        said_alone("hi", channel="D\x00"),
        said_alone("hi", channel=None),
        said_alone("hi", files={}),
        said_alone("hi", files=[5]),
        said_alone("hi", files=[{"id": None}]),
        said_alone("hi", subtype=["file_share"]),
        said_alone("hi", attachments=5),
        said("hi", user=ANNA) | {"event": {"type": "message", "channel": CHANNEL, "user": ANNA, "text": 5, "ts": ROOT}},
        edited("a", "b", ts=None),
        edited("a", "b", edited="yes"),
        edited("a", "b", text=None),
        deleted() | {"event": {"type": "message", "subtype": "message_deleted", "channel": CHANNEL}},
        reacted("+1", item=None),
        reacted("+1", user=None),
        reacted("+1", event_ts=None),
        stopped("x"),
        body_of({"type": "channel_id_changed", "old_channel_id": CHANNEL}),
    ],
)
def test_what_can_not_be_understood_says_so_and_repeats_nothing(body: Body) -> None:
    with pytest.raises(NotUnderstood, match=r"^(what|a message) ") as raised:
        understood(body)

    assert APP not in str(raised.value)
