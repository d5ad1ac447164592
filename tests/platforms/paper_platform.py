"""A platform in memory: what a person would see there, and all that can go wrong with a call.

It stands on the far side of the wire: it knows nothing of Banter, and survives its bots. A call is a name and words,
so that a bot in another process can make it.
"""

import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tests.platforms.kinds import PLACEHOLDER, Kind

Words = Mapping[str, str]


class Trouble(StrEnum):
    #: Too much was sent; nothing was done.
    RATE_LIMITED = "rate limited"
    #: It was done, and the answer is lost.
    UNANSWERED = "unanswered"
    #: It was not done, and nobody can tell.
    UNHEARD = "unheard"
    AWAY = "away"
    #: For good.
    REFUSED = "refused"
    #: Somebody deleted the message.
    GONE = "gone"
    #: That one message can be answered no more.
    TOO_LATE = "too late"


class CallFailed(Exception):
    def __init__(self, trouble: Trouble, retry_after_s: float = 0.0) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class SeenMessage:
    """One of the bot's messages, as people saw it become."""

    handle: str
    channel: str
    #: The message that it replies to.
    reply_to: str
    opened_at: float
    #: What the bot wrote onto it, for itself.
    mark: str = ""
    #: Of a stream that is still written.
    is_stream: bool = False
    is_deleted: bool = False
    #: Of a stream: why it has no text yet.
    work: str = ""
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.texts[-1]

    @property
    def is_said(self) -> bool:
        """A person can read something there that stays."""
        return not (self.is_deleted or self.is_stream) and self.text not in ("", PLACEHOLDER)


@dataclass(frozen=True, slots=True)
class Call:
    """As the platform's log tells it."""

    at_s: float
    name: str
    words: Words
    trouble: Trouble | None


#: What goes wrong with a call; None where nothing does.
Troubles = Callable[[str, Words], CallFailed | None]


class PaperPlatform:
    def __init__(self, kind: Kind, clock: Callable[[], float] = time.monotonic) -> None:
        self.kind = kind
        self.messages: dict[str, SeenMessage] = {}
        self.log: list[Call] = []
        #: Places where somebody is shown to write now, and what is said beside it.
        self.typing: dict[tuple[str, str], str] = {}
        #: What a bot must never do, and did.
        self.violations: list[str] = []
        self.refused_channels: set[str] = set()
        #: What is given out for an attachment's handle.
        self.files: dict[str, str] = {}
        #: Threads that were given a name.
        self.names: dict[str, str] = {}
        self.is_away = False
        self.troubles: Troubles = lambda _name, _words: None
        self._planned: dict[str, deque[CallFailed]] = {}
        self._clock = clock
        self._numbers = itertools.count(1)
        self._nonces: dict[str, tuple[str, float]] = {}

    def plan(self, name: str, *failures: CallFailed) -> None:
        """What goes wrong with the next calls of a name, before anything else does."""
        self._planned.setdefault(name, deque()).extend(failures)

    def call(self, name: str, words: Words) -> str:
        """Raises CallFailed."""
        failure = self._failure(name, words)
        self.log.append(Call(self._clock(), name, dict(words), failure.trouble if failure else None))
        answer = ""
        if failure is None or failure.trouble is Trouble.UNANSWERED:
            answer = self._carry_out(name, words)
        if failure is not None:
            raise failure
        return answer

    def said(self, message_id: str) -> list[str]:
        """What people can read in reply to a message, oldest first."""
        return [seen.text for seen in self.messages.values() if seen.reply_to == message_id and seen.is_said]

    def seen(self, channel: str) -> list[str]:
        """All that stands in a channel now, placeholders and running streams too."""
        return [seen.text for seen in self.messages.values() if seen.channel == channel and not seen.is_deleted]

    def _failure(self, name: str, words: Words) -> CallFailed | None:
        if self.is_away:
            return CallFailed(Trouble.AWAY)
        there = self.files if name == "read" else self.messages
        is_gone = "handle" in words and words["handle"] not in there
        if is_gone or self._channel(words) in self.refused_channels:
            return CallFailed(Trouble.REFUSED)
        if self._planned.get(name):
            return self._planned[name].popleft()
        return self.troubles(name, words)

    def _channel(self, words: Words) -> str:
        if "channel" in words:
            return words["channel"]
        message = self.messages.get(words.get("handle", ""))
        return message.channel if message else ""

    def _carry_out(self, name: str, words: Words) -> str:
        actions: dict[str, Callable[[Words], str]] = {
            "post": self._post,
            "start": self._start,
            "append": self._append,
            "stop": self._stop,
            "edit": self._edit,
            "delete": self._delete,
            "find": self._find,
            "typing": self._type,
            "read": lambda words: self.files[words["handle"]],
            "name": self._name,
            "work": self._work,
        }
        return actions[name](words)

    def _post(self, words: Words) -> str:
        nonce, now = words["nonce"], self._clock()
        if self.kind.nonce_window_s and nonce in self._nonces:
            handle, first_at = self._nonces[nonce]
            if now - first_at < self.kind.nonce_window_s:
                return handle
        message = self._open(words)
        message.mark = nonce
        self._say(message, words["text"])
        self._nonces[nonce] = message.handle, now
        return message.handle

    def _open(self, words: Words) -> SeenMessage:
        handle = f"b{next(self._numbers)}"
        message = SeenMessage(handle, words["channel"], words["reply_to"], self._clock())
        self.messages[handle] = message
        return message

    def _say(self, message: SeenMessage, text: str) -> None:
        if len(text) > self.kind.limit_chars:
            self.violations.append(f"{message.handle} is longer than {self.kind.limit_chars}: {text!r}")
        message.texts.append(text)

    def _start(self, words: Words) -> str:
        message = self._open(words)
        message.is_stream = True
        message.texts.append("")
        return message.handle

    def _append(self, words: Words) -> str:
        message = self._stream(words)
        text = message.text + words["text"]
        if len(text) > self.kind.stream_limit_chars:
            self.violations.append(f"{message.handle} outgrew its stream: {text!r}")
        message.texts.append(text)
        return ""

    def _stream(self, words: Words) -> SeenMessage:
        message = self.messages[words["handle"]]
        if message.is_stream and self._clock() - message.opened_at >= self.kind.stream_age_s:
            message.is_stream = False
        if not message.is_stream:
            raise CallFailed(Trouble.AWAY)
        return message

    def _stop(self, words: Words) -> str:
        """Says what it says to its end; a stream that is over is only marked."""
        message = self.messages[words["handle"]]
        message.is_stream, message.mark = False, words["nonce"]
        if message.text != words["text"]:
            self._say(message, words["text"])
        return ""

    def _edit(self, words: Words) -> str:
        message = self.messages[words["handle"]]
        if message.is_stream or not self.kind.capabilities.edits:
            self.violations.append(f"{message.handle} can't be edited")
        elif message.text != words["text"]:
            self._say(message, words["text"])
        return ""

    def _delete(self, words: Words) -> str:
        self.messages[words["handle"]].is_deleted = True
        return ""

    def _find(self, words: Words) -> str:
        """Where streams are, a finished message carries its mark, and one that is not finished carries none."""
        replies = [seen for seen in self.messages.values() if self._is_reply(seen, words)]
        if not self.kind.capabilities.native_stream:
            part = int(words["nonce"].rpartition(".")[2])
            return replies[part].handle if part < len(replies) else ""
        marked = [seen for seen in replies if seen.mark == words["nonce"]]
        unmarked = [seen for seen in replies if not seen.mark]
        return next((seen.handle for seen in [*marked, *unmarked[-1:]]), "")

    def _is_reply(self, seen: SeenMessage, words: Words) -> bool:
        return seen.channel == words["channel"] and seen.reply_to == words["reply_to"] and not seen.is_deleted

    def _work(self, words: Words) -> str:
        message = self._stream(words)
        if message.text:
            self.violations.append(f"{message.handle} says that it is worked on: {message.text!r}")
        message.work = words["text"]
        return ""

    def _name(self, words: Words) -> str:
        self.names[words["channel"]] = words["text"]
        return ""

    def _type(self, words: Words) -> str:
        place = (words["channel"], words["reply_to"])
        if words["on"]:
            self.typing[place] = words["status"]
        else:
            self.typing.pop(place, None)
        return ""
