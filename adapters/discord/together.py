"""Work that goes on side by side, and ends together."""

import asyncio
from collections.abc import Coroutine


async def together(*works: Coroutine[object, object, None]) -> None:
    """Until it is cancelled, or one of them ends; raises what ended it. None of them outlives the call."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end
