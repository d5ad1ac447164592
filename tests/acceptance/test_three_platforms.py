"""`banter run` with all three tokens: one engine writes for the people of all platforms in the same forward passes."""

import asyncio

from core.generation.launcher import EngineProcess, socket_path
from core.generation.link import inspect_engine
from tests.acceptance.conftest import Home
from tests.acceptance.programs import program
from tests.acceptance.three_platforms import three_platforms

STORY = "Tell me a long story about a village by the sea."
#: So long that all of them are written at once, whoever was heard first.
LONG = {"BANTER_SAMPLING__MAX_NEW_TOKENS": "64"}


async def test_one_engine_writes_for_people_of_all_three_platforms_at_once(own_engine_home: Home) -> None:
    async with three_platforms() as platforms:
        told = {name: value for one in platforms.told().values() for name, value in one.items()}
        async with program(own_engine_home, "run", told | LONG) as bots:
            [begun] = await bots.logs(action="begin")
            await platforms.connected()
            replies = await asyncio.gather(*(person.ask(STORY) for person in await platforms.person("Ann")))
            engine = await inspect_engine(EngineProcess(socket_path(own_engine_home.cache), (), bots.home.folder))
        excesses = await platforms.excesses()

    assert begun["accounts"] == 3
    assert all(len(reply.split()) > 20 for reply in replies)
    assert engine is not None
    [model] = engine.models
    assert model.forwards["discord slack telegram"] > 0
    assert sorted(bots.rows("SELECT platform, count(*) FROM sessions GROUP BY platform")) == [
        ("discord", 1),
        ("slack", 1),
        ("telegram", 1),
    ]
    assert excesses == {}
    assert bots.others == []
