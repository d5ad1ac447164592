"""What befalls the local Discord itself, and how it is calm again."""

import asyncio
import contextlib

from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.places import Place
from bots.sandbox.orders import OrderRefused
from tests.crash.weather import Upheaval

#: So long nobody is let in, nothing is told, or nothing is there.
_AWAY_S = 0.4
#: Each event is told so often in a storm.
_COPIES = 3
_UNKNOWN_ERROR, _TIMED_OUT = 4000, 4009


async def befall(upheaval: Upheaval, discord: LocalDiscord, threads: list[Place], token_age_s: float) -> None:
    await asyncio.sleep(upheaval.after_s)
    match upheaval.kind:
        case "cut":
            await discord.cut()
        case "reconnect":
            await discord.reconnect()
        case "invalid" | "resumable":
            await discord.invalidate(is_resumable=upheaval.kind == "resumable")
        case "close":
            await discord.close(_UNKNOWN_ERROR)
        case "expired":
            await discord.close(_TIMED_OUT)
        case "mute":
            await discord.mute()
        case "forgotten":
            await discord.forget_sessions()
            await discord.cut()
        case "refused" | "away" | "held":
            await _be_away(upheaval.kind, discord)
        case "storm":
            await discord.tell_each(_COPIES)
        case "age":
            await discord.advance(token_age_s + 1)
        case "archive":
            for thread in threads:
                with contextlib.suppress(OrderRefused):
                    await thread.archive()
        case other:
            raise ValueError(f"nobody knows what {other} is")


async def _be_away(kind: str, discord: LocalDiscord) -> None:
    match kind:
        case "refused":
            await discord.refuse_gateway()
            await discord.cut()
        case "away":
            await discord.go_away()
        case "held":
            await discord.hold_events()
    await asyncio.sleep(_AWAY_S)
    await be_back(discord)


async def be_back(discord: LocalDiscord) -> None:
    await discord.refuse_gateway(0)
    await discord.come_back()
    await discord.let_events_go()
