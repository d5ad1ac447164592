"""Websockets to Slack: renewed without a gap, broken, refused."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from adapters.slack.socket_mode import SocketOptions
from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from core.errors import SettingsError
from tests.integration.slack.receiving import (
    DEADLINE_S,
    QUICK,
    lines,
    listening,
    over_sockets,
    staged,
)


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as slack:
        yield slack


async def open_sockets(slack: LocalSlack) -> set[str]:
    return {one.id for one in (await slack.look()).open_sockets}


async def new_sockets(slack: LocalSlack, than: set[str], count: int = 2) -> None:
    def is_renewed(state: object) -> bool:
        return len({one.id for one in state.open_sockets} - than) >= count  # type: ignore[attr-defined]

    await slack.until(is_renewed, DEADLINE_S)


async def test_two_connections_are_open_and_share_what_comes(slack: LocalSlack) -> None:
    async with over_sockets(slack) as stage:
        anna = await slack.person("Anna")
        for number in range(10):
            await anna.says(f"message {number}")
        await stage.kept.says(*(f"message {number}" for number in range(10)))
        await slack.settled()

        assert [one.acks for one in (await slack.look()).sockets] == [5, 5]


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_connections_are_renewed_and_nothing_has_to_come_again(slack: LocalSlack, reason: str) -> None:
    async with over_sockets(slack) as stage:
        anna = await slack.person("Anna")
        said: list[str] = []
        for _ in range(3):
            for socket in sorted(await open_sockets(slack)):
                before = await open_sockets(slack)
                await slack.refresh(socket, reason)
                for number in range(3):
                    said.append(f"{socket} {reason} {number}")
                    await anna.says(said[-1])
                await new_sockets(slack, before, 1)
                await slack.until(lambda state: len(state.open_sockets) == 2, DEADLINE_S)
        await stage.kept.says(*said)
        await slack.settled()

        attempts = [len(one.attempts) for one in await slack.deliveries("message")]
        assert set(attempts) == {1}


async def test_a_new_connection_is_open_before_the_old_one_is_closed(slack: LocalSlack) -> None:
    async with over_sockets(slack):
        before = await open_sockets(slack)
        await slack.refresh(reason="warning")
        await new_sockets(slack, before)
        await slack.until(lambda state: len(state.open_sockets) == 2, DEADLINE_S)

        sockets = (await slack.look()).sockets
        ends = [one.ended for one in sockets if one.ended is not None]
        begins = sorted(one.began for one in sockets if one.id not in before)
        assert len(ends) == 2
        assert begins[0] < min(ends)


async def test_what_is_handled_on_an_old_connection_is_acked_on_it(slack: LocalSlack) -> None:
    async with over_sockets(slack) as stage:
        anna = await slack.person("Anna")
        stage.kept.opened.clear()
        await anna.says("hello")
        await stage.kept.until(lambda kept: kept.calls == 1)
        before = await open_sockets(slack)
        await slack.refresh(reason="warning")
        await new_sockets(slack, before)
        stage.kept.opened.set()
        await slack.settled()

        [delivery] = await slack.deliveries("message")
        assert [(one.is_ack, one.over in before) for one in delivery.attempts] == [(True, True)]


async def test_a_connection_that_is_lost_without_a_word_is_replaced(slack: LocalSlack) -> None:
    async with over_sockets(slack) as stage:
        before = await open_sockets(slack)
        await slack.mute()
        await new_sockets(slack, before)
        anna = await slack.person("Anna")
        await anna.says("hello")
        while not stage.kept.texts:
            await slack.advance(100.0)
            await asyncio.sleep(0.05)

        assert stage.kept.texts == ["hello"]


async def test_slack_that_was_away_is_found_again_and_told_of_once(
    slack: LocalSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "adapters")
    async with over_sockets(slack) as stage:
        before = await open_sockets(slack)
        caplog.clear()
        await slack.go_away()
        async with asyncio.timeout(DEADLINE_S):
            while not lines(caplog):  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)  # several tries
        await slack.come_back()
        await new_sockets(slack, before)
        anna = await slack.person("Anna")
        await anna.says("hello")
        await stage.kept.says("hello")

    told = [line for line in lines(caplog) if "a connection to Slack is open" not in line]
    assert len(told) == 2
    assert told[0].startswith("Slack can't be reached")
    assert told[1] == "the bot is listened to again"


async def test_a_wrong_token_ends_the_start_and_names_its_setting(slack: LocalSlack) -> None:
    options = SocketOptions("xapp-1-A0LOCAL0001-0-wrong", stagger_s=0.0, pauses=QUICK)
    async with staged(slack, options) as stage:
        with pytest.raises(SettingsError, match="BANTER_SLACK_APP_TOKEN: Slack knows no app"):
            await stage.receiver.run(stage.kept)


async def test_so_does_the_token_of_another_app(slack: LocalSlack) -> None:
    async with staged(slack, app_id="A0OTHER001") as stage:
        with pytest.raises(SettingsError, match="BANTER_SLACK_APP_TOKEN: it is another app's"):
            await stage.receiver.run(stage.kept)


async def test_a_token_that_is_revoked_later_is_told_once_and_tried_seldom(
    slack: LocalSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "adapters")
    async with over_sockets(slack) as stage:
        before = await open_sockets(slack)
        await slack.fault("answer", "apps.connections.open", times=6, status=200, error="token_revoked")
        await slack.refresh()
        await new_sockets(slack, before)
        anna = await slack.person("Anna")
        await anna.says("hello")
        await stage.kept.says("hello")

    told = [line for line in lines(caplog) if "BANTER_SLACK_APP_TOKEN" in line]
    assert len(told) == 1
    assert "revoked" in told[0]
    assert lines(caplog).count("the bot is listened to again") == 1


async def test_one_connection_too_many_is_closed_before_the_next_is_opened(slack: LocalSlack) -> None:
    async with over_sockets(slack) as stage:
        before = await open_sockets(slack)
        await slack.refresh(reason="too_many_websockets")
        await new_sockets(slack, before)
        await slack.until(lambda state: len(state.open_sockets) == 2, DEADLINE_S)
        anna = await slack.person("Anna")
        await anna.says("hello")
        await stage.kept.says("hello")


async def test_what_is_being_kept_at_the_end_is_kept_and_acked(slack: LocalSlack) -> None:
    async with staged(slack) as stage:
        async with listening(stage) as receiving:
            await slack.connected(2)
            anna = await slack.person("Anna")
            stage.kept.opened.clear()
            await anna.says("hello")
            await stage.kept.until(lambda kept: kept.calls == 1)
            receiving.cancel()
            await asyncio.sleep(0)
            assert not receiving.done()
            stage.kept.opened.set()
        await slack.settled()

        assert stage.kept.texts == ["hello"]
        assert [one.state for one in await slack.deliveries("message")] == ["taken"]
        assert (await slack.look()).open_sockets == []


async def test_a_flood_finds_no_more_room_than_there_is_and_comes_again(
    slack: LocalSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.websocket._ROOM", 4)
    monkeypatch.setattr("adapters.slack.websocket._WAIT_S", 0.05)
    async with over_sockets(slack) as stage:
        anna = await slack.person("Anna")
        stage.kept.opened.clear()
        texts = [f"message {number}" for number in range(20)]
        for text in texts:
            await anna.says(text)
        await stage.kept.until(lambda kept: kept.calls == 8)
        await asyncio.sleep(0.5)  # what finds no room is let go
        assert stage.kept.calls == 8

        stage.kept.opened.set()
        while len(stage.kept.texts) < len(texts):
            await slack.advance(100.0)
            await asyncio.sleep(0.05)
        await stage.kept.says(*texts)


async def test_neither_tickets_nor_tokens_nor_texts_are_in_the_log(
    slack: LocalSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with over_sockets(slack) as stage:
        anna = await slack.person("Anna")
        await anna.says("something private")
        stage.kept.fails = 1
        await anna.says("something else that is private")
        await slack.send_event({"type": "event_callback", "event": {"type": "message", "text": "private too"}})
        before = await open_sockets(slack)
        await slack.refresh()
        await new_sockets(slack, before)
        await slack.go_away()
        await asyncio.sleep(0.3)
        await slack.come_back()
        await new_sockets(slack, await open_sockets(slack), 0)

    ours = [record for record in caplog.records if record.name.startswith(("adapters", "slack", "core", "asyncio"))]
    told = " ".join(str(vars(record)) for record in ours)
    for secret in (slack.app_token, slack.token, "ticket=", "private", "xapp-", "xoxb-"):
        assert secret not in told


async def test_over_websockets_nothing_is_brought_to_the_programs_own_server(slack: LocalSlack) -> None:
    async with staged(slack) as stage:
        assert stage.receiver.routes == ()
