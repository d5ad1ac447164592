"""`banter run`, and one command for each product: people are answered until the program is told to end."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

from bots.cli.options import load
from core.errors import SettingsError
from core.settings.settings import Settings

if TYPE_CHECKING:
    from bots.products import OpenProduct


def run(context: typer.Context) -> None:
    """Answer people on every platform that a token is set for, with one engine."""
    _serve(context, _with_a_token)


def discord(context: typer.Context) -> None:
    """Answer people on Discord."""
    _serve(context, lambda _settings: [_discord()])


def slack(context: typer.Context) -> None:
    """Answer people on Slack."""
    _serve(context, lambda _settings: [_slack()])


def telegram(context: typer.Context) -> None:
    """Answer people on Telegram."""
    _serve(context, lambda _settings: [_telegram()])


def _serve(context: typer.Context, chosen: "Callable[[Settings], Sequence[OpenProduct]]") -> None:
    from bots.logs import log_to_stderr
    from bots.service import run_service

    loaded = load(context)
    products = chosen(loaded.settings)
    log_to_stderr(loaded.settings.log.level)
    asyncio.run(run_service(loaded.settings, loaded.config, products))


def _with_a_token(settings: Settings) -> "list[OpenProduct]":
    platforms = ((settings.discord, _discord), (settings.slack, _slack), (settings.telegram, _telegram))
    products = [opened() for told, opened in platforms if told.is_there]
    if products:
        return products
    raise SettingsError(
        "no token is set: set BANTER_DISCORD_TOKEN, BANTER_SLACK_TOKEN or BANTER_TELEGRAM_TOKEN, or talk here with "
        "`banter chat`"
    )


def _discord() -> "OpenProduct":
    from bots.discord_server import open_discord

    return open_discord


def _slack() -> "OpenProduct":
    from bots.slack_workspace import open_slack

    return open_slack


def _telegram() -> "OpenProduct":
    from bots.telegram_chatbot import open_telegram

    return open_telegram
