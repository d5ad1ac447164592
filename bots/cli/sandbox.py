"""`banter sandbox`: local servers that speak the platforms' protocols, to try a bot out without an account."""

import asyncio
from typing import Annotated

import typer

from core.errors import SettingsError

app = typer.Typer(help="Try a bot out against a platform on this machine.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _sandbox() -> None:
    """Sub-commands keep their names, even where there is one only."""


@app.command("telegram")
def telegram(
    port: Annotated[int, typer.Option("--port", help="Of the Bot API; 0: any that is free.")] = 8081,
    name: Annotated[str, typer.Option("--name", help="Who you are to the bot.")] = "Ann",
    topics: Annotated[bool, typer.Option("--topics", help="Private chats have topics.")] = False,
) -> None:
    """Serve Telegram's Bot API on this machine and talk to the bot that uses it."""
    asyncio.run(_serve(port, name, has_topics=topics))


async def _serve(port: int, name: str, *, has_topics: bool) -> None:
    from bots.sandbox.local_telegram.account import BotOptions
    from bots.sandbox.local_telegram.driver import local_telegram
    from bots.sandbox.local_telegram.options import Options
    from bots.sandbox.telegram_prompt import talk_to_bot

    bot = BotOptions(has_topics_enabled=has_topics, users_create_topics=has_topics)
    options = Options(bot=bot, port=port)
    try:
        async with local_telegram(options) as telegram:
            typer.echo(f"Bot API   {telegram.base_url}")
            typer.echo(f"token     {telegram.token}")
            typer.echo(f"control   {telegram.control_url}")
            await talk_to_bot(telegram, name)
    except OSError as error:
        reason = error.strerror or "no such address"
        raise SettingsError(
            f"--port {options.port} can't be listened to ({reason}); 0 takes any that is free"
        ) from None
