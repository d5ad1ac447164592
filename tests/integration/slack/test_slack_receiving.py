"""What people do in Slack reaches the core, over websockets and over HTTP alike."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from adapters.slack.api import Clients
from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from core.dialogue import Called, Deletion, Edit, Feedback, InboundMessage, Move, Opinion
from tests.integration.slack.receiving import DEADLINE_S, WAYS, Stage

ALIKE = pytest.mark.parametrize("stage", list(WAYS), indirect=True)


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as slack:
        yield slack


@pytest.fixture
async def stage(request: pytest.FixtureRequest, slack: LocalSlack) -> AsyncIterator[Stage]:
    async with WAYS[request.param](slack) as stage:
        yield stage


@ALIKE
async def test_what_is_said_is_brought_with_the_name_of_who_said_it(slack: LocalSlack, stage: Stage) -> None:
    anna = await slack.person("Anna")
    message = await anna.says("hello")
    await stage.kept.says("hello")

    [said] = stage.kept.said
    assert (said.person.platform_id, said.person.name, said.message_id) == (anna.id, "Anna", message.ts)
    assert (said.session_key.bot, said.session_key.workspace) == (slack.app_id, slack.install.id)
    assert (said.session_key.channel, said.session_key.thread) == (anna.dm.id, message.ts)
    assert said.called == Called(directly=True)


@ALIKE
async def test_a_name_that_does_not_come_keeps_nobody_waiting_and_nobody_asks_who_the_bot_is(
    slack: LocalSlack, stage: Stage
) -> None:
    anna = await slack.person("Anna")
    await slack.fault("delay_before", "users.info", seconds=DEADLINE_S)
    begun = time.monotonic()
    await anna.says("hello")
    await stage.kept.says("hello")

    assert time.monotonic() - begun < 5.0
    assert stage.kept.said[0].person.name == anna.id
    assert await slack.calls("auth.test") == []


@ALIKE
async def test_a_thumb_is_brought_with_the_message_that_it_is_about(slack: LocalSlack, stage: Stage) -> None:
    anna = await slack.person("Anna")
    clients = Clients(slack.api_url)
    told = await clients.call(slack.token, "chat.postMessage", {"channel": anna.dm.id, "text": "an answer"})
    await clients.aclose()
    [answer] = await anna.dm.answers()
    await anna.reacts("+1", answer)
    await slack.settled()
    await anna.takes_back("+1", answer)
    await slack.settled()

    given, taken = (one.inbound for one in stage.kept.arrivals if isinstance(one.inbound, Feedback))
    assert isinstance(given, Feedback)
    assert isinstance(taken, Feedback)
    assert given.message_id == taken.message_id == told["ts"]
    assert (given.opinion, given.is_withdrawn, taken.is_withdrawn) == (Opinion.GOOD, False, True)


@ALIKE
async def test_a_mention_and_its_twin_are_one_and_a_thread_goes_on(slack: LocalSlack, stage: Stage) -> None:
    anna, omar = await slack.person("Anna"), await slack.person("Omar")
    kitchen = await slack.channel("kitchen", anna, omar)
    root = await anna.says(f"{slack.mention} what goes with rice, {omar.mention}?", kitchen)
    await omar.says("and with millet?", kitchen, thread=root)
    await stage.kept.says("what goes with rice, @Omar?", "and with millet?")
    await slack.settled()

    mentions = [one for one in stage.kept.said if one.message_id == root.ts]
    assert len(mentions) == 2
    assert len({one.event_key for one in mentions}) == 1
    assert {one.called for one in mentions} == {Called(by_mention=True)}
    [follow_up] = [one for one in stage.kept.said if one.person.name == "Omar"]
    assert follow_up.session_key == mentions[0].session_key


@ALIKE
async def test_it_is_acked_when_it_was_kept_and_not_before(slack: LocalSlack, stage: Stage) -> None:
    anna = await slack.person("Anna")
    stage.kept.opened.clear()
    await anna.says("hello")
    await stage.kept.until(lambda kept: kept.calls == 1)
    assert (await slack.look()).pending_events == 1

    stage.kept.opened.set()
    await slack.settled()
    assert [one.state for one in await slack.deliveries("message")] == ["taken"]


@ALIKE
async def test_what_could_not_be_kept_comes_again(slack: LocalSlack, stage: Stage) -> None:
    anna = await slack.person("Anna")
    stage.kept.fails = 2
    await anna.says("hello")
    await stage.kept.until(lambda kept: kept.calls == 1)
    while not stage.kept.texts:
        await slack.advance(400.0)
        await asyncio.sleep(0.05)
    await slack.settled()

    [delivery] = await slack.deliveries("message")
    assert delivery.state == "taken"
    assert [one.is_ack for one in delivery.attempts] == [False, False, True]
    assert stage.kept.texts == ["hello"]


@ALIKE
async def test_edits_and_deletions_are_brought(slack: LocalSlack, stage: Stage) -> None:
    anna = await slack.person("Anna")
    message = await anna.says("What is rain?")
    await anna.dm.unfurl(message)
    await anna.edits(message, "What is snow?")
    await slack.settled()
    await anna.deletes(message)
    await slack.settled()

    said, edit, deletion = (one.inbound for one in stage.kept.arrivals)
    assert isinstance(said, InboundMessage)
    assert isinstance(edit, Edit)
    assert isinstance(deletion, Deletion)
    assert (edit.session_key, edit.message_id, edit.text) == (said.session_key, said.message_id, "What is snow?")
    assert (deletion.session_key, deletion.message_id) == (said.session_key, said.message_id)


@ALIKE
async def test_a_channel_that_is_shared_has_another_id(slack: LocalSlack, stage: Stage) -> None:
    anna = await slack.person("Anna")
    cellar = await slack.channel("cellar", anna, kind="group")
    new = await cellar.change_id()
    await slack.settled()

    [move] = [one.inbound for one in stage.kept.arrivals]
    assert isinstance(move, Move)
    assert (move.session_key.channel, move.new_channel, move.keeps_message_ids) == (cellar.id, new.id, True)


@ALIKE
async def test_what_nobody_listens_to_is_acked_and_not_kept(slack: LocalSlack, stage: Stage) -> None:
    anna = await slack.person("Anna")
    kitchen = await slack.channel("kitchen")
    await anna.joins(kitchen)
    to = {"api_app_id": slack.app_id, "team_id": slack.team_id}
    await slack.send_event({**to, "type": "event_callback", "event": {"type": "something_new", "x": 1}})
    await slack.send_event({**to, "type": "something_else_entirely"})
    state = await slack.settled()

    assert state.pending_events == 0
    assert {one.state for one in await slack.deliveries()} == {"taken"}
    assert stage.kept.arrivals == []


@ALIKE
async def test_what_nobody_understands_is_acked_and_kept_as_a_dead_letter(slack: LocalSlack, stage: Stage) -> None:
    for broken in (
        {"type": "event_callback", "event": {"type": "message", "channel": 5}},
        {"type": "event_callback", "event": None},
        {"type": "event_callback", "event": {"type": "message", "text": {}}, "authorizations": [None]},
        {"type": "event_callback", "event": {"type": "message"}, "api_app_id": "A0OTHER001"},
    ):
        await slack.send_event({"api_app_id": slack.app_id, "team_id": slack.team_id, **broken})
    await slack.send_event({"type": "event_callback", "event": {"type": "message"}})
    await slack.settled()

    assert {one.state for one in await slack.deliveries()} == {"taken"}
    assert [one.inbound for one in stage.kept.arrivals] == [None] * 5
    assert all(one.error for one in stage.kept.arrivals)


@ALIKE
async def test_who_opens_the_app_is_shown_something_after_the_ack(slack: LocalSlack, stage: Stage) -> None:
    anna = await slack.person("Anna")
    stage.native.opened.clear()
    await anna.opens_app("messages")
    await slack.settled()
    assert stage.native.answered == []

    stage.native.opened.set()
    await stage.native.shows()
    assert [body["event"]["type"] for body in stage.native.answered] == ["app_home_opened"]  # type: ignore[index]
    assert stage.kept.arrivals == []


@ALIKE
async def test_slacks_own_stop_is_brought(slack: LocalSlack, stage: Stage) -> None:
    anna = await slack.person("Anna")
    root = await anna.says("hello")
    session = {"channel_id": anna.dm.id, "thread_ts": root.ts, "status": "processing"}
    clients = Clients(slack.api_url)
    await clients.call(slack.token, "agents.sessions.setStatus", session)
    await clients.aclose()
    await anna.stops(root)
    await slack.settled()

    feedback = stage.kept.arrivals[-1].inbound
    assert isinstance(feedback, Feedback)
    assert (feedback.opinion, feedback.message_id, feedback.person.platform_id) == (Opinion.STOP, "", anna.id)
    assert feedback.session_key == stage.kept.said[0].session_key


class TestWorkspaces:
    @ALIKE
    async def test_a_workspace_that_takes_the_app_away_is_known_to_be_gone(
        self, slack: LocalSlack, stage: Stage
    ) -> None:
        await slack.uninstall()
        await stage.installed.until_gone()
        await slack.settled()

        assert stage.installed.gone == [slack.install.id]
        assert {one.state for one in await slack.deliveries()} == {"taken"}

    @ALIKE
    async def test_so_is_one_whose_token_was_revoked(self, slack: LocalSlack, stage: Stage) -> None:
        await slack.revoke_token()
        await stage.installed.until_gone()

        assert stage.installed.gone == [slack.install.id]

    @ALIKE
    async def test_a_token_of_a_persons_own_is_none_of_the_apps(self, slack: LocalSlack, stage: Stage) -> None:
        event = {"type": "tokens_revoked", "tokens": {"oauth": ["U0ANNA0001"], "bot": []}}
        await slack.send_event({"type": "event_callback", "event": event})
        await slack.settled()

        assert stage.installed.gone == []

    @ALIKE
    async def test_what_comes_from_where_the_app_is_not_is_acked_and_not_kept(
        self, slack: LocalSlack, stage: Stage
    ) -> None:
        anna = await slack.person("Anna")
        stage.installed.workspaces.clear()
        await anna.says("anybody there?")
        await slack.settled()

        assert [one.state for one in await slack.deliveries("message")] == ["taken"]
        assert stage.kept.arrivals == []

    @ALIKE
    async def test_installations_that_can_not_be_read_make_it_come_again(self, slack: LocalSlack, stage: Stage) -> None:
        anna = await slack.person("Anna")
        stage.installed.is_away = True
        await anna.says("hello")
        await slack.delivered(lambda deliveries: any(one.attempts for one in deliveries))
        stage.installed.is_away = False
        while not stage.kept.texts:
            await slack.advance(100.0)
            await asyncio.sleep(0.05)

        assert stage.kept.texts == ["hello"]
