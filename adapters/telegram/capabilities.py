"""What Telegram can do for a reply: a message can be changed, and nothing can be asked about afterwards.

Telegram knows no key for a send, and gives no history out. So a part begins as a placeholder, and all that it says
comes by edits, which can be made again. It takes a message a second in a private chat and twenty a minute in a group,
edits among them.
"""

from core.dialogue import SessionKey
from core.ports import Capabilities

PRIVATE_INTERVAL_S = 1.1
GROUP_INTERVAL_S = 3.1
#: A little below the thirty that Telegram takes from a bot, over all chats.
SENDS_PER_SECOND = 28.0
#: What is sent or changed for good waits so long for its turn in its chat.
LONGEST_TURN_S = 12.0

#: Telegram shows it for five.
_TYPING_INTERVAL_S = 4.0
#: The turn, and the call itself.
_SEND_TIMEOUT_S = 30.0


def is_group(chat_id: str) -> bool:
    """Groups, supergroups and channels; people's own chats have positive ids."""
    return chat_id.startswith("-")


def interval_s(chat_id: str) -> float:
    """Least time between two messages or edits in the chat."""
    return GROUP_INTERVAL_S if is_group(chat_id) else PRIVATE_INTERVAL_S


def capabilities(key: SessionKey) -> Capabilities:
    return Capabilities(
        edits=True,
        edit_interval_s=interval_s(key.channel),
        typing_interval_s=_TYPING_INTERVAL_S,
        names_threads=True,
        send_timeout_s=_SEND_TIMEOUT_S,
    )
