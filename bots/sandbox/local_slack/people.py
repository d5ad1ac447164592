"""People and channels as a test holds them: what they do is an order to the server."""

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.sights import ChannelSeen, InstallSeen, MessageSeen, channel_seen, message_seen
from bots.sandbox.local_slack.view_sights import AnswerSeen, ViewSeen, answer_seen, view_seen
from bots.sandbox.orders import Orders

#: Longer than anything takes that is not broken.
WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    content: bytes
    type: str = "text/plain"
    #: What the sender's client says; None: the truth.
    size: int | None = None
    is_snippet: bool = False

    def to_json(self) -> JsonObject:
        told: JsonObject = {"name": self.name, "content": base64.b64encode(self.content).decode(), "type": self.type}
        told |= {"mode": "snippet" if self.is_snippet else "hosted"}
        return told if self.size is None else told | {"size": self.size}


class NeverSeen(AssertionError):
    """A channel did not show what was waited for."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, a group DM, a DM."""

    orders: Orders = field(repr=False)
    id: str

    async def look(self) -> ChannelSeen:
        return channel_seen(await self.orders.ask("seen", channel=self.id))

    async def until(self, is_there: Callable[[ChannelSeen], bool], timeout_s: float = WAIT_S) -> ChannelSeen:
        """Looks until it is there. Raises NeverSeen."""
        deadline = time.monotonic() + timeout_s
        while True:
            seen = await self.look()
            if is_there(seen):
                return seen
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                texts = [(message.ts, message.text) for message in seen.messages]
                raise NeverSeen(f"after {timeout_s} s the channel {self.id} shows {texts}")
            await self.orders.give("wait", version=seen.version, timeout_s=left_s, channel=self.id)

    async def shows(self, text: str, timeout_s: float = WAIT_S) -> MessageSeen:
        """The app's newest message that says this and nothing else, once no more text can come."""

        def is_shown(message: MessageSeen) -> bool:
            return message.text == text and not message.is_live

        seen = await self.until(lambda channel: any(map(is_shown, channel.bots)), timeout_s)
        return next(message for message in reversed(seen.bots) if is_shown(message))

    async def answers(
        self, count: int = 1, root: MessageSeen | None = None, timeout_s: float = WAIT_S
    ) -> list[MessageSeen]:
        """What the app wrote, in one thread or in all, once there is so much of it and no more text can come."""

        def written(seen: ChannelSeen) -> list[MessageSeen]:
            return seen.in_thread(root.root_ts) if root else seen.bots

        def is_there(seen: ChannelSeen) -> bool:
            return len(written(seen)) >= count and not any(message.is_live for message in written(seen))

        return written(await self.until(is_there, timeout_s))

    async def archive(self) -> None:
        await self.orders.give("archive", channel=self.id)

    async def unarchive(self) -> None:
        await self.orders.give("archive", channel=self.id, is_archived=False)

    async def add_bot(self, install: InstallSeen) -> None:
        await self.orders.give("join", channel=self.id, install=install.id)

    async def remove_bot(self, install: InstallSeen) -> None:
        await self.orders.give("leave", channel=self.id, install=install.id)

    async def share_with(self, team_id: str) -> "Place":
        """With another company. A private channel gets another id."""
        told = await self.orders.ask("share", channel=self.id, team=team_id)
        return Place(self.orders, str(told["id"]))

    async def change_id(self) -> "Place":
        told = await self.orders.ask("rename_id", channel=self.id)
        return Place(self.orders, str(told["id"]))

    async def delete(self, message: MessageSeen) -> None:
        await self.orders.give("delete", channel=self.id, ts=message.ts)

    async def unfurl(self, message: MessageSeen) -> None:
        """A `message_changed` in which the text stays."""
        await self.orders.give("unfurl", channel=self.id, ts=message.ts)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses Slack. Where no channel is named, it is the DM with the app."""

    orders: Orders = field(repr=False)
    id: str
    name: str
    team_id: str
    #: The installation that the DM is with.
    install: str
    dm: Place

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    async def says(
        self,
        text: str,
        channel: Place | None = None,
        *,
        thread: MessageSeen | str = "",
        files: Sequence[Document] = (),
    ) -> MessageSeen:
        """`thread`: a message of it, or the root's ts."""
        where = channel or self.dm
        thread_ts = thread if isinstance(thread, str) else thread.root_ts
        sent = [await self.orders.ask("upload", person=self.id, **file.to_json()) for file in files]
        given = {"channel": where.id, "thread_ts": thread_ts, "files": sent}
        return message_seen(await self.orders.give("say", person=self.id, text=text, **given))

    async def edits(self, message: MessageSeen, text: str, channel: Place | None = None) -> MessageSeen:
        where = channel or self.dm
        return message_seen(await self.orders.give("edit", channel=where.id, ts=message.ts, text=text))

    async def deletes(self, message: MessageSeen, channel: Place | None = None) -> None:
        await (channel or self.dm).delete(message)

    async def reacts(self, name: str, message: MessageSeen, channel: Place | None = None) -> None:
        where = channel or self.dm
        await self.orders.give("react", person=self.id, channel=where.id, ts=message.ts, name=name)

    async def takes_back(self, name: str, message: MessageSeen, channel: Place | None = None) -> None:
        """A reaction."""
        where = channel or self.dm
        await self.orders.give("unreact", person=self.id, channel=where.id, ts=message.ts, name=name)

    async def stops(self, message: MessageSeen, channel: Place | None = None) -> list[str]:
        """The native Stop in the message's thread; gives the streams that it stopped."""
        where = channel or self.dm
        told = await self.orders.give("stop", person=self.id, channel=where.id, thread_ts=message.root_ts)
        return [str(ts) for ts in told] if isinstance(told, list) else []

    async def renames_session(self, message: MessageSeen, title: str, channel: Place | None = None) -> None:
        where = channel or self.dm
        given = {"channel": where.id, "thread_ts": message.root_ts, "title": title}
        await self.orders.give("title", person=self.id, **given)

    async def opens_app(self, tab: str = "home") -> None:
        """The app's page: `home` or `messages`."""
        await self.orders.give("open_app", person=self.id, install=self.install, tab=tab)

    async def presses(
        self, button: str, message: MessageSeen, channel: Place | None = None, *, forged: str | None = None
    ) -> AnswerSeen:
        """What stands on the button, its action id or its value. `forged`: a value that it does not have."""
        where = channel or self.dm
        given: JsonObject = {"channel": where.id, "ts": message.ts, "wanted": button}
        given |= {} if forged is None else {"forged": forged}
        return answer_seen(await self.orders.give("press", person=self.id, **given))

    async def presses_in_home(self, button: str) -> AnswerSeen:
        given = {"install": self.install, "is_home": True, "wanted": button}
        return answer_seen(await self.orders.give("press_in_view", person=self.id, **given))

    async def presses_in_modal(self, button: str) -> AnswerSeen:
        return answer_seen(await self.orders.give("press_in_view", person=self.id, wanted=button))

    async def commands(self, line: str, channel: Place | None = None) -> AnswerSeen:
        """As it is typed: `/banter help`."""
        where = channel or self.dm
        command, _, text = line.partition(" ")
        given = {"install": self.install, "channel": where.id, "command": command, "text": text}
        return answer_seen(await self.orders.give("command", person=self.id, **given))

    async def uses_shortcut(self, callback_id: str, message: MessageSeen, channel: Place | None = None) -> AnswerSeen:
        where = channel or self.dm
        given = {"install": self.install, "channel": where.id, "ts": message.ts, "callback_id": callback_id}
        return answer_seen(await self.orders.give("shortcut", person=self.id, **given))

    async def modal(self, timeout_s: float = WAIT_S) -> ViewSeen:
        """The one on top, once there is one. Raises NeverSeen."""
        return await self._view({}, timeout_s)

    async def home(self, timeout_s: float = WAIT_S) -> ViewSeen:
        """App Home, once it was published. Raises NeverSeen."""
        return await self._view({"is_home": True, "install": self.install}, timeout_s)

    async def has_modal(self) -> bool:
        return (await self.orders.ask("view", person=self.id))["view"] is not None

    async def submits(self, **values: object) -> AnswerSeen:
        """The modal on top, with what is filled in, by action id."""
        return answer_seen(await self.orders.give("submit", person=self.id, values=values))

    async def closes_modal(self) -> AnswerSeen:
        return answer_seen(await self.orders.give("close_modal", person=self.id))

    async def consents(self, authorize_url: str, place: str = "", *, is_denied: bool = False) -> str:
        """To the app's installation, in the person's workspace or an organisation; where the browser goes then."""
        given = {"url": authorize_url, "place": place or self.team_id, "is_denied": is_denied}
        return str(await self.orders.give("consent", person=self.id, **given))

    async def joins(self, channel: Place) -> None:
        await self.orders.give("join", person=self.id, channel=channel.id)

    async def leaves(self, channel: Place) -> None:
        await self.orders.give("leave", person=self.id, channel=channel.id)

    async def _view(self, given: JsonObject, timeout_s: float) -> ViewSeen:
        deadline = time.monotonic() + timeout_s
        while True:
            told = await self.orders.ask("view", person=self.id, **given)
            if told["view"] is not None:
                return view_seen(told["view"])
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise NeverSeen(f"after {timeout_s} s nothing was opened or published")
            await self.orders.give("wait", version=told["version"], timeout_s=left_s)
