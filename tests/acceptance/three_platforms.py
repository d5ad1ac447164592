"""The local Discord, Slack and Telegram at once, and people who ask in private on each, until they are answered."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from bots.sandbox.local_discord import people as discord_people
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.own_process import local_discord_process
from bots.sandbox.local_slack import people as slack_people
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.own_process import local_slack_process
from bots.sandbox.local_telegram import people as telegram_people
from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.own_process import local_telegram_process
from tests.acceptance import discord_bots, slack_assistants, telegram_chatbots
from tests.acceptance.programs import REPLY_S
from tests.integration.running_service import free_port


class Asking(Protocol):
    """Somebody on one of the platforms."""

    async def ask(self, question: str) -> str:
        """The reply, once it is whole. Raises NeverSeen."""
        ...


@dataclass(frozen=True, slots=True)
class OnDiscord:
    person: discord_people.Person

    async def ask(self, question: str) -> str:
        """See `Asking`."""
        count = len(discord_bots.whole(await self.person.dm.look()))
        await self.person.says(question)
        seen = await self.person.dm.until(lambda dm: len(discord_bots.whole(dm)) > count, REPLY_S)
        return seen.bots[-1].text


@dataclass(frozen=True, slots=True)
class OnSlack:
    person: slack_people.Person

    async def ask(self, question: str) -> str:
        """See `Asking`."""
        asked = await self.person.says(question)
        [reply] = await slack_assistants.replies(self.person.dm, 1, asked)
        return reply.text


@dataclass(frozen=True, slots=True)
class OnTelegram:
    person: telegram_people.Person

    async def ask(self, question: str) -> str:
        """See `Asking`."""
        count = len(telegram_chatbots.whole(await self.person.chat.look()))
        await self.person.says(question)
        return (await telegram_chatbots.replies(self.person.chat, count + 1))[-1].text


@dataclass(frozen=True, slots=True)
class ThreePlatforms:
    discord: LocalDiscord
    slack: LocalSlack
    telegram: LocalTelegram

    def told(self) -> dict[str, Mapping[str, str]]:
        """Product → what its program is told of its platform."""
        return {
            "discord": discord_bots.told_of(self.discord),
            "slack": slack_assistants.by_socket(self.slack),
            "telegram": telegram_chatbots.environment(self.telegram, free_port()),
        }

    async def connected(self) -> None:
        """Returns when bots hear at once what is said. Telegram's wait for nobody. Raises TimeoutError."""
        await self.discord.connected(timeout_s=REPLY_S)
        await self.slack.connected(timeout_s=REPLY_S)

    async def person(self, name: str) -> tuple[Asking, Asking, Asking]:
        """Somebody who is on all three."""
        return (
            OnDiscord(await self.discord.person(name)),
            OnSlack(await self.slack.person(name)),
            OnTelegram(await self.telegram.person(name)),
        )

    async def excesses(self) -> dict[str, int]:
        """Where a bot asked a platform for more than there is, and how often."""
        of = {
            "discord": await self.discord.excesses(),
            "slack": await self.slack.excesses(),
            "telegram": await self.telegram.excesses(),
        }
        return {f"{name} {what}": count for name, counts in of.items() for what, count in counts.items()}


@asynccontextmanager
async def three_platforms() -> AsyncIterator[ThreePlatforms]:
    """Each server is a process of its own."""
    async with AsyncExitStack() as closing:
        yield ThreePlatforms(
            await closing.enter_async_context(local_discord_process()),
            await closing.enter_async_context(local_slack_process()),
            await closing.enter_async_context(local_telegram_process()),
        )
