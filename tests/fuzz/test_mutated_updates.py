"""A short run of `python -m tests.fuzz.telegram_updates`: nothing that Telegram could send may stall the loop."""

from pathlib import Path

from core.memory.database import Database
from core.memory.upgrade import prepare
from tests.fuzz.telegram_feeding import feed

UPDATES = 1000


async def test_spoilt_updates_stall_nothing_and_are_kept(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'banter.db'}"
    async with Database(url) as database:
        await prepare(database)

    fed = await feed(url, UPDATES, 20_261_121)

    assert fed.sound == UPDATES // 25
    assert fed.dead > UPDATES / 10  # they were spoilt indeed
    assert fed.kinds["InboundMessage"] > UPDATES / 10  # and not all of them beyond understanding
