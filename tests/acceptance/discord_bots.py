"""`banter discord` as a process, in a home of its own, which the people of a local Discord talk to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import ChannelSeen, MessageSeen
from tests.acceptance.conftest import Home
from tests.acceptance.programs import REPLY_S, Program, program
from tests.integration.running_service import free_port

GOOD, BAD, AGAIN = "👍", "👎", "🔄"


@dataclass(frozen=True, slots=True)
class Stage:
    discord: LocalDiscord
    bot: Program

    def texts(self, place: Place) -> list[str]:
        """What was said there, as it is remembered."""
        rows = self.bot.rows(
            "SELECT t.text FROM turns t JOIN sessions s ON s.id = t.session_id "
            "WHERE s.thread = ? OR s.thread = '' AND s.channel = ? ORDER BY t.id",
            *(place.id, place.id),
        )
        return [str(text) for (text,) in rows]

    def sessions(self, place: Place) -> list[object]:
        """Of a channel and its threads."""
        rows = self.bot.rows("SELECT id FROM sessions WHERE thread = ? OR channel = ? ORDER BY id", place.id, place.id)
        return [session for (session,) in rows]

    def is_forgotten(self, word: str) -> bool:
        """Whether it stands nowhere in the database."""
        places = (("turns", "text"), ("inbox", "raw"), ("inbox", "inbound"), ("deliveries", "text"))
        counts = [
            self.bot.rows(f"SELECT count(*) FROM {table} WHERE {column} LIKE ?", f"%{word}%")
            for table, column in places
        ]
        return counts == [[(0,)]] * len(places)


@asynccontextmanager
async def discord_bot(
    home: Home, discord: LocalDiscord, variables: Mapping[str, str] | None = None, *, is_let_in: bool = True
) -> AsyncIterator[Program]:
    """From when it listens until the end of the block, where it ends in order. "" unsets a variable."""
    async with program(home, "discord", told_of(discord) | dict(variables or {})) as bot:
        await bot.logs(action="begin")
        if is_let_in:
            await discord.connected()
        yield bot


@asynccontextmanager
async def discord_stage(
    home: Home, variables: Mapping[str, str], options: Options | None = None
) -> AsyncIterator[Stage]:
    """With a Discord of its own, which keeps to its limits."""
    async with local_discord(options) as discord, discord_bot(home, discord, variables) as bot:
        yield Stage(discord, bot)
        assert await discord.excesses() == {}
        assert bot.others == []


def told_of(discord: LocalDiscord) -> dict[str, str]:
    return {
        "BANTER_DISCORD_TOKEN": discord.token,
        "BANTER_DISCORD__API_URL": discord.api_url,
        "BANTER_WEB__PORT": str(free_port()),
    }


def whole(channel: ChannelSeen) -> list[MessageSeen]:
    """The replies that are whole: their buttons say so."""
    return [message for message in channel.bots if BAD in message.labels]


async def replies(place: Place, count: int = 1) -> list[MessageSeen]:
    """Those that the model wrote, once so many are whole."""
    return whole(await place.until(lambda channel: len(whole(channel)) >= count, REPLY_S))


async def begun(place: Place) -> MessageSeen:
    """A reply that is being written, as soon as something can be read."""
    seen = await place.until(lambda channel: any(_is_written(message) for message in channel.bots), REPLY_S)
    return next(message for message in seen.bots if _is_written(message))


def button(message: MessageSeen, sign: str) -> str:
    """What stands on the one with that sign."""
    return next(label for label in message.labels if sign in label)


def _is_written(message: MessageSeen) -> bool:
    return len(message.text) > 20 and BAD not in message.labels
