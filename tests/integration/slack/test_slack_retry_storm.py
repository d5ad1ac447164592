"""The retry storm: every event comes three times, on two sockets or over HTTP, and is answered once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from bots.sandbox.json_values import object_in
from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from bots.sandbox.local_slack.limits import NO_RATES
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.people import Person, Place
from bots.sandbox.local_slack.sights import MessageSeen
from core.memory.tables import InboxRow
from core.settings.slack import SlackSettings
from core.voice import Voices
from tests.integration.slack.assistants import Scene, assistant, by_http, by_socket
from tests.platforms.paper_bot import paper_voices
from tests.platforms.paper_model import answer_to

_TIMES = 3
_WAIT_S = 30.0
_STORM = Options(rates=NO_RATES, copies=_TIMES)


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    return paper_voices(tmp_path_factory.mktemp("voices"))


async def ask(person: Person, place: Place, count: int, mention: str = "") -> dict[str, MessageSeen]:
    """Threads of one's own; what was asked in each."""
    texts = [f"{person.name}{place.id}q{number}" for number in range(count)]
    return {text: await person.says(f"{mention} {text}".strip(), place) for text in texts}


async def answers_to(place: Place, asked: dict[str, MessageSeen]) -> dict[str, list[str]]:
    """What the bot said in each thread, once all of it is there and no more text can come."""
    await place.answers(len(asked), timeout_s=_WAIT_S)
    seen = await place.look()
    return {text: [one.text for one in seen.in_thread(root.ts) if one.is_bots] for text, root in asked.items()}


@pytest.mark.parametrize("way", [by_socket, by_http])
async def test_what_comes_three_times_is_answered_once(
    way: Callable[[LocalSlack], SlackSettings], tmp_path: Path, voices: Voices
) -> None:
    async with local_slack(_STORM) as slack, assistant(tmp_path, voices, way(slack), slack) as scene:
        anna, omar = await slack.person("Anna"), await slack.person("Omar")
        kitchen = await slack.channel("kitchen", anna, omar)
        alone = await ask(anna, anna.dm, 8)
        in_channel = await ask(omar, kitchen, 8, slack.mention)

        assert await answers_to(anna.dm, alone) == {text: [answer_to(text)] for text in alone}
        assert await answers_to(kitchen, in_channel) == {text: [answer_to(text)] for text in in_channel}
        await _all_came(slack)
        await _each_came_often_and_was_taken_once(scene, len(alone) + len(in_channel))
        assert await answers_to(anna.dm, alone) == {text: [answer_to(text)] for text in alone}
        assert await answers_to(kitchen, in_channel) == {text: [answer_to(text)] for text in in_channel}


async def _all_came(slack: LocalSlack) -> None:
    """As often as they shall."""
    await slack.delivered(lambda told: all(len(one.attempts) == _TIMES for one in told), _WAIT_S)


async def _all_are_delivered(scene: Scene) -> None:
    async with asyncio.timeout(_WAIT_S):
        while await _states(scene) != {"delivered"}:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)


async def _states(scene: Scene) -> set[str]:
    async with scene.database.reading() as connection:
        return set((await connection.execute(select(InboxRow.state))).scalars())


async def _each_came_often_and_was_taken_once(scene: Scene, questions: int) -> None:
    told = [one for one in await scene.slack.deliveries() if one.what in ("message", "app_mention")]
    bots_own = {(one.channel, one.ts) for one in told if object_in(one.body["event"]).get("bot_id")}
    acks = Counter((one.channel, one.ts) for one in told for attempt in one.attempts if attempt.is_ack)
    asked = {place: count for place, count in acks.items() if place not in bots_own}
    assert len(asked) == questions
    assert set(asked.values()) == {_TIMES, 2 * _TIMES}  # a mention has a twin
    assert len(scene.model.requests) == questions
    assert await _kept(scene) == {"message": questions}


async def test_edits_and_thumbs_of_a_storm_count_once(tmp_path: Path, voices: Voices) -> None:
    async with local_slack(_STORM) as slack, assistant(tmp_path, voices, by_socket(slack), slack) as scene:
        anna = await slack.person("Anna")
        [root] = (await ask(anna, anna.dm, 1)).values()
        [answer] = await anna.dm.answers(1, timeout_s=_WAIT_S)
        await _all_are_delivered(scene)
        await anna.reacts("+1", answer)
        await anna.edits(root, "something else")
        await _all_came(slack)

        assert await _kept(scene) == {"message": 1, "feedback": 1, "edit": 1}


async def _kept(scene: Scene) -> Counter[str]:
    async with scene.database.reading() as connection:
        return Counter((await connection.execute(select(InboxRow.kind))).scalars())
