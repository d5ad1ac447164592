"""What a bot hears, and what a person sees of it, on the local Bot API server."""

from telegram import Bot, Message, Update

from bots.sandbox.local_telegram.people import Person


async def heard(bot: Bot, offset: int = 0, kinds: list[str] | None = None) -> list[Update]:
    """From the beginning, or from an update on; where there is nothing it is waited for."""
    return list(await bot.get_updates(offset=offset, timeout=10, allowed_updates=kinds))


def said(update: Update) -> Message:
    assert update.message is not None
    return update.message


async def heard_now(bot: Bot) -> list[Update]:
    """As `heard`, and nothing is waited for."""
    return list(await bot.get_updates())


async def last_message(bot: Bot) -> Message:
    message = [update.message for update in await heard_now(bot) if update.message][-1]
    assert message is not None
    return message


async def texts(bot: Bot) -> list[str | None]:
    return [update.message.text for update in await heard_now(bot) if update.message and update.message.text]


async def shown(ann: Person) -> list[str]:
    return [message.text for message in (await ann.chat.look()).bots]
