"""The OpenAI streaming format: bytes → events → chunks → the text of a reply. Pure; it reads from no connection.

A stream is `text/event-stream` (HTML standard, section 9.2): lines in UTF-8 that end in LF, CR LF or CR, an event's
data in `data:` lines, a blank line after it; lines that begin with a colon keep the connection alive. The data is one
JSON chunk each, and `[DONE]` at the end. The bytes may be cut anywhere, also within a character.
"""

import math
import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from core.dialogue import FinishReason
from core.errors import RequestFailed
from core.generation.detokenizer import StopStrings
from core.generation.request import Candidate
from core.generation.tokenizer import Tokenizer

DONE = "[DONE]"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_REASONS = {"length": FinishReason.LENGTH}


class _Wire(BaseModel):
    """What is not known here is left alone: servers add to the format as they like."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Delta(_Wire):
    content: str | None = None


class TokenLogProbability(_Wire):
    logprob: float


class LogProbabilities(_Wire):
    #: Of a chat; llama.cpp gives it for completions too.
    content: tuple[TokenLogProbability, ...] | None = None
    #: Of completions; null for a prompt's first token.
    token_logprobs: tuple[float | None, ...] | None = None

    @property
    def total(self) -> float:
        given = [token.logprob for token in self.content or ()] + [each for each in self.token_logprobs or () if each]
        return math.fsum(each for each in given if math.isfinite(each))


class Choice(_Wire):
    index: int = Field(default=0, ge=0)
    #: Of a chat.
    delta: Delta | None = None
    #: Of completions.
    text: str | None = None
    finish_reason: str | None = None
    logprobs: LogProbabilities | None = None

    @property
    def written(self) -> str:
        return self.text or (self.delta.content if self.delta is not None else "") or ""


class CachedTokens(_Wire):
    cached_tokens: int | None = None


class Usage(_Wire):
    prompt_tokens: int = 0
    prompt_tokens_details: CachedTokens | None = None

    @property
    def prefilled_tokens(self) -> int:
        cached = self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else 0
        return max(self.prompt_tokens - (cached or 0), 0)


class Problem(_Wire):
    message: str = ""
    code: int | str | None = None


class Chunk(_Wire):
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    error: Problem | str | None = None


class ServedModel(_Wire):
    id: str
    owned_by: str | None = None


class ServedModels(_Wire):
    data: tuple[ServedModel, ...]


class EventStream:
    """Bytes, cut anywhere → the data of whole events."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._received_bytes = 0
        self._rest = b""
        self._data: list[str] = []

    def push(self, received: bytes) -> list[str]:
        """Raises RequestFailed where the whole stream is longer than the limit."""
        self._received_bytes += len(received)
        if self._received_bytes > self._limit_bytes:
            raise RequestFailed(f"the server sent more than {self._limit_bytes:,} bytes for one reply; look at its log")
        self._rest += received
        held = self._rest.endswith(b"\r")  # a line feed may follow
        *lines, rest = _LINE_END.split(self._rest[:-1] if held else self._rest)
        self._rest = rest + b"\r" if held else rest
        return [event for line in lines if (event := self._read(line))]

    def finish(self) -> list[str]:
        """The last event, where the server left the blank line after it out."""
        lines = _LINE_END.split(self._rest)
        return [event for line in (*lines, b"") if (event := self._read(line))]

    def _read(self, line: bytes) -> str:
        """The data of the event that ends with this line; "" where none does."""
        if not line:
            data, self._data = "\n".join(self._data), []
            return data
        name, _, value = line.decode(errors="replace").removeprefix("\ufeff").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "error":  # llama.cpp's older way of saying it
            self._data.append(f'{{"error": {value}}}')
        return ""


class ServedReply:
    """One choice as it is written: whole characters, and nothing of a stop string."""

    def __init__(self, stop: Sequence[str], prefix: str = "") -> None:
        self._stop = stop
        self._prefix = prefix
        self.restart()

    def restart(self) -> None:
        """Forgets all but the prefix."""
        self._stop_strings = StopStrings(self._stop)
        #: Everything that the server wrote, with the prefix.
        self.received = ""
        #: What can be shown of it.
        self.text = ""
        #: Whether the server wrote of this choice at all.
        self.seen = False
        self.finish_reason: FinishReason | None = None
        #: In nats; 0 where the server tells none.
        self.log_probability = 0.0
        self._release(self._prefix)
        self._begun_chars = len(self.text)

    @property
    def shown(self) -> bool:
        """Whether there is more to be seen than what could be shown of the prefix."""
        return len(self.text) > self._begun_chars

    @property
    def stopped(self) -> bool:
        """Whether a stop string was written."""
        return bool(self._stop_strings.found)

    @property
    def ended(self) -> bool:
        return self.finish_reason is not None

    def take(self, choice: Choice) -> str:
        """What can be shown of it now. Raises RequestFailed where the server refused to write."""
        self.seen = True
        if choice.logprobs is not None:
            self.log_probability += choice.logprobs.total
        text = self._release(choice.written)
        if self.stopped:
            self.finish_reason = FinishReason.STOP
        elif choice.finish_reason:
            _refuse(choice.finish_reason, self.received)
            self.finish_reason = _REASONS.get(choice.finish_reason, FinishReason.STOP)
        return text

    def finish(self) -> str:
        """What was held back, at the end of the reply."""
        rest = self._stop_strings.flush()
        self.text += rest
        return rest

    def candidate(self, tokenizer: Tokenizer, prefix_ids: tuple[int, ...], interruption: FinishReason) -> Candidate:
        """Its ids are those that the tokenizer makes of its text: the server tells none."""
        ids = encode_after(tokenizer, self.text[len(self._prefix) :], inside=bool(self._prefix))
        return Candidate(self.text, prefix_ids + ids, self.finish_reason or interruption, self.log_probability)

    def _release(self, text: str) -> str:
        self.received += text
        shown = self._stop_strings.push(text)
        self.text += shown
        return shown


def encode_after(tokenizer: Tokenizer, text: str, *, inside: bool) -> tuple[int, ...]:
    """The ids of a text, `inside` where it follows another one; control tokens that it spells out stay text."""
    return tokenizer.encode_marked(text, ((0, len(text)),), inside=inside) if text else ()


def _refuse(finish_reason: str, received: str) -> None:
    if finish_reason in ("error", "abort"):
        raise RequestFailed("the server broke the reply off; look at its log")
    if finish_reason == "content_filter" and not received:
        raise RequestFailed("the server's content filter let no reply through; say it in other words")
