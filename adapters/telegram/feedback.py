"""Reactions and presses of buttons → what people think of a reply.

The id of a press is its query's. That of a reaction is its update's, with the opinion: delivered again it is the same,
and somebody who changes their mind twice within a second is heard twice. A reaction that is taken back is a word of its
own; the core joins it to the opinion that it takes back by the person, the reply and the opinion.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from telegram import CallbackQuery, Message, MessageReactionUpdated, ReactionType, ReactionTypeEmoji

from adapters.telegram.account import TelegramAccount
from adapters.telegram.people import person_of_chat, person_of_user
from adapters.telegram.places import chat_key, key_of, message_name
from adapters.telegram.told import NotUnderstood, number, text, word
from core.dialogue import Feedback, Opinion, Person, SessionKey

#: Reactions that are told from "funny" and "sad", which a good reply may be.
_GOOD = frozenset("👍❤🔥🥰👏🎉🤩🙏👌💯🏆😍⚡🤗🤝🆒💘😘🍾")
_BAD = frozenset("👎💩🤮🤬🖕🤡💔😡")
#: Tells how a sign is drawn; Telegram leaves it out where others don't.
_DRAWN = "\ufe0f"


class Opinions(Protocol):
    """`Buttons`: what a press says, or None where the data was not made here."""

    def opinion(self, data: str, chat_id: str) -> Opinion | None: ...


def pressed(query: CallbackQuery, account: TelegramAccount, buttons: Opinions) -> list[Feedback]:
    """Nothing of a press whose data somebody made up. Raises NotUnderstood."""
    message = query.message
    if message is None or not isinstance(query.data, str):
        return []
    key = key_of(message, account) if isinstance(message, Message) else chat_key(message.chat.id, account)
    opinion = buttons.opinion(query.data, key.channel)
    if opinion is None or query.from_user.is_bot:
        return []
    person = person_of_user(query.from_user, key.workspace)
    return [Feedback(key, person, message_name(key, message.message_id), opinion, word(query.id))]


def reacted(reaction: MessageReactionUpdated, update_id: int, account: TelegramAccount) -> list[Feedback]:
    """Raises NotUnderstood."""
    key = chat_key(reaction.chat.id, account)
    person = _reacting(reaction, key)
    name = message_name(key, reaction.message_id)
    old, new = set(_opinions(reaction.old_reaction)), set(_opinions(reaction.new_reaction))
    return [
        Feedback(key, person, name, opinion, f"{number(update_id)}.{opinion.value}", opinion in old)
        for opinion in sorted(old ^ new, key=lambda opinion: opinion not in old)
    ]


def _reacting(reaction: MessageReactionUpdated, key: SessionKey) -> Person:
    if reaction.user is not None:
        return person_of_user(reaction.user, key.workspace)
    if reaction.actor_chat is not None:
        return person_of_chat(reaction.actor_chat, key.workspace)
    raise NotUnderstood("a reaction is nobody's")


def _opinions(reactions: Sequence[ReactionType]) -> Iterator[Opinion]:
    for reaction in reactions:
        if isinstance(reaction, ReactionTypeEmoji):
            sign = text(reaction.emoji).replace(_DRAWN, "")
            if sign[:1] in _GOOD:  # "❤‍🔥" and its like begin with what they mean
                yield Opinion.GOOD
            elif sign[:1] in _BAD:
                yield Opinion.BAD
