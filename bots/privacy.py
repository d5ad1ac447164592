"""Settings → what deletes what is too old, forgets people, and hands out what is remembered of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from bots.engine import engine_process
from core.generation.link import forget_in_engine
from core.memory.database import Database
from core.memory.exporting import Consent
from core.memory.retention import Ages, Retention
from core.privacy import Evict, PrivacyByCommand
from core.settings.settings import Settings


def evicting(settings: Settings, config: Path | None) -> Evict:
    """How the engine is told to keep nothing of a session. A server keeps what it wants."""
    if settings.generation.backend == "openai":
        return _keep_nothing
    return partial(forget_in_engine, engine_process(settings, config))


async def _keep_nothing(_sessions: Sequence[str]) -> None: ...


@asynccontextmanager
async def privacy_by_command(settings: Settings, config: Path | None) -> AsyncIterator[PrivacyByCommand]:
    """What the engine has to hear of it has been told at the end."""
    privacy = PrivacyByCommand(Consent(frozenset(settings.privacy.train_on)), evicting(settings, config))
    try:
        yield privacy
    finally:
        await privacy.aclose()


def open_retention(settings: Settings, database: Database) -> Retention:
    kept = settings.retention
    ages = Ages(kept.turns_days, kept.events_days, kept.dead_letters_days, kept.feedback_days, kept.usage_days)
    return Retention(database, ages)


@asynccontextmanager
async def retaining(settings: Settings, database: Database) -> AsyncIterator[None]:
    """What is too old is deleted now and then, until the end of the block."""
    hours = settings.retention.every_hours
    task = asyncio.create_task(open_retention(settings, database).run(hours * 3600)) if hours else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
