"""Who may speak for a bot on the local Bot API server: one poller at a time, with the token that is good."""

import asyncio

import pytest
from telegram import Bot
from telegram.error import Conflict, InvalidToken

from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.people import Person
from tests.integration.telegram.hearing import shown
from tests.integration.telegram.ptb_bots import ptb_bot, raw_client


async def test_the_second_of_two_pollers_ends_the_first_ones_poll(
    telegram: LocalTelegram, bot: Bot, ann: Person
) -> None:
    (first,) = await bot.get_updates()
    async with ptb_bot(telegram) as other:
        polls = [asyncio.create_task(bot.get_updates(offset=first.update_id + 1, timeout=20))]
        await telegram.called("getUpdates", 2)
        polls.append(asyncio.create_task(other.get_updates(offset=first.update_id + 1, timeout=20)))
        with pytest.raises(Conflict, match="terminated by other getUpdates request; make sure that only one bot"):
            await polls[0]
        await ann.says("who hears it?")

        heard = await polls[1]

    assert [update.message and update.message.text for update in heard] == ["who hears it?"]


async def test_a_poll_ends_with_its_client_and_loses_nothing(telegram: LocalTelegram, bot: Bot, ann: Person) -> None:
    (first,) = await bot.get_updates()
    async with raw_client(telegram) as client:
        poll = asyncio.create_task(client.get("getUpdates", params={"offset": first.update_id + 1, "timeout": 20}))
        await telegram.called("getUpdates", 2)
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)
    await ann.says("hello")

    heard = await bot.get_updates(offset=first.update_id + 1, timeout=20)

    assert [update.message and update.message.text for update in heard] == ["hello"]
    assert [call.status for call in await telegram.calls("getUpdates")] == [200, 499, 200]  # and no 409


async def test_a_wrong_token_is_unauthorized_everywhere(telegram: LocalTelegram, ann: Person) -> None:
    async with ptb_bot(telegram, f"{telegram.bot_id}:somebody-elses") as stranger:
        for call in (stranger.get_me(), stranger.get_updates(), stranger.send_message(ann.id, "hello")):
            with pytest.raises(InvalidToken):
                await call
    async with raw_client(telegram) as client:
        told = [
            (await client.get(f"{telegram.base_url}/bot{token}/getMe")).json()
            for token in (f"{telegram.bot_id}:wrong", "nonsense")
        ]

    assert told == [
        {"ok": False, "error_code": 401, "description": "Unauthorized"},
        {"ok": False, "error_code": 401, "description": "Unauthorized: invalid token specified"},
    ]
    assert await shown(ann) == []


async def test_a_revoked_token_ends_a_poll_and_the_new_one_is_good(
    telegram: LocalTelegram, bot: Bot, ann: Person
) -> None:
    (first,) = await bot.get_updates()
    poll = asyncio.create_task(bot.get_updates(offset=first.update_id + 1, timeout=20))
    await telegram.called("getUpdates", 2)
    old = telegram.token
    new = await telegram.revoke_token()

    with pytest.raises(InvalidToken):
        await poll
    with pytest.raises(InvalidToken):
        await bot.send_message(ann.id, "hello")
    async with ptb_bot(telegram, new) as renewed:
        await renewed.send_message(ann.id, "hello")
    assert new != old
    assert await shown(ann) == ["hello"]
