"""A short run of `python -m tests.fuzz.discord_events`: nothing that Discord could send may stall a receiver."""

from pathlib import Path

from core.memory.database import Database
from core.memory.upgrade import prepare
from tests.fuzz.discord_feeding import feed

INPUTS = 1000


async def test_spoilt_frames_stall_nothing_and_are_kept(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'banter.db'}"
    async with Database(url) as database:
        await prepare(database)

    fed = await feed(url, INPUTS, 20_261_122)

    assert fed.sound == INPUTS // 25
    assert fed.dead > INPUTS / 20  # they were spoilt indeed
    assert fed.kinds["InboundMessage"] > INPUTS / 20  # and not all of them beyond understanding
    assert fed.sockets > fed.sessions >= 1
    assert fed.callbacks > INPUTS / 50
