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


@app.command("slack")
def slack(
    port: Annotated[int, typer.Option("--port", help="Of the Web API; 0: any that is free.")] = 8082,
    name: Annotated[str, typer.Option("--name", help="Who you are to the app.")] = "Ann",
    events_url: Annotated[str, typer.Option("--events-url", help="Post events there instead of Socket Mode.")] = "",
) -> None:
    """Serve Slack's Web API and Socket Mode on this machine and talk to the app that uses them."""
    asyncio.run(_serve_slack(port, name, events_url))


@app.command("discord")
def discord(
    port: Annotated[int, typer.Option("--port", help="Of the API and the gateway; 0: any that is free.")] = 8083,
    name: Annotated[str, typer.Option("--name", help="Who you are to the bot.")] = "Ann",
    blank: Annotated[bool, typer.Option("--no-message-content", help="The bot lacks that intent.")] = False,
) -> None:
    """Serve Discord's API and gateway on this machine and talk to the bot that uses them."""
    asyncio.run(_serve_discord(port, name, sees_content=not blank))


async def _serve_discord(port: int, name: str, *, sees_content: bool) -> None:
    from bots.sandbox.discord_prompt import talk_to_bot
    from bots.sandbox.local_discord.driver import local_discord
    from bots.sandbox.local_discord.options import AppOptions, Options

    options = Options(AppOptions(message_content=sees_content), port=port)
    try:
        async with local_discord(options) as discord:
            typer.echo(f"API          {discord.api_url}")
            typer.echo(f"bot token    {discord.token}")
            typer.echo(f"application  {discord.application_id}")
            typer.echo(f"control      {discord.control_url}")
            await talk_to_bot(discord, name)
    except OSError as error:
        raise _port_taken(port, error) from None


async def _serve_slack(port: int, name: str, events_url: str) -> None:
    from bots.sandbox.local_slack.driver import local_slack
    from bots.sandbox.local_slack.options import Options
    from bots.sandbox.slack_prompt import talk_to_app

    try:
        async with local_slack(Options(port=port)) as slack:
            typer.echo(f"Web API         {slack.api_url}")
            typer.echo(f"bot token       {slack.token}")
            typer.echo(f"app token       {slack.app_token}")
            typer.echo(f"signing secret  {slack.signing_secret}")
            typer.echo(f"control         {slack.control_url}")
            if events_url:
                await slack.post_events_to(events_url, verify=False)
            await talk_to_app(slack, name)
    except OSError as error:
        raise _port_taken(port, error) from None


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
        raise _port_taken(port, error) from None


def _port_taken(port: int, error: OSError) -> SettingsError:
    reason = error.strerror or "no such address"
    return SettingsError(f"--port {port} can't be listened to ({reason}); 0 takes any that is free")
