"""A short run of `python -m tests.fuzz.slack_events`: nothing that Slack could send may stall a receiver."""

from pathlib import Path

from core.memory.database import Database
from core.memory.upgrade import prepare
from tests.fuzz.slack_feeding import feed

INPUTS = 1000


async def test_spoilt_envelopes_and_requests_stall_nothing_and_are_kept(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'banter.db'}"
    async with Database(url) as database:
        await prepare(database)

    fed = await feed(url, INPUTS, 20_261_122)

    assert fed.sound == INPUTS // 25
    assert fed.dead > INPUTS / 10  # they were spoilt indeed
    assert fed.kinds["InboundMessage"] > INPUTS / 20  # and not all of them beyond understanding
    assert fed.forged > INPUTS / 20
