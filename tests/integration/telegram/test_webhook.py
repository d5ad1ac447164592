"""A webhook on the program's own web server, and a local Bot API server that brings updates to it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest
from starlette.applications import Starlette

from adapters.telegram.line import Address
from adapters.telegram.moves import Moves
from adapters.telegram.updates import KINDS, Updates
from adapters.telegram.webhook import Webhook, WebhookOptions
from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.options import Options
from bots.web import serving
from core.errors import SettingsError
from tests.integration.telegram.listening import DEADLINE_S, QUICK, Kept, account_of, ask, lines, running
from tests.unit.telegram.recorded import PlainButtons, recorded

SECRET = "a-secret_of-32-letters-and-digits"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
LIMIT_BYTES = 20_000


@dataclass(frozen=True)
class Stage:
    telegram: LocalTelegram
    webhook: Webhook
    kept: Kept
    web: httpx2.AsyncClient
    url: str

    async def post(self, body: bytes | str, secret: str | None = SECRET) -> httpx2.Response:
        return await self.web.post(self.url, content=body, headers={HEADER: secret} if secret is not None else {})


@asynccontextmanager
async def staged(check_s: float = 60.0) -> AsyncIterator[Stage]:
    """Nobody accepts yet."""
    app = Starlette()
    async with (
        local_telegram(Options(webhook_wait_s=0.1)) as telegram,
        serving(app, "127.0.0.1", 0) as port,
        httpx2.AsyncClient(timeout=DEADLINE_S, trust_env=False) as web,
    ):
        url = f"http://127.0.0.1:{port}/telegram"
        options = WebhookOptions(url, SECRET, 7, LIMIT_BYTES, check_s, 1, QUICK)
        address = Address(telegram.token, telegram.base_url)
        webhook = Webhook(address, Updates(account_of(telegram), PlainButtons()), Moves(), options)
        app.add_route("/telegram", webhook.receive, methods=["POST"])
        yield Stage(telegram, webhook, Kept(), web, url)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as stage:
        yield stage


async def webhook_is_set(telegram: LocalTelegram, url: str) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while (await _told(telegram))["url"] != url:  # noqa: ASYNC110 - another process's state has no event
            await asyncio.sleep(0.02)


async def _told(telegram: LocalTelegram) -> dict[str, object]:
    told = (await telegram.state())["webhook"]
    assert isinstance(told, dict)
    return told


async def test_what_is_said_is_brought(stage: Stage) -> None:
    anna = await stage.telegram.person("Anna")
    async with running(stage.webhook, stage.kept):
        await anna.says("hello")
        await stage.kept.says("hello")

    assert stage.kept.batches[0][1] is None


async def test_the_webhook_is_set_with_all_that_it_needs(stage: Stage) -> None:
    async with running(stage.webhook, stage.kept):
        await webhook_is_set(stage.telegram, stage.url)

    [call] = await stage.telegram.calls("setWebhook")
    assert call.parameters["url"] == stage.url
    assert call.parameters["secret_token"] == SECRET
    assert call.parameters["max_connections"] == "7"
    assert json.loads(call.parameters["allowed_updates"]) == list(KINDS)


async def test_200_is_said_when_it_was_kept_and_not_before(stage: Stage) -> None:
    stage.kept.opened.clear()
    async with running(stage.webhook, stage.kept):
        posted = asyncio.create_task(stage.post(recorded("private_text")))
        await stage.kept.until(lambda kept: kept.calls == 1)
        assert not posted.done()

        stage.kept.opened.set()
        assert (await posted).status_code == 200

    assert stage.kept.texts == ["What is rain?"]


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", "é"])
async def test_who_does_not_know_the_secret_is_not_heard(stage: Stage, secret: str | None) -> None:
    async with running(stage.webhook, stage.kept):
        await webhook_is_set(stage.telegram, stage.url)
        headers = [] if secret is None else [(HEADER.encode(), secret.encode("latin-1"))]
        answer = await stage.web.post(stage.url, content=recorded("private_text"), headers=headers)

    assert answer.status_code == 403
    assert stage.kept.calls == 0


async def test_only_posts_are_taken(stage: Stage) -> None:
    assert (await stage.web.get(stage.url, headers={HEADER: SECRET})).status_code == 405


async def test_a_body_that_is_too_long_is_not_read_to_its_end(stage: Stage) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1000 * LIMIT_BYTES:
            sent += 4096
            yield b"x" * 4096

    async with running(stage.webhook, stage.kept):
        await webhook_is_set(stage.telegram, stage.url)
        answer = await stage.web.post(stage.url, content=endless(), headers={HEADER: SECRET})

    assert answer.status_code == 413
    assert stage.kept.calls == 0


async def test_nobody_accepts_yet(stage: Stage) -> None:
    answer = await stage.post(recorded("private_text"))

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_database_that_is_away_makes_telegram_bring_it_again(stage: Stage) -> None:
    anna = await stage.telegram.person("Anna")
    async with running(stage.webhook, stage.kept):
        await webhook_is_set(stage.telegram, stage.url)
        stage.kept.fails = 1
        answer = await stage.post(recorded("private_text"))
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)

        await anna.says("hello")
        await stage.kept.says("hello")


async def test_an_update_that_nobody_understands_is_taken_as_a_dead_letter(stage: Stage) -> None:
    async with running(stage.webhook, stage.kept):
        await webhook_is_set(stage.telegram, stage.url)
        for body in (b"", b"\xff\xfe", b"[" * 10_000, b'{"update_id": 5, "message": {"text": 5}}'):
            assert (await stage.post(body)).status_code == 200

    assert [arrival.inbound for arrival in stage.kept.arrivals] == [None] * 4
    assert all(arrival.error for arrival in stage.kept.arrivals)


async def test_what_says_nothing_is_taken_and_not_kept(stage: Stage) -> None:
    async with running(stage.webhook, stage.kept):
        await webhook_is_set(stage.telegram, stage.url)
        assert (await stage.post(recorded("group_member_joined"))).status_code == 200

    assert stage.kept.calls == 0


async def test_a_press_is_answered(stage: Stage) -> None:
    anna = await stage.telegram.person("Anna")
    async with running(stage.webhook, stage.kept):
        said = await anna.says("hello")
        await stage.kept.says("hello")
        await stage.telegram.notice(await anna.forges_press("made-here:bad", said))


async def test_what_is_being_kept_at_the_end_is_kept(stage: Stage) -> None:
    stage.kept.opened.clear()
    async with running(stage.webhook, stage.kept) as receiving:
        await webhook_is_set(stage.telegram, stage.url)
        posted = asyncio.create_task(stage.post(recorded("private_text")))
        await stage.kept.until(lambda kept: kept.calls == 1)
        receiving.cancel()
        late = await stage.post(recorded("group_mention"))
        assert not receiving.done()
        stage.kept.opened.set()
        assert (await posted).status_code == 200

    assert late.status_code == 503
    assert stage.kept.texts == ["What is rain?"]


async def test_messages_of_a_chat_come_in_their_order_whatever_fails(stage: Stage) -> None:
    anna = await stage.telegram.person("Anna")
    stage.kept.fails = 2
    said = [f"message {number}" for number in range(20)]
    async with running(stage.webhook, stage.kept):
        for text in said:
            await anna.says(text)
        await stage.kept.says(*said)


async def test_a_wrong_token_ends_the_start_and_names_its_setting(stage: Stage) -> None:
    await stage.telegram.revoke_token()

    with pytest.raises(SettingsError, match="BANTER_TELEGRAM_TOKEN"):
        await stage.webhook.run(stage.kept)


async def test_an_address_that_telegram_does_not_take_ends_the_start() -> None:
    async with local_telegram() as telegram:
        options = WebhookOptions("http://bots.example.org/telegram", SECRET)
        address = Address(telegram.token, telegram.base_url)
        webhook = Webhook(address, Updates(account_of(telegram), PlainButtons()), Moves(), options)

        with pytest.raises(SettingsError, match="HTTPS URL must be provided"):
            await webhook.run(Kept())


async def test_a_webhook_that_somebody_takes_away_is_told_and_set_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "adapters")
    async with staged(check_s=0.05) as stage, running(stage.webhook, stage.kept):
        await webhook_is_set(stage.telegram, stage.url)
        await ask(stage.telegram, "deleteWebhook")
        await webhook_is_set(stage.telegram, stage.url)

        anna = await stage.telegram.person("Anna")
        await anna.says("hello")
        await stage.kept.says("hello")

    assert [line for line in lines(caplog) if "another process" in line] == [
        "another process listens to this bot: it took the webhook away, or set one of its own"
    ]


async def test_what_telegram_can_not_bring_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "adapters")
    async with staged(check_s=0.05) as stage, running(stage.webhook, stage.kept):
        await webhook_is_set(stage.telegram, stage.url)
        stage.kept.fails = 1
        anna = await stage.telegram.person("Anna")
        await anna.says("hello")
        await stage.kept.says("hello")
        looked = len(await stage.telegram.calls("getWebhookInfo"))
        async with asyncio.timeout(DEADLINE_S):
            while len(await stage.telegram.calls("getWebhookInfo")) < looked + 3:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)

    assert lines(caplog) == [
        "Telegram could not bring what was sent to the bot: Wrong response from the webhook: 503 Service Unavailable"
    ]


async def test_neither_the_secret_nor_what_was_said_is_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "adapters")
    async with running(stage.webhook, stage.kept):
        await webhook_is_set(stage.telegram, stage.url)
        await stage.post(recorded("private_text"), secret="wrong-secret")
        await stage.post(recorded("private_text"))
        await stage.post(recorded("private_text")[:-5])

    told = " ".join(str(vars(record)) for record in caplog.records if record.name.startswith(("adapters", "uvicorn")))
    assert SECRET not in told
    assert "wrong-secret" not in told
    assert "What is rain?" not in told


@pytest.mark.parametrize("secret", ["", "a b", "x" * 257, "geheimnißvoll"])
def test_a_secret_that_telegram_would_refuse_is_refused_here(secret: str) -> None:
    with pytest.raises(ValueError, match="secret has 1–256 letters"):
        WebhookOptions("https://bots.example.org/telegram", secret)
