"""What a part's message consists of, as Discord is told it.

Nobody is called by what a model wrote: names in it are not looked for, and addresses are not shown as pictures. The one
who is answered is called by the first part alone; the ones behind it make no sound.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.buttons import Buttons
from adapters.discord.outbound import LIMIT_UNITS, converted, said, units
from adapters.discord.paced_http import Manner
from adapters.discord.reply_ids import reply_id
from core.ports import Outgoing

FILE_NAME = "reply.md"
SUPPRESS_EMBEDS, EPHEMERAL, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 6, 1 << 12

_MARKDOWN = "text/markdown; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Body:
    json: Mapping[str, object]
    #: What goes along as a file; None where nothing does.
    file: bytes | None = None

    async def go(self, rest: DiscordRest, route: Route, manner: Manner = Manner.SENT) -> object:
        """What Discord answers. Raises PlatformError."""
        if self.file is None:
            return await rest.request(route, json=self.json, manner=manner)
        return await rest.request(route, form=self._form(), manner=manner)

    def _form(self) -> Sequence[Mapping[str, object]]:
        """As discord.py takes it."""
        told = json.dumps(self.json)
        return [
            {"name": "payload_json", "value": told},
            {"name": "files[0]", "value": self.file, "filename": FILE_NAME, "content_type": _MARKDOWN},
        ]


class Bodies:
    def __init__(self, buttons: Buttons) -> None:
        self._buttons = buttons

    def of(self, part: Outgoing, channel: str, flags: int = 0, more: Mapping[str, object] | None = None) -> Body:
        """For a message in that channel. A long one that is whole has all of it in a file as well.

        Flags that can't be changed are told with a change too, since Discord takes away what is not told.
        """
        told: dict[str, object] = {
            "content": said(part),
            "flags": SUPPRESS_EMBEDS | flags,
            "allowed_mentions": {"parse": [], "replied_user": part.part == 0},
            "components": self._buttons.below(part, channel),
        }
        told |= more or {}
        if not part.is_closed or units(converted(part.markdown)) <= LIMIT_UNITS:
            return Body(told)
        file = part.markdown.encode("utf-8", "replace")
        return Body(told | {"attachments": [{"id": 0, "filename": FILE_NAME}]}, file)


def usual_flags(part: Outgoing) -> int:
    """Of a message in a channel: no sound is made by what goes on, or by what stands beside an answer."""
    reply = reply_id(part.reply_to_id)
    is_beside = reply is not None and reply.beside is not None
    return SUPPRESS_NOTIFICATIONS if part.part or is_beside else 0
