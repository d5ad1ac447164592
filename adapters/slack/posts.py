"""Messages that are sent, changed and deleted as a whole."""

from collections.abc import Sequence
from typing import Any

from adapters.slack.buttons import Buttons
from adapters.slack.calls import Calls, Errand
from adapters.slack.outbound import PLACEHOLDER, Block, content, mark, said, text_chunk
from adapters.slack.refusals import BLOCKS_REFUSED, NOT_THERE, STOPPED_ALL_THE_SAME, STREAM_OVER, STREAMING, Refused
from core.dialogue import SessionKey
from core.errors import PlatformAway
from core.ports import Outgoing

#: Nothing that a model wrote is looked for by Slack: no address is asked for, no name becomes a mention.
_PLAIN = {"parse": "none", "link_names": False}
_NO_TEXT = "no_text"
_NO_UNFURLS = {"unfurl_links": False, "unfurl_media": False}


class Posts:
    """All methods raise PlatformError."""

    def __init__(self, calls: Calls, buttons: Buttons) -> None:
        self._calls = calls
        self._buttons = buttons

    async def post(self, errand: Errand, part: Outgoing) -> str:
        """Gives its handle. Of what goes to a thread."""
        key = part.session_key
        where = {"channel": key.channel} | ({"thread_ts": key.thread} if key.thread else {})
        answer = await self._send(errand, "chat.postMessage", part, where | _NO_UNFURLS, self.below(part))
        return str(answer["ts"])

    async def whisper(self, errand: Errand, part: Outgoing) -> str:
        """To the one person who shall read it; in a DM where the app is not in that channel."""
        key = part.session_key
        try:
            told = {"channel": key.channel, "user": key.person, "markdown_text": said(part), **_PLAIN}
            return str((await self._calls.change(errand, "chat.postEphemeral", told))["message_ts"])
        except Refused as refused:
            if refused.code not in NOT_THERE:
                raise
        opened = await self._calls.change(errand, "conversations.open", {"users": key.person})
        where = {"channel": str(opened["channel"]["id"])}
        answer = await self._send(errand, "chat.postMessage", part, where | _NO_UNFURLS, ())
        return str(answer["ts"])

    async def update(self, errand: Errand, handle: str, part: Outgoing) -> None:
        """Makes the message say the part, a stream's too: one that is still open is stopped first."""
        for _ in range(2):
            try:
                where = {"channel": part.session_key.channel, "ts": handle}
                await self._send(errand, "chat.update", part, where, self.below(part))
                return
            except Refused as refused:
                if refused.code != STREAMING:
                    raise
            await self.stop(errand, part.session_key, handle)
        raise PlatformAway("the stream has not come to its end yet")

    async def stop(self, errand: Errand, key: SessionKey, handle: str) -> None:
        """A stream, as it stands. What must not end without a text gets one that is changed afterwards."""
        told: dict[str, Any] = {"channel": key.channel, "ts": handle}
        for more in ({}, {"chunks": [text_chunk(PLACEHOLDER)]}):
            try:
                await self._calls.change(errand, "chat.stopStream", told | more)
            except Refused as refused:
                if refused.code == _NO_TEXT and not more:
                    continue
                if refused.code not in STREAM_OVER | STOPPED_ALL_THE_SAME:
                    raise
            return

    async def delete(self, errand: Errand, key: SessionKey, handle: str) -> None:
        await self._calls.change(errand, "chat.delete", {"channel": key.channel, "ts": handle})

    def below(self, part: Outgoing) -> Sequence[Block]:
        """The buttons of a part that has a successor go away."""
        if not part.is_drawn or (part.is_closed and not part.is_last):
            return ()
        if part.is_closed:
            return self._buttons.below(part.session_key, part.token)
        return self._buttons.while_written(part.session_key, part.token)

    async def _send(
        self, errand: Errand, method: str, part: Outgoing, where: dict[str, Any], below: Sequence[Block]
    ) -> Any:
        """The text is sent without its buttons where Slack does not take them."""
        told: dict[str, Any] = {**where, "metadata": mark(part), **_PLAIN}
        channel = where["channel"] if method == "chat.postMessage" else ""
        try:
            return await self._calls.change(errand, method, {**told, **content(said(part), below)}, channel=channel)
        except Refused as refused:
            if refused.code not in BLOCKS_REFUSED or not below:
                raise
        return await self._calls.change(errand, method, {**told, **content(said(part), ())}, channel=channel)
