"""No more than Discord takes of one bot in a second, whatever it is for."""

import asyncio

from adapters.discord.flow import Flow


class FastLoop:
    """Its clock goes on as others sleep."""

    def __init__(self) -> None:
        self.now = 50.0

    def time(self) -> float:
        return self.now


async def test_no_second_has_more_calls_than_discord_takes() -> None:
    loop = asyncio.get_running_loop()
    flow = Flow(loop)
    begun: list[float] = []

    async def call() -> None:
        await flow.take()
        begun.append(loop.time())

    async with asyncio.timeout(10):
        await asyncio.gather(*(call() for _ in range(100)))
    begun.sort()
    assert all(later - earlier > 1 for earlier, later in zip(begun, begun[45:], strict=False))
    assert begun[44] - begun[0] < 1


async def test_what_is_shown_leaves_room_for_what_is_sent() -> None:
    loop = FastLoop()
    flow = Flow(loop)  # type: ignore[arg-type]
    for _ in range(35):
        await flow.take()
    assert flow.shown_in_s() == 0
    await flow.take()
    assert 1 < flow.shown_in_s() < 1.1
    async with asyncio.timeout(0.5):
        for _ in range(9):
            await flow.take()
    loop.now += 1.06
    assert flow.shown_in_s() == 0
