"""Slack's own places: App Home, modals, the slash command, the message shortcut, suggested prompts."""

from collections.abc import AsyncIterator

import pytest

from adapters.slack.buttons import Buttons
from adapters.slack.home import HomeAction
from adapters.slack.native import ASK_SHORTCUT
from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from bots.sandbox.local_slack.people import Person
from core.dialogue import Called, Feedback, InboundMessage, Opinion
from tests.integration.slack.native_stage import LABELS, SECRET, NativeStage, dialogue_in, native_stage
from tests.integration.slack.receiving import Kept

ALONE = Called(directly=True, by_command=True)
ROOT = "1700000000.000100"


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as slack:
        yield slack


@pytest.fixture
async def stage(slack: LocalSlack) -> AsyncIterator[NativeStage]:
    async with native_stage(slack) as stage:
        yield stage


@pytest.fixture
async def anna(slack: LocalSlack) -> Person:
    return await slack.person("Anna")


async def heard(stage: NativeStage) -> InboundMessage:
    """The only one that was not written as a message."""
    await stage.kept.until(lambda kept: bool(_commanded(kept)))
    await stage.slack.settled()
    [message] = _commanded(stage.kept)
    return message


def _commanded(kept: Kept) -> list[InboundMessage]:
    return [one for one in kept.said if one.called.by_command]


async def test_app_home_shows_a_persons_own_dialogues(stage: NativeStage, anna: Person) -> None:
    stage.book.homes[anna.id] = stage.home_of(dialogue_in(stage.key(anna.dm, ROOT), "What is rain?"))

    await anna.opens_app("home")

    home = await anna.home()
    assert "What is rain?" in home.texts
    assert home.labels == [LABELS.home.settings, LABELS.home.forget, LABELS.home.forget_me]
    [asked] = stage.book.asked
    assert (asked.workspace, asked.platform_id) == (stage.slack.install.id, anna.id)


async def test_nobody_is_shown_anothers_dialogues(stage: NativeStage, anna: Person) -> None:
    omar = await stage.slack.person("Omar")
    stage.book.homes[anna.id] = stage.home_of(dialogue_in(stage.key(anna.dm, ROOT), "A secret"))

    await omar.opens_app("home")

    assert LABELS.home.empty in (await omar.home()).texts


async def test_forget_me_is_said_in_the_dm_and_the_home_is_empty_at_once(stage: NativeStage, anna: Person) -> None:
    stage.book.homes[anna.id] = stage.home_of(dialogue_in(stage.key(anna.dm, ROOT)))
    await anna.opens_app("home")
    await anna.home()

    answer = await anna.presses_in_home(LABELS.home.forget_me)

    assert answer.is_ack
    message = await heard(stage)
    assert (message.session_key, message.text) == (stage.key(anna.dm), "/forget me yes")
    assert (message.person.platform_id, message.called) == (anna.id, ALONE)
    await stage.slack.called("views.publish", 2)
    home = await anna.home()
    assert LABELS.home.forgetting in home.texts
    assert HomeAction.FORGET.value not in home.actions


async def test_a_dialogue_is_forgotten_where_it_is_and_no_longer_shown(stage: NativeStage, anna: Person) -> None:
    kitchen = await stage.slack.channel("kitchen", anna)
    there, here = dialogue_in(stage.key(kitchen, ROOT), "Rice"), dialogue_in(stage.key(anna.dm, ROOT), "Rain")
    stage.book.homes[anna.id] = stage.home_of(there, here)
    await anna.opens_app("home")
    await anna.home()

    await anna.presses_in_home(LABELS.home.forget)

    message = await heard(stage)
    assert (message.session_key, message.text) == (there.key, "/forget session yes")
    await stage.slack.called("views.publish", 2)
    texts = (await anna.home()).texts
    assert "Rain" in texts
    assert "Rice" not in texts


async def test_settings_are_chosen_in_a_modal(stage: NativeStage, anna: Person) -> None:
    dialogue = dialogue_in(stage.key(anna.dm, ROOT))
    stage.book.homes[anna.id] = stage.home_of(dialogue)
    await anna.opens_app("home")
    await anna.home()
    await anna.presses_in_home(LABELS.home.settings)
    assert (await anna.modal()).title == LABELS.modals.settings_title

    answer = await anna.submits(language="de", streaming="off")

    assert answer.is_ack
    await stage.kept.until(lambda kept: len(kept.said) == 2)
    assert [one.text for one in stage.kept.said] == ["/settings language de", "/settings streaming off"]
    assert {one.session_key for one in stage.kept.said} == {dialogue.key}
    assert not await anna.has_modal()


async def test_settings_of_a_dialogue_that_is_gone_by_now_are_not_opened(stage: NativeStage, anna: Person) -> None:
    stage.book.homes[anna.id] = stage.home_of(dialogue_in(stage.key(anna.dm, ROOT)))
    await anna.opens_app("home")
    await anna.home()
    stage.book.homes.clear()

    await anna.presses_in_home(LABELS.home.settings)

    await stage.slack.called("views.publish", 2)
    assert LABELS.home.empty in (await anna.home()).texts
    assert not await anna.has_modal()


async def test_a_question_about_a_message_is_asked_in_its_thread(stage: NativeStage, anna: Person) -> None:
    omar = await stage.slack.person("Omar")
    kitchen = await stage.slack.channel("kitchen", anna, omar)
    root = await omar.says(f"who knows, {anna.mention}?", kitchen)
    reply = await omar.says("2 &lt; 3", kitchen, thread=root)
    answer = await anna.uses_shortcut(ASK_SHORTCUT, reply, kitchen)
    assert answer.is_ack
    modal = await anna.modal()
    assert modal.title == LABELS.modals.ask_title
    assert modal.texts == ["2 < 3"]

    await anna.submits(question="is it so?")

    message = await heard(stage)
    assert (message.session_key, message.text) == (stage.key(kitchen, root.ts), "is it so?")
    assert (message.quotes, message.called) == ("2 < 3", Called(by_command=True))
    assert not await anna.has_modal()


async def test_where_the_bot_is_not_the_answer_is_that_persons_alone(stage: NativeStage, anna: Person) -> None:
    omar = await stage.slack.person("Omar")
    kitchen = await stage.slack.channel("kitchen", anna, omar, installs=[])
    root = await omar.says("it will rain", kitchen)
    await anna.uses_shortcut(ASK_SHORTCUT, root, kitchen)
    assert LABELS.modals.ask_alone in (await anna.modal()).texts

    await anna.submits(question="why?")

    message = await heard(stage)
    assert (message.session_key, message.called) == (stage.key(kitchen, person=anna.id), ALONE)


async def test_an_empty_question_keeps_the_modal_open_and_says_why(stage: NativeStage, anna: Person) -> None:
    root = await anna.says("it will rain")
    await anna.uses_shortcut(ASK_SHORTCUT, root)
    await anna.modal()

    answer = await anna.submits(question="  ")

    told = {"response_action": "errors", "errors": {"question": LABELS.modals.empty_question}}
    assert (answer.is_ack, answer.response) == (True, told)
    assert await anna.has_modal()
    assert [one.called.by_command for one in stage.kept.said] == [False]


async def test_a_slow_look_opens_the_modal_in_time_all_the_same(stage: NativeStage, anna: Person) -> None:
    root = await anna.says("it will rain")
    await stage.slack.fault("delay_before", "conversations.replies", seconds=30.0)

    await anna.uses_shortcut(ASK_SHORTCUT, root)

    assert (await anna.modal()).title == LABELS.modals.ask_title


async def test_another_apps_shortcut_opens_nothing(stage: NativeStage, anna: Person) -> None:
    root = await anna.says("it will rain")

    answer = await anna.uses_shortcut("something_else", root)

    assert answer.is_ack
    await stage.slack.settled()
    assert await stage.slack.calls("views.open") == []


async def test_a_slash_command_is_acked_and_heard(stage: NativeStage, anna: Person) -> None:
    kitchen = await stage.slack.channel("kitchen", anna)

    answer = await anna.commands("/banter ask what is rain?", kitchen)

    assert answer.is_ack
    message = await heard(stage)
    assert (message.session_key, message.text) == (stage.key(kitchen, person=anna.id), "what is rain?")
    assert message.called == ALONE


async def test_a_command_that_is_not_kept_is_not_acked(stage: NativeStage, anna: Person) -> None:
    stage.kept.fails = 1

    answer = await anna.commands("/banter new")

    assert not answer.is_ack
    assert stage.kept.said == []


async def test_the_buttons_of_a_reply_are_heard_and_forged_ones_are_not(stage: NativeStage, anna: Person) -> None:
    root = await anna.says("hello")
    blocks = [dict(one) for one in Buttons(SECRET).below(stage.key(anna.dm, root.ts), "0123456789abcdef0123")]
    told = {"channel": anna.dm.id, "thread_ts": root.ts, "text": "hi", "blocks": blocks}
    await stage.clients.call(stage.slack.token, "chat.postMessage", told)
    reply = await anna.dm.shows("hi")

    assert (await anna.presses("👍", reply)).is_ack
    assert (await anna.presses("👎", reply, forged="s.0123456789abcdef0123.x")).is_ack
    await stage.slack.settled()

    found = [one.inbound for one in stage.kept.arrivals if isinstance(one.inbound, Feedback)]
    assert [(one.session_key, one.message_id, one.opinion) for one in found] == [
        (stage.key(anna.dm, root.ts), reply.ts, Opinion.GOOD)
    ]


async def test_prompts_are_suggested_where_somebody_opens_the_messages(stage: NativeStage, anna: Person) -> None:
    await anna.opens_app("messages")

    [call] = await stage.slack.called("assistant.threads.setSuggestedPrompts")
    assert "thread_ts" not in call.parameters
    seen = await anna.dm.look()
    assert [one["title"] for one in seen.thread("").prompts] == [one.title for one in LABELS.suggestions]
    assert await stage.slack.calls("views.publish") == []


async def test_a_home_that_can_not_be_read_now_is_shown_the_next_time(stage: NativeStage, anna: Person) -> None:
    stage.book.is_away = True
    await anna.opens_app("home")
    await stage.slack.settled()
    assert await stage.slack.calls("views.publish") == []
    stage.book.is_away = False

    await anna.opens_app("home")

    await anna.home()


async def test_a_view_that_slack_does_not_take_now_costs_nothing_but_the_view(stage: NativeStage, anna: Person) -> None:
    await stage.slack.fault("answer", "views.publish", status=200, error="internal_error")
    await anna.opens_app("home")
    await stage.slack.called("views.publish")

    await anna.commands("/banter new")

    assert (await heard(stage)).text == "/new"
