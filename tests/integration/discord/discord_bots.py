"""The whole bot on the walk, with a model that needs no time, beside a local Discord."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from bots.discord_server import open_discord
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.walk import Ground, Walk, open_walk
from core.memory.database import Database
from core.memory.exporting import Consent
from core.memory.upgrade import prepare
from core.privacy import PrivacyByCommand
from core.settings.discord import DiscordSettings
from core.settings.settings import Settings
from core.voice import Voices
from tests.platforms.paper_bot import OPTIONS
from tests.platforms.paper_model import PaperModel

PATIENT = replace(OPTIONS, lease_s=60.0, answer=replace(OPTIONS.answer, notice_after_s=30.0))


@dataclass(frozen=True, slots=True)
class Scene:
    discord: LocalDiscord
    model: PaperModel
    database: Database
    walk: Walk


async def _keep_nothing(_sessions: Sequence[str]) -> None: ...


@asynccontextmanager
async def discord_bot(
    folder: Path, voices: Voices, discord: LocalDiscord, model: PaperModel | None = None, **told: object
) -> AsyncIterator[Scene]:
    """It is listening, and its commands are there. `told` are settings of Discord's."""
    usual = DiscordSettings(token=SecretStr(discord.token), api_url=discord.api_url)
    settings = Settings(discord=usual.model_copy(update=told), paths={"data": folder, "cache": folder})  # type: ignore[arg-type]
    model = model or PaperModel()
    privacy = PrivacyByCommand(Consent(frozenset()), _keep_nothing)
    async with Database(f"sqlite:///{folder / 'banter.db'}") as database:
        await prepare(database)
        async with open_discord(settings, b"of the tests", database) as product:
            ground = Ground(database, model, voices, privacy=privacy)
            try:
                async with open_walk(ground, [product.account], PATIENT) as walk:
                    await discord.connected()
                    await discord.until(lambda state: bool(state.commands.get("")))
                    yield Scene(discord, model, database, walk)
            finally:
                await privacy.aclose()
