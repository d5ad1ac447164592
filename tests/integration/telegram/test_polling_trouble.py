"""What can go wrong with listening: one clear line for each, and it goes on by itself where it can."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest

from adapters.telegram.clock import ClockCheck, blames_clock
from adapters.telegram.trouble import Pauses
from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from core.errors import SettingsError
from tests.integration.telegram.listening import DEADLINE_S, Kept, ask, lines, polling_of, running

AWAY = "what is sent to the bot waits there"
BACK = "the bot is listened to again"


@pytest.fixture
async def telegram() -> AsyncIterator[LocalTelegram]:
    async with local_telegram() as telegram:
        yield telegram


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture(autouse=True)
def told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "adapters")


async def said(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Until the log says it."""
    async with asyncio.timeout(DEADLINE_S):
        while not any(words in line for line in lines(caplog)):  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)


async def test_a_wrong_token_ends_the_start_and_names_its_setting(telegram: LocalTelegram, kept: Kept) -> None:
    with pytest.raises(SettingsError, match="BANTER_TELEGRAM_TOKEN"):
        await polling_of(telegram, token="123456:wrong").run(kept)


@pytest.mark.parametrize("token", ["wrong", "1:wrong\n", "1:a b", "1:a/b?c#d", "é"])
async def test_what_is_no_token_at_all_does_too(telegram: LocalTelegram, kept: Kept, token: str) -> None:
    with pytest.raises(SettingsError, match="BANTER_TELEGRAM_TOKEN"):
        await polling_of(telegram, token=token).run(kept)


async def test_a_token_that_is_revoked_is_told_once_and_nothing_ends(
    telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await telegram.person("Anna")
    async with running(polling_of(telegram), kept) as task:
        await anna.says("hello")
        await kept.says("hello")
        await telegram.revoke_token()
        await said(caplog, "revoked")
        tries = len(await telegram.calls("getUpdates"))
        async with asyncio.timeout(DEADLINE_S):
            while len(await telegram.calls("getUpdates")) < tries + 3:  # noqa: ASYNC110 - the server has no event
                await asyncio.sleep(0.05)
        assert not task.done()

    assert [line for line in lines(caplog) if "token" in line] == [
        "Telegram does not know the bot's token any more: it was revoked; set BANTER_TELEGRAM_TOKEN and start again"
    ]


async def test_the_network_goes_and_comes_back(
    telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await telegram.person("Anna")
    calm = Pauses(first_s=0.3, longest_s=0.4)  # the server takes a moment to be gone
    async with running(polling_of(telegram, pauses=calm), kept):
        await anna.says("before")
        await kept.says("before")
        await telegram.go_away()
        await said(caplog, AWAY)
        await anna.says("meanwhile")
        await telegram.come_back()
        await kept.says("before", "meanwhile")
        await said(caplog, BACK)

    assert [AWAY in line for line in lines(caplog)] == [True, False]


async def test_the_network_is_away_at_the_start(
    telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await telegram.person("Anna")
    await telegram.go_away()
    async with running(polling_of(telegram), kept):
        await said(caplog, AWAY)
        await telegram.come_back()
        await anna.says("hello")
        await kept.says("hello")


async def test_its_end_is_known_before_anybody_says_something(
    telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await telegram.person("Anna")
    async with running(polling_of(telegram, poll_s=50), kept):
        await anna.says("hello")
        await kept.says("hello")
        await telegram.fault("answer", "getUpdates", status=502)
        await anna.says("wake up")  # the poll that is under way ends, and the next one meets it
        await said(caplog, AWAY)
        await said(caplog, BACK)


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_server_that_is_out_of_order_is_asked_again(
    telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    anna = await telegram.person("Anna")
    await telegram.fault("answer", "getUpdates", status=status, times=3)
    await anna.says("hello")
    async with running(polling_of(telegram), kept):
        await kept.says("hello")
        await said(caplog, BACK)

    assert [str(status) in line for line in lines(caplog)] == [True, False]


async def test_a_server_that_wants_to_be_left_alone_is(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    await telegram.fault("answer", "getUpdates", status=429, retry_after_s=1)
    await anna.says("hello")
    async with running(polling_of(telegram), kept):
        await kept.says("hello")

    refused, later, *_ = await telegram.calls("getUpdates")
    assert refused.status == 429
    assert refused.ended is not None
    assert later.began - refused.ended >= 1.0


async def test_a_connection_that_hangs_is_given_up(
    telegram: LocalTelegram, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.telegram.polling._GRACE_S", 0.2)
    anna = await telegram.person("Anna")
    await telegram.fault("delay_before", "getUpdates", seconds=DEADLINE_S * 2)
    async with running(polling_of(telegram, poll_s=0), kept):
        await anna.says("hello")
        await kept.says("hello")


async def test_another_process_that_polls_is_told_once_and_left_alone(
    telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await telegram.person("Anna")
    calm = Pauses(first_s=0.05, longest_s=0.1, slow_s=0.5)
    async with running(polling_of(telegram, pauses=calm), kept), running(polling_of(telegram, pauses=calm), kept):
        await said(caplog, "make sure that only one bot instance is running")
        await anna.says("hello")
        await kept.until(lambda kept: "hello" in kept.texts)
        polls = len(await telegram.calls("getUpdates"))

    assert 1 <= sum("another process listens" in line for line in lines(caplog)) <= 2  # one for each of them
    assert polls < 50


async def test_a_webhook_that_somebody_sets_is_told(
    telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await telegram.person("Anna")
    async with running(polling_of(telegram), kept):
        await anna.says("hello")
        await kept.says("hello")
        await ask(telegram, "setWebhook", url="http://127.0.0.1:9/hook")
        await said(caplog, "setWebhook")
        await ask(telegram, "deleteWebhook")
        await anna.says("again")
        await kept.says("hello", "again")

    assert sum("another process listens" in line for line in lines(caplog)) == 1


async def test_a_database_that_is_away_keeps_updates_at_telegram(
    telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await telegram.person("Anna")
    kept.fails = 3
    await anna.says("hello")
    async with running(polling_of(telegram), kept):
        await kept.says("hello")
        await said(caplog, BACK)

    assert lines(caplog) == [
        "what was sent to the bot could not be kept, and waits at Telegram: the database is away",
        BACK,
    ]


async def test_a_clock_that_is_wrong_is_told_once(
    telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.telegram.line.ClockCheck", lambda: ClockCheck(lambda: time.time() - 4000))
    anna = await telegram.person("Anna")
    async with running(polling_of(telegram), kept):
        await anna.says("hello")
        await anna.says("hello")
        await kept.says("hello", "hello")

    [line] = lines(caplog)
    assert line.startswith("this machine's clock is 4000 s behind Telegram's") or "3999" in line


async def test_a_certificate_out_of_its_time_names_the_clock() -> None:
    assert blames_clock(
        OSError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid")
    )
    assert not blames_clock(OSError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed"))


async def test_no_line_tells_the_token(telegram: LocalTelegram, kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    anna = await telegram.person("Anna")
    secret = telegram.token.partition(":")[2]
    async with running(polling_of(telegram), kept):
        await telegram.fault("answer", "getUpdates", status=500)
        await anna.says("hello")
        await kept.says("hello")
        await telegram.go_away()
        await said(caplog, AWAY)
        await telegram.come_back()
        await telegram.revoke_token()
        await said(caplog, "revoked")

    own = [
        record for record in caplog.records if record.levelno >= logging.WARNING or record.name.startswith("adapters")
    ]
    assert own
    assert not any(secret in str(vars(record)) for record in own)
