"""What Banter needs, looked at one by one: each finding says what to do where something is amiss."""

import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from bots.engine import engine_process
from bots.wiring import open_database, open_models, open_server, open_voices
from core.errors import BanterError
from core.generation.footprint import dtype_on, free_memory, memory_needed
from core.generation.link import Link
from core.generation.model_store import existing_parent
from core.generation.openai_stream import ServedModel
from core.memory.upgrade import current, head
from core.settings.settings import Settings

_ROOM_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    good: bool
    #: What was seen, and what to do about it where it is not good.
    told: str


async def examine(settings: Settings, config: Path | None) -> list[Finding]:
    """Looks and changes nothing: no model is pulled, no engine started, no database made."""
    findings = [
        _python(),
        Finding("settings", True, str(config) if config else "no file: the defaults"),
        _folder("data folder", settings.paths.data),
        _folder("cache folder", settings.paths.cache),
        await _database(settings),
    ]
    names = {persona.model or settings.generation.model for persona in settings.known_personas.values()}
    findings += [_model(settings, name) for name in sorted(names)]
    if settings.discord.is_there:
        from bots.discord_doctor import examine_discord

        findings += await examine_discord(settings)
    if settings.slack.is_there:
        from bots.slack_doctor import examine_slack

        findings += await examine_slack(settings)
    if settings.telegram.is_there:
        from bots.telegram_doctor import examine_telegram  # the SDK takes a while to load

        findings += await examine_telegram(settings)
    if settings.generation.backend == "openai":
        return [*findings, await _server(settings, names)]
    return [*findings, await _engine(settings, config)]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", good, version if good else f"{version}; use 3.11, 3.12 or 3.13")


def _folder(name: str, folder: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=existing_parent(folder)):
            pass
    except OSError as error:
        return Finding(name, False, f"{folder}: {error.strerror}; make it writable or set another under [paths]")
    free = shutil.disk_usage(existing_parent(folder)).free
    if free < _ROOM_BYTES:
        return Finding(name, False, f"{folder}: only {decimal(free)} free; make room or set another under [paths]")
    return Finding(name, True, f"{folder}, {decimal(free)} free")


async def _database(settings: Settings) -> Finding:
    try:
        database = open_database(settings)
        place, file = database.address.place, database.address.file
        if file is not None and not file.exists():
            return Finding("database", True, f"{place}, made at the first start")
        async with database:
            revision = await current(database)
    except BanterError as error:
        return Finding("database", False, str(error))
    known = (
        f"revision {revision}" if revision == head() else f"revision {revision or 'none'}, upgraded at the next start"
    )
    return Finding("database", True, f"{place}, {known}")


def _model(settings: Settings, name: str) -> Finding:
    try:
        model = open_models(settings).resolve(name)
        model.require_dialogue()
    except BanterError as error:
        return Finding("model", False, str(error))
    if settings.generation.backend == "openai":
        return Finding("model", True, f"{name}; its tokenizer counts, and the server writes")
    needed, free = memory_needed(model.folder, dtype_on("cpu", model.dtype)), free_memory()
    told = f"{name}; on a CPU it needs {decimal(needed)} of memory, and {decimal(free)} are free"
    return Finding("model", needed <= free, told if needed <= free else f"{told}: take a smaller one")


async def _engine(settings: Settings, config: Path | None) -> Finding:
    try:
        connection = await engine_process(settings, config).connect_if_running()
        if connection is None:
            return Finding("engine", True, "does not run; it starts by itself")
        link = await Link.over(connection)
    except BanterError as error:
        return Finding("engine", False, str(error))
    await link.aclose()
    return Finding("engine", True, f"runs on {link.welcome.device}, process {link.welcome.pid}")


async def _server(settings: Settings, names: Iterable[str]) -> Finding:
    """Asks it for its models, with the API key that it will be given."""
    server = open_server(settings, open_voices(settings).tokenizer_of)
    try:
        served = await server.models()
    except BanterError as error:
        return Finding("server", False, str(error))
    finally:
        await server.aclose()
    where, there = settings.openai.base_url, ", ".join(model.id for model in served) or "nothing"
    wanted = {settings.openai.model} if settings.openai.model else set(names)
    missing = sorted(name for name in wanted if not any(_is_served(name, model) for model in served))
    if missing:
        return Finding("server", False, f"{where} has {there}, not {', '.join(missing)}; set `openai.model`")
    return Finding("server", True, f"{where} answers and has {there}")


def _is_served(name: str, model: ServedModel) -> bool:
    """llama.cpp has one model and takes any name for it; Ollama lists names with their tags."""
    return model.owned_by == "llamacpp" or model.id in (name, f"{name}:latest")
