"""`banter doctor` asks Telegram about the bot, says what to do, and changes nothing."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bots.doctor import Finding
from bots.sandbox.local_telegram.account import BotOptions
from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.options import Options
from bots.telegram_doctor import examine_telegram
from core.settings.answering import AnsweringSettings, PlaceSettings
from core.settings.settings import Settings
from core.settings.telegram import TelegramSettings
from tests.integration.telegram.ptb_bots import ptb_bot

URL = "http://127.0.0.1:9/telegram"


@pytest.fixture
async def telegram() -> AsyncIterator[LocalTelegram]:
    async with local_telegram() as telegram:
        yield telegram


def settings(telegram: LocalTelegram, token: str = "", **more: object) -> Settings:
    told = {"token": SecretStr(token or telegram.token), "api_url": telegram.base_url, **more}
    return Settings(telegram=TelegramSettings(**told))  # type: ignore[arg-type]


def found(findings: list[Finding], name: str) -> tuple[bool, str]:
    [finding] = [finding for finding in findings if finding.name == name]
    return finding.good, finding.told


async def test_it_says_who_the_bot_is_and_asks_for_nothing_else(telegram: LocalTelegram) -> None:
    findings = await examine_telegram(settings(telegram))

    assert [(finding.good, finding.told) for finding in findings] == [
        (True, f"@banter_bot, bot {telegram.bot_id}; private chats have no topics"),
        (True, "asked for by polling; 0 waiting"),
        (True, "it hears commands, mentions and replies to it there, and nothing else (privacy mode)"),
    ]
    assert {call.method for call in await telegram.calls()} == {"getMe", "getWebhookInfo"}


async def test_private_topics_and_open_groups_are_told() -> None:
    bot = BotOptions(reads_all_group_messages=True, has_topics_enabled=True)
    async with local_telegram(Options(bot)) as telegram:
        answering = AnsweringSettings(group_context=True, names=("Banter",))
        findings = await examine_telegram(settings(telegram).model_copy(update={"answering": answering}))

    assert found(findings, "Telegram")[1].endswith("private chats have topics")
    assert found(findings, "Telegram's groups") == (
        True,
        "it hears everything there; what is not for it is not stored",
    )


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"answering": AnsweringSettings(names=("Banter",))}, "answering.names wants"),
        ({"answering": AnsweringSettings(answer_to=("always",))}, "answering.answer_to wants"),
        ({"places": {"telegram//-100": PlaceSettings(answer_to=("always",))}}, 'places."telegram//-100".answer_to'),
        (
            {"answering": AnsweringSettings(prefixes=("!b",), group_context=True)},
            "group_context and answering.prefixes",
        ),
        ({"places": {"telegram//-100": PlaceSettings(group_context=True)}}, 'places."telegram//-100".group_context'),
    ],
)
async def test_what_privacy_mode_keeps_from_it_is_a_finding(
    telegram: LocalTelegram, changes: dict[str, object], named: str
) -> None:
    good, told = found(await examine_telegram(settings(telegram).model_copy(update=changes)), "Telegram's groups")

    assert not good
    assert named in told
    assert "/setprivacy at @BotFather" in told


@pytest.mark.parametrize(
    "changes",
    [
        {"answering": AnsweringSettings(names=("Banter",), answer_to=("direct", "mention"))},
        {"places": {"slack/T012": PlaceSettings(group_context=True)}},
    ],
)
async def test_what_asks_for_no_more_is_none(telegram: LocalTelegram, changes: dict[str, object]) -> None:
    findings = await examine_telegram(settings(telegram).model_copy(update=changes))

    assert found(findings, "Telegram's groups")[0]


async def test_a_webhook_that_is_in_pollings_way_is_told_by_its_host_alone(telegram: LocalTelegram) -> None:
    async with ptb_bot(telegram) as bot:
        await bot.set_webhook(f"http://127.0.0.1:9/{telegram.token}")
    findings = await examine_telegram(settings(telegram))
    info = (await telegram.look()).webhook

    good, told = found(findings, "Telegram's messages")
    assert not good
    assert "brought to 127.0.0.1:9 by a webhook" in told
    assert 'telegram.receive = "webhook"' in told
    assert all(telegram.token not in finding.told for finding in findings)
    assert info["url"] == f"http://127.0.0.1:9/{telegram.token}"


async def test_a_webhook_is_compared_with_the_settings(telegram: LocalTelegram) -> None:
    chosen = settings(telegram, receive="webhook", webhook_url=URL)
    before = found(await examine_telegram(chosen), "Telegram's messages")
    async with ptb_bot(telegram) as bot:
        await bot.set_webhook("http://127.0.0.1:9/other")
        other = found(await examine_telegram(chosen), "Telegram's messages")
        await bot.set_webhook(URL)
        same = found(await examine_telegram(chosen), "Telegram's messages")
        await (await telegram.person("Ann")).says("hello")
        await telegram.troubled()
        broken = found(await examine_telegram(chosen), "Telegram's messages")

    assert before == (True, "no webhook yet; it is set when the bot starts; 0 waiting")
    assert not other[0]
    assert "not to telegram.webhook_url" in other[1]
    assert same == (True, "brought to 127.0.0.1:9 by a webhook; 0 waiting")
    assert not broken[0]
    assert "could not bring them: Connection" in broken[1]
    assert "(1 waiting)" in broken[1]


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("7000000001:AAwrong", "Telegram knows no bot by it; set the one that @BotFather shows"),
        ("AAhunter2", "not a bot's token"),
    ],
)
async def test_a_wrong_token_is_one_finding_without_the_token(telegram: LocalTelegram, token: str, told: str) -> None:
    [finding] = await examine_telegram(settings(telegram, token))

    assert not finding.good
    assert told in finding.told
    assert token not in finding.told


async def test_that_telegram_is_away_is_said(telegram: LocalTelegram) -> None:
    await telegram.go_away()
    [finding] = await examine_telegram(settings(telegram))

    assert not finding.good
    assert "Telegram can't be reached" in finding.told
    assert telegram.token not in finding.told


async def test_an_answer_of_another_kind_is_no_bot(telegram: LocalTelegram) -> None:
    await telegram.fault("answer", "getMe", status=502)
    [finding] = await examine_telegram(settings(telegram))

    assert not finding.good
    assert "out of order (HTTP 502)" in finding.told
