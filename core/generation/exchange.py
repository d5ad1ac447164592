"""One job on one connection: the answers that came and were not read yet.

Bounded whatever the engine sends and however slow the reader is: tokens are joined, of the news of its waiting only
the last is kept, and an engine that is far ahead of the reader is asked to hold.
"""

import asyncio
import secrets
from collections.abc import Callable

from core.errors import EngineUnavailable
from core.generation.messages import (
    Answer,
    Cancel,
    ClientMessage,
    Forget,
    Hold,
    Inspect,
    Load,
    Progress,
    Resume,
    Score,
    Started,
    Submit,
    Tokens,
)

Job = Load | Submit | Score | Inspect | Forget

#: The engine is asked to hold when more tokens than this were not read.
HOLD_AT_TOKENS = 64


class EngineLost(EngineUnavailable):
    """The engine ended before its answer did. A request that can go on in a new engine does."""

    def __init__(self) -> None:
        super().__init__("the engine ended in the middle of its work; see engine.log in the data folder")


class Exchange:
    """Filled by the connection, emptied by the one reader of the request."""

    def __init__(self, job: Job, send: Callable[[ClientMessage], None]) -> None:
        self.id = secrets.token_hex(8)
        #: Whether the engine has begun with it.
        self.started = False
        #: Whether its last answer has come, read or not.
        self.finished = False
        self._job = job
        self._send = send
        self._progress: Progress | None = None
        self._token_ids: list[int] = []
        self._last: Answer | None = None
        self._held = False
        self._lost = False
        self._news = asyncio.Event()

    def receive(self, answer: Answer) -> None:
        match answer:
            case Started():
                self.started = True
            case Progress():
                self._progress = answer
                self.started |= isinstance(self._job, Load) and answer.loading == self._job.model.name
            case Tokens():
                self.started = True
                self._progress = None
                self._token_ids += answer.token_ids
                self._hold_if_ahead()
            case _:
                self.finished = True
                self._last = answer
        self._news.set()

    def lose(self) -> None:
        """The connection has ended."""
        self._lost = True
        self._news.set()

    def cancel(self) -> None:
        if not self.finished:
            self._send(Cancel(id=self.id))

    async def next(self) -> Answer:
        """Tokens before the news of its waiting, the last answer at last. Raises EngineLost."""
        while (answer := self._take()) is None:
            if self._lost:
                raise EngineLost
            self._news.clear()
            await self._news.wait()
        return answer

    def _take(self) -> Answer | None:
        if self._token_ids:
            tokens, self._token_ids = Tokens(id=self.id, token_ids=tuple(self._token_ids)), []
            self._resume_if_held()
            return tokens
        if self._progress is not None and self._last is None:
            progress, self._progress = self._progress, None
            return progress
        return self._last

    def _hold_if_ahead(self) -> None:
        if len(self._token_ids) > HOLD_AT_TOKENS and not self._held:
            self._held = True
            self._send(Hold(id=self.id))

    def _resume_if_held(self) -> None:
        if self._held and not self.finished:
            self._held = False
            self._send(Resume(id=self.id))
