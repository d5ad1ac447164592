"""Refusals are answers: they say why and when they end, and the model is not asked."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select

from core.dialogue import Platform, SessionKey
from core.memory.pairing import Pairings
from core.memory.tables import UsageRow
from core.pairing import hash_of, new_code
from core.policy import Policy
from core.quiet_hours import QuietHours, QuietSpan
from core.quotas import Amount, Quotas
from tests.integration.walk.group_talk import BANTER, GENERAL, IN_PRIVATE, bot_with, hears, message
from tests.platforms.paper_bot import Place
from tests.platforms.paper_model import answer_to


async def test_a_quota_refuses_clearly_and_the_refusal_is_an_answer(place: Place) -> None:
    async with bot_with(place, Policy(BANTER, quotas=Quotas(person=Amount(messages=2)))) as bot:
        for number in range(4):
            await hears(bot, message(f"question {number}", f"m{number}"))
        await hears(bot, message("hello", "m9", "ben"))
        await bot.settles()

        assert [told.state for told in await bot.told()] == ["delivered"] * 2 + ["refused"] * 2 + ["delivered"]
        [refusal] = place.platform.said("m3")
        assert refusal.startswith("You have had your 2 messages of today. Go on in ")
        assert (await bot.told())[3].reason == "quota: person messages"
        assert len(bot.model.requests) == 3


async def test_ten_threads_at_once_are_no_way_around_a_quota(place: Place) -> None:
    async with bot_with(place, Policy(BANTER, quotas=Quotas(person=Amount(messages=3)))) as bot:
        for number in range(10):
            await hears(bot, message("hello", f"m{number}", key=replace(GENERAL, thread=f"t{number}")))
        await bot.settles()

        states = [told.state for told in await bot.told()]
        assert (states.count("delivered"), states.count("refused")) == (3, 7)


async def test_tokens_are_counted_where_nobody_asked_for_it_yet(place: Place) -> None:
    async with bot_with(place, Policy(BANTER)) as bot:
        await hears(bot, message("hello", "m1"))
        await bot.settles()
    async with place.database.reading() as connection:
        [used] = (await connection.execute(select(UsageRow.__table__))).all()
    assert (used.person, used.channel, used.workspace) == ("anna", "general", "guild")
    assert used.tokens > len(answer_to("hello").split())

    async with bot_with(place, Policy(BANTER, quotas=Quotas(workspace=Amount(tokens=used.tokens)))) as bot:
        await hears(bot, message("hello", "m2", "ben"))
        await bot.settles()

        assert "This workspace has used up its" in place.platform.said("m2")[0]


async def test_quiet_hours_refuse_or_say_nothing(place: Place) -> None:
    now = datetime.now(UTC)
    span = QuietSpan(time((now.hour - 1) % 24), time((now.hour + 2) % 24))
    policy = Policy(
        replace(BANTER, quiet=QuietHours((span,))),
        {(Platform.DISCORD, "guild", "silent"): replace(BANTER, quiet=QuietHours((span,), is_told=False))},
    )
    async with bot_with(place, policy) as bot:
        await hears(bot, message("hello", "m1"))
        await hears(bot, message("hello", "m2", key=replace(GENERAL, channel="silent")))
        await bot.settles()

        assert place.platform.said("m1")[0].startswith("I keep quiet until")
        assert place.platform.said("m2") == []
        assert sorted(told.state for told in await bot.told()) == ["ignored", "refused"]
        assert bot.model.requests == []


async def test_somebody_unknown_says_a_code_first(place: Place) -> None:
    chat = SessionKey(Platform.DISCORD, "banter", "", "dm")
    code, now = new_code(), datetime.now(UTC)
    await Pairings(place.database).add_code(hash_of(code), now, now + timedelta(hours=1))
    async with bot_with(place, Policy(replace(BANTER, asks_for_code=True))) as bot:
        said = ["hello", new_code(), code, "hello"]
        for number, text in enumerate(said):
            await hears(bot, message(text, f"m{number}", key=chat, called=IN_PRIVATE))
        await bot.settles()

        told = [place.platform.said(f"m{number}")[0] for number in range(4)]
        assert "Ask whoever runs me for a code" in told[0]
        assert "That code is not valid" in told[1]
        assert told[2].startswith("Welcome!")
        assert told[3] == answer_to("hello")
        assert [one.state for one in await bot.told()] == ["refused", "refused", "delivered", "delivered"]
        assert bot.model.asked() == ["hello"]


async def test_a_refusal_is_in_the_places_language(place: Place) -> None:
    spanish = Policy(replace(BANTER, language="es"), quotas=Quotas(person=Amount(messages=1)))
    async with bot_with(place, spanish) as bot:
        await hears(bot, message("hola", "m1"), message("hola", "m2"))
        await bot.settles()

        assert place.platform.said("m2")[0].startswith("Ya has usado tus 1 mensajes de hoy.")
