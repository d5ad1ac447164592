"""Group privacy mode: which messages of a group reach a bot that is no administrator there.

Commands for it, commands for nobody where it spoke last, replies to it, mentions of it; in private chats everything.
"""

import re

from bots.sandbox.local_telegram.account import BotAccount
from bots.sandbox.local_telegram.chats import Chat, Kind, Standing
from bots.sandbox.local_telegram.messages import Message


def is_meant_for(account: BotAccount, chat: Chat, message: Message) -> bool:
    """Whether the bot is told of what somebody said."""
    if message.sender.is_bot:
        return False
    if chat.is_private or chat.kind is Kind.CHANNEL or chat.is_direct:
        return True
    if account.options.reads_all_group_messages or chat.standing is Standing.ADMINISTRATOR:
        return True
    replied = chat.message(message.position.reply_to_id)
    if replied is not None and replied.sender.id == account.user.id:
        return True
    return _names(account, chat, message)


def _names(account: BotAccount, chat: Chat, message: Message) -> bool:
    text = message.now.content.text
    named = rf"@{re.escape(account.user.username)}(?!\w)"
    if re.search(named, text, re.IGNORECASE):
        return True
    command = re.match(r"/\w+(@\w+)?", text)
    if command is None or command[1]:
        return False
    written = [known for known in chat.messages.values() if not known.is_service and known.id < message.id]
    return bool(written) and written[-1].sender.id == account.user.id
