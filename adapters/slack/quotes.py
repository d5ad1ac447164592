"""What a message points at: messages that a person passes on with it.

The bot's own are in its dialogue already. What Slack unfurls by itself comes later, as an edit, and is no one's words.
"""

from collections.abc import Mapping

from adapters.slack.happening import Happening
from adapters.slack.texts import plain
from adapters.told import objects, text


def quotes_of(happening: Happening, message: Mapping[str, object]) -> str:
    """ "" where it points at nothing. Raises NotUnderstood."""
    own = (happening.workspace.bot_user_id, happening.workspace.bot_id)
    shared = [
        text(one.get("text") or "")
        for one in objects(message.get("attachments"))
        if one.get("is_share") and one.get("author_id") not in own
    ]
    return "\n".join(plain(one, happening.names) for one in shared if one)
