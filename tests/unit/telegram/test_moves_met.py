"""Groups that moved: what the sender met, the receiver takes."""

import asyncio

from adapters.telegram.moves import Moves


async def test_a_move_is_waited_for() -> None:
    moves = Moves()
    waiting = asyncio.create_task(moves.next())
    await asyncio.sleep(0)
    assert not waiting.done()

    moves.tell("-4", "-1004")

    assert await waiting == ("-4", "-1004")


async def test_a_move_that_is_met_again_before_it_is_taken_is_told_once() -> None:
    moves = Moves()
    for _ in range(3):
        moves.tell("-4", "-1004")
    moves.tell("-5", "-1005")

    assert [await moves.next(), await moves.next()] == [("-4", "-1004"), ("-5", "-1005")]
    waiting = asyncio.create_task(moves.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


async def test_only_so_many_are_kept() -> None:
    moves = Moves(limit=2)
    for number in range(5):
        moves.tell(f"-{number}", f"-100{number}")

    assert [await moves.next(), await moves.next()] == [("-0", "-1000"), ("-1", "-1001")]
    moves.tell("-9", "-1009")
    assert await moves.next() == ("-9", "-1009")
