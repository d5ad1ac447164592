"""What a message points at: the words that were picked from another message, or all of a message that it replies to.

The bot's own messages are in its dialogue already; only what is picked from them is told. Without this, "what does that
mean, @banter_bot?" would ask about something that the bot never saw: in a group it hears what is said to it alone.
"""

from telegram import Message

from adapters.telegram.account import TelegramAccount
from adapters.telegram.told import text


def quotes_of(message: Message, account: TelegramAccount) -> str:
    """ "" where it points at nothing. Raises NotUnderstood."""
    if message.quote is not None:
        return text(message.quote.text)
    replied = message.reply_to_message
    if replied is None or (replied.from_user is not None and str(replied.from_user.id) == account.id):
        return ""
    return text(replied.text if replied.text is not None else replied.caption or "")
