"""A service as a process of its own, for tests that end it: `… FOLDER PORT MODEL_S DRAIN_S`.

A person asks one question; the model takes MODEL_S to answer it. What people see of the platform goes to standard
output, logs go to standard error.
"""

import asyncio
import sys
from pathlib import Path

from pydantic import SecretStr

from bots.logs import log_to_stderr
from bots.readiness import WriterState
from bots.service import Opened, answer_people
from bots.walk import Account
from core.dialogue import Platform, SessionKey
from core.edge import Edge
from core.memory.database import Database
from core.memory.upgrade import prepare
from core.ports import Accept, Outgoing
from core.settings.service import ServiceSettings, WebSettings
from core.settings.settings import DatabaseSettings, Settings
from tests.integration.walk_stage import BOT, PLATFORMS, Board, SteadyModel, arrival, new_splitter, open_voices


class TellingBoard(Board):
    async def open(self, part: Outgoing) -> str:
        tell("answered")
        return await super().open(part)

    async def show_typing(self, key: SessionKey, reply_to_id: str, status: str) -> None:
        tell("typing")

    async def end_typing(self, key: SessionKey, reply_to_id: str) -> None:
        tell("no longer typing")


class OneQuestion:
    """A receiver that hears one question."""

    async def run(self, accept: Accept) -> None:
        await accept([arrival("general", 1)])
        tell("accepted")
        await asyncio.Event().wait()


class ReadyWriter:
    look_s = 3600.0

    async def look(self) -> WriterState:
        return WriterState(ready=True)

    async def aclose(self) -> None: ...


def tell(word: str) -> None:
    print(word, flush=True)  # noqa: T201


async def main(folder: Path, port: int, model_s: float, drain_s: float) -> None:
    url = SecretStr(f"sqlite:///{folder / 'banter.db'}")
    settings = Settings(
        database=DatabaseSettings(url=url),
        web=WebSettings(port=port),
        service=ServiceSettings(drain_s=drain_s),
    )
    async with Database(settings.database_url) as database:
        await prepare(database)
        opened = Opened(database, SteadyModel(model_s), open_voices(folder), ReadyWriter(), b"secret")
        account = Account(Platform.DISCORD, BOT, Edge(TellingBoard(PLATFORMS["discord"]), new_splitter), OneQuestion())
        await answer_people(settings, [account], opened)
    tell("closed")


if __name__ == "__main__":
    log_to_stderr("info")
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
