"""Reactions to the bot's messages → what people think of a reply.

An event of a reaction has no id, so the place that it has in its gateway session stands for one: it is the same when
the session is resumed. One that is taken back is joined by the core to the opinion that it takes back. Who takes a
reaction back is told by id alone.
"""

from collections.abc import Sequence

from adapters.discord.happening import Happening
from adapters.discord.people import person_of, roles_of
from adapters.discord.snowflakes import snowflake_in
from adapters.payloads import found_in, text_in
from core.dialogue import Feedback, Opinion, Person, Platform

#: Skin tones follow the sign.
_OPINIONS = {"👍": Opinion.GOOD, "👎": Opinion.BAD}


def reacted(happening: Happening) -> Sequence[Feedback]:
    """Raises NotUnderstood."""
    data, own = happening.data, happening.account.id
    user, author = snowflake_in(data, "user_id"), data.get("message_author_id")
    opinion = _OPINIONS.get(text_in(data, "emoji", "name")[:1])
    is_ours = author is None or author == own
    if opinion is None or not is_ours or user == own or found_in(data, "member", "user", "bot"):
        return []
    member = data.get("member")
    told = found_in(member, "user")
    person = Person(Platform.DISCORD, "", user, user) if told is None else person_of(told, member)
    return [
        Feedback(
            happening.place.key(own),
            person,
            snowflake_in(data, "message_id"),
            opinion,
            f"{happening.stamp}.{user}.{opinion.value}",
            is_withdrawn=happening.kind == "MESSAGE_REACTION_REMOVE",
            roles=roles_of(member, happening.place.guild),
        )
    ]
