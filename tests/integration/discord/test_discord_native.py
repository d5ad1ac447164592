"""What people do with Discord's own means is stored, then acknowledged; both within three seconds, or they are told."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
from discord.http import Route

from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import MessageSeen
from core.dialogue import Feedback, Opinion
from tests.integration.discord.native_stage import OPINIONS, NativeStage, native_stage
from tests.integration.discord.receiving import lines

TRY_AGAIN = "I could not take that in. Please try again."


@pytest.fixture
async def stage(discord: LocalDiscord) -> AsyncIterator[NativeStage]:
    async with native_stage(discord) as stage:
        yield stage


async def reply_with_buttons(stage: NativeStage, place: Place) -> MessageSeen:
    """As the bot sends it."""
    buttons = [
        {"type": 2, "style": 2, "label": opinion.value, "custom_id": OPINIONS.value(opinion, "cafe.0", place.id)}
        for opinion in (Opinion.STOP, Opinion.GOOD)
    ]
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=place.id)
    await stage.rest.request(route, json={"content": "a reply", "components": [{"type": 1, "components": buttons}]})
    [reply] = await place.answers(1)
    return reply


async def test_a_question_is_stored_and_then_acknowledged(stage: NativeStage, ann: Person, general: Place) -> None:
    answer = await ann.commands("ask", general, question="why does it rain?")

    assert (answer.type, answer.is_ephemeral, answer.took_s < 3) == (5, False, True)
    [said] = stage.kept.said
    assert (said.message_id, said.text, said.session_key.channel) == (f"i{answer.id}", "why does it rain?", general.id)
    assert stage.inner.kept == {answer.id: answer.token}
    async with asyncio.timeout(1):  # it was acknowledged, so nobody waits
        assert await stage.tokens.of(answer.id) == answer.token


async def test_no_token_is_stored_in_the_clear_or_logged(
    stage: NativeStage, ann: Person, general: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await ann.commands("ask", general, question="a secret?")
    await stage.discord.fault("answer", "callback", status=403, error="50013")
    await ann.commands("help", general)

    raw = [json.loads(arrival.raw) for arrival in stage.kept.arrivals]
    assert raw[0]["id"] == answer.id
    assert answer.token not in "".join(arrival.raw for arrival in stage.kept.arrivals)
    told = [record.getMessage() for record in caplog.records if record.name.startswith(("adapters", "discord"))]
    assert [line for line in told if "was not answered" in line] != []
    assert [line for line in told if answer.token in line or "a secret?" in line] == []


async def test_what_is_ones_own_is_for_oneself_alone_but_where_nobody_else_reads(
    stage: NativeStage, ann: Person, general: Place
) -> None:
    answers = [await ann.commands("help", general), await ann.commands("help")]

    assert [answer.is_ephemeral for answer in answers] == [True, False]
    assert stage.said == [("e", "/help"), ("i", "/help")]
    assert [one.called.directly for one in stage.kept.said] == [False, True]


async def test_who_shall_answer_is_said_before_the_question(stage: NativeStage, ann: Person, general: Place) -> None:
    answer = await ann.commands("ask", general, question="hoo?", persona="owl", model="small")

    told = [(one.message_id, one.text) for one in stage.kept.said]
    assert told == [
        (f"i{answer.id}.0", "/persona use owl"),
        (f"i{answer.id}.1", "/model use small"),
        (f"i{answer.id}", "hoo?"),
    ]


async def test_who_answers_anyway_is_not_chosen_again(stage: NativeStage, ann: Person, general: Place) -> None:
    await ann.commands("ask", general, question="meow?", persona="cat")
    stage.offered.is_away = True
    await ann.commands("ask", general, question="meow?", persona="cat")

    assert [text for _, text in stage.said] == ["meow?", "/persona use cat", "meow?"]


async def test_names_are_offered_while_they_are_typed(stage: NativeStage, ann: Person, general: Place) -> None:
    offered = await ann.types_into("ask", "persona", "o", general)

    assert (offered.type, offered.choices) == (8, {"owl": "owl", "dog": "dog"})
    assert (await ann.types_into("ask", "model", "b", general)).choices == {"big": "big"}
    assert stage.kept.arrivals == []


@pytest.mark.parametrize("away", ["inbox", "tokens"])
async def test_a_database_that_is_away_is_told(stage: NativeStage, ann: Person, general: Place, away: str) -> None:
    stage.kept.is_away, stage.inner.is_away = away == "inbox", away == "tokens"
    answer = await ann.commands("new", general)

    assert (answer.type, answer.is_ephemeral, answer.data["content"]) == (4, True, TRY_AGAIN)
    assert stage.kept.arrivals == []

    stage.kept.is_away = stage.inner.is_away = False
    assert (await ann.commands("new", general)).type == 5


async def test_a_database_that_hangs_is_told_before_discord_stops_waiting(
    stage: NativeStage, ann: Person, general: Place
) -> None:
    stage.kept.opened.clear()
    answer = await ann.commands("new", general)

    assert (answer.type, answer.data["content"]) == (4, TRY_AGAIN)
    assert answer.took_s < 3


async def test_whoever_is_shut_out_is_told_at_once(stage: NativeStage, ann: Person, general: Place) -> None:
    stage.offered.shut_out.add(ann.id)
    answers = [await ann.commands("ask", general, question="hello?"), await ann.commands("settings", general)]

    assert [(one.type, one.is_ephemeral, one.data["content"]) for one in answers] == [
        (4, True, "I do not talk with you here.")
    ] * 2
    assert stage.kept.arrivals == []


async def test_where_the_bot_is_not_a_dialogue_is_its_persons_own(stage: NativeStage, discord: LocalDiscord) -> None:
    bob = await discord.person("Bob", has_app=True)
    foreign = await discord.guild("Strangers", bob, has_bot=False)
    away, group = await foreign.channel("away", "text"), await discord.group_dm(bob)
    for place in (away, group, bob.dm):
        assert (await bob.commands("ask", place, question="here?")).type == 5

    assert [one.session_key.person for one in stage.kept.said] == [bob.id, bob.id, ""]
    assert [one.session_key.channel for one in stage.kept.said] == [away.id, group.id, bob.dm.id]


async def test_a_press_is_taken_for_what_it_means(stage: NativeStage, ann: Person, general: Place) -> None:
    reply = await reply_with_buttons(stage, general)
    answer = await ann.presses("stop", reply, general)

    assert answer.type == 6
    [feedback] = [arrival.inbound for arrival in stage.kept.arrivals if isinstance(arrival.inbound, Feedback)]
    assert (feedback.opinion, feedback.message_id, feedback.event_id) == (Opinion.STOP, reply.id, answer.id)
    assert stage.inner.kept == {}


async def test_a_press_that_was_made_up_says_nothing(stage: NativeStage, ann: Person, general: Place) -> None:
    reply = await reply_with_buttons(stage, general)
    elsewhere = OPINIONS.value(Opinion.STOP, "cafe.0", ann.dm.id)
    answer = await ann.presses("stop", reply, general, forged=elsewhere)

    assert answer.type == 6
    assert [arrival.inbound for arrival in stage.kept.arrivals if isinstance(arrival.inbound, Feedback)] == []


async def test_an_answer_that_was_lost_on_the_way_is_given_again(
    stage: NativeStage, discord: LocalDiscord, ann: Person, general: Place, caplog: pytest.LogCaptureFixture
) -> None:
    for kind in ("drop_before", "drop_after"):
        await discord.fault(kind, "callback", times=1)
        assert (await ann.commands("new", general)).type == 5

    assert [one.status for one in await discord.called("callback", 4)][-1] == 400  # it was answered already
    assert [line for line in lines(caplog) if "interaction" in line] == []


async def test_an_interaction_that_comes_twice_says_one_thing(
    stage: NativeStage, discord: LocalDiscord, ann: Person, general: Place, caplog: pytest.LogCaptureFixture
) -> None:
    await discord.tell_each(2)
    answer = await ann.commands("new", general)
    await discord.called("callback", 2)

    assert answer.type == 5
    assert len({arrival.inbound.event_key for arrival in stage.kept.arrivals if arrival.inbound}) == 1
    assert [line for line in lines(caplog) if "not answered" in line] == []


async def test_one_that_discord_gave_up_is_said_in_the_log_alone(
    stage: NativeStage, discord: LocalDiscord, ann: Person, general: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await discord.fault("answer", "callback", status=404, error="10062")
    await ann.commands("new", general)

    assert [line for line in lines(caplog) if "not answered" in line] == [
        "an interaction was not answered: the interaction is too old to be answered (10062)"
    ]
    assert [text for _, text in stage.said] == ["/new"]


async def test_one_that_can_not_be_read_becomes_a_dead_letter(
    stage: NativeStage, discord: LocalDiscord, ann: Person, general: Place
) -> None:
    await discord.send_event("INTERACTION_CREATE", {"id": "7", "type": 2, "token": "a-token-of-its-own"})
    await stage.kept.until(lambda kept: bool(kept.arrivals))

    [dead] = stage.kept.arrivals
    assert (dead.inbound, dead.error[:34]) == (None, "an interaction was not understood:")
    assert "a-token-of-its-own" not in dead.raw
    assert (await ann.commands("new", general)).type == 5


async def test_windows_and_notices_speak_the_persons_language(stage: NativeStage, discord: LocalDiscord) -> None:
    eva = await discord.person("Eva", locale="es-ES")
    stage.kept.is_away = True

    assert (await eva.commands("help")).data["content"] == "No he podido recibirlo. Inténtalo de nuevo."
    await eva.commands("settings")
    assert (await eva.modal()).title == "Ajustes"
