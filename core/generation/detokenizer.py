"""Tokens to text while they come: whole characters only, and nothing of a stop string.

The cost of a token does not grow with the reply. Bytes that can't become a character any more are given out as U+FFFD
at once, so a model that draws broken UTF-8 never holds the stream up.
"""

import codecs
from collections.abc import Iterable

from core.generation.tokenizer import Tokenizer


class Detokenizer:
    """The texts that `push` and `flush` return, joined, are `Tokenizer.decode` of all ids."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._token_bytes = tokenizer.token_bytes
        self._before: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_ids: Iterable[int]) -> str:
        """The text that is settled now: never half of a character."""
        return self._decoder.decode(b"".join([self._spell(token_id) for token_id in token_ids]))

    def flush(self) -> str:
        """The rest, at the end of the reply."""
        return self._decoder.decode(b"", final=True)

    def _spell(self, token_id: int) -> bytes:
        spelled = self._token_bytes.spell(token_id, self._before)
        if self._token_bytes.is_visible(token_id):
            self._before = token_id
        return spelled


class StopStrings:
    """Cuts a stream before the stop string that is complete first; the longest one where several end together."""

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        #: The stop string that was found; "" so far.
        self.found = ""

    def push(self, text: str) -> str:
        """What can be given out; nothing more once a stop string was found."""
        if self.found:
            return ""
        self._held += text
        ends = [(at + len(stop), -len(stop), stop) for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if ends:
            end, _, self.found = min(ends)
            return self._take(end - len(self.found))
        return self._take(len(self._held) - self._unsettled())

    def flush(self) -> str:
        """The rest, at the end of the reply."""
        return "" if self.found else self._take(len(self._held))

    def _unsettled(self) -> int:
        """How many characters at the end may still begin a stop string."""
        longest = max(map(len, self._stops), default=1) - 1
        for count in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-count:]) for stop in self._stops):
                return count
        return 0

    def _take(self, count: int) -> str:
        taken, self._held = self._held[:count], self._held[count:]
        return taken
