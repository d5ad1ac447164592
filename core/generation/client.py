"""The bots' side of the engine: requests out, text back.

One connection carries all requests of this process. A request keeps its prompt and the tokens that were streamed, so
that it goes on in a new engine when the old one is lost. No torch here.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass

from core import errors
from core.dialogue import FinishReason
from core.errors import DeadlineExceeded, EngineUnavailable, GenerationError, QueueFull
from core.generation.connector import Connector
from core.generation.exchange import EngineLost, Job
from core.generation.launcher import EngineProcess
from core.generation.link import SILENCE_S, inspect_engine
from core.generation.messages import (
    LOAD_TIMEOUT_S,
    Answer,
    Failed,
    Load,
    Progress,
    Score,
    Scores,
    Statistics,
    Tokens,
)
from core.generation.open_request import CANCEL_GRACE_S, EndedHere, OpenRequest
from core.generation.reply_stream import ReplyStream, waiting
from core.generation.request import Event, GenerationRequest, ModelSpec, ScorePair, Timings, Waiting
from core.generation.tokenizer import Tokenizer

#: A request that a new engine has no room for, since all of the old one's come at once, waits here at least so long.
_ROOM_PAUSE_S = 0.1
_LONGEST_ROOM_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class ClientLimits:
    #: Requests that are open at once; one more is refused.
    open_requests: int = 1024
    #: An engine that says nothing for so long hangs: it is killed and replaced.
    silence_s: float = SILENCE_S


DEFAULT_LIMITS = ClientLimits()


class EngineClient:
    """The `local` backend."""

    def __init__(
        self,
        process: EngineProcess,
        tokenizer_of: Callable[[ModelSpec], Tokenizer],
        limits: ClientLimits = DEFAULT_LIMITS,
    ) -> None:
        self._process = process
        self._tokenizer_of = tokenizer_of
        self._limits = limits
        self._connector = Connector(process, limits.silence_s)
        self._requests: dict[str, OpenRequest] = {}
        self._none_open = asyncio.Event()
        self._none_open.set()
        self._ending = False

    async def prepare(self, model: ModelSpec) -> AsyncGenerator[Waiting, None]:
        """Loads a model ahead of its first request; yields how far it is. Raises ModelError, GenerationError."""
        load = Load(id="", model=model)
        with self._opened(secrets.token_hex(8), LOAD_TIMEOUT_S) as request, _ended_in_error():
            async with contextlib.aclosing(self._answers(request, lambda: load)) as answers:
                async for answer in answers:
                    if isinstance(answer, Progress):
                        yield waiting(answer)

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """See `Backend.submit`. Raises QueueFull where too many requests are open."""
        reply = ReplyStream(request, self._tokenizer_of(request.model))
        with self._opened(request.id, request.timeout_s) as open_request:
            try:
                async with contextlib.aclosing(self._answers(open_request, lambda: reply.job(open_request))) as answers:
                    async for answer in answers:
                        for event in reply.read(answer):
                            yield event
                        if reply.stopped:  # the engine knows no text: it is told, and its last word awaited
                            open_request.cancel()
            except EndedHere as ended:
                for event in reply.end(ended.reason, Timings(total_s=open_request.spent_s)):
                    yield event

    async def cancel(self, request_id: str) -> None:
        """See `Backend.cancel`."""
        if request_id in self._requests:
            self._requests[request_id].cancel()

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        """See `Backend.score`."""
        job = Score(id="", model=model, pairs=tuple(pairs), timeout_s=timeout_s)
        with self._opened(secrets.token_hex(8), timeout_s) as request, _ended_in_error():

            def draft() -> Score:
                return job.model_copy(update={"timeout_s": request.left_s, "alone": request.alone})

            async with contextlib.aclosing(self._answers(request, draft)) as answers:
                async for answer in answers:
                    if isinstance(answer, Scores):
                        return list(answer.log_probabilities)
        raise EngineUnavailable("the engine gave no scores; see engine.log in the data folder")

    async def inspect(self) -> Statistics | None:
        """How the engine is; None where none runs. Raises EngineUnavailable."""
        return await inspect_engine(self._process)

    async def drain(self, timeout_s: float) -> None:
        """Takes nothing new and waits for what is open; what is open then is cancelled, and still ends in order."""
        self._ending = True
        if not await self._none_open_within(timeout_s):
            self._cancel_all()
            await self._none_open_within(2 * CANCEL_GRACE_S)

    async def aclose(self) -> None:
        """What is open ends as cancelled."""
        self._ending = True
        self._cancel_all()
        await self._connector.aclose()

    async def _none_open_within(self, timeout_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none_open.wait(), timeout_s)
        return not self._requests

    def _cancel_all(self) -> None:
        for request in self._requests.values():
            request.cancel()

    @contextlib.contextmanager
    def _opened(self, request_id: str, timeout_s: float) -> Iterator[OpenRequest]:
        if self._ending:
            raise GenerationError("the program is ending and begins nothing new; ask again when it is back")
        if len(self._requests) >= self._limits.open_requests:
            count = len(self._requests)
            raise QueueFull(f"{count} requests are open already; try again later", waiting=count)
        if request_id in self._requests:
            raise ValueError(f"two open requests with the id {request_id}")
        request = self._requests[request_id] = OpenRequest(timeout_s)
        self._none_open.clear()
        try:
            yield request
        finally:
            del self._requests[request_id]
            if not self._requests:
                self._none_open.set()

    async def _answers(self, request: OpenRequest, draft: Callable[[], Job]) -> AsyncGenerator[Answer, None]:
        """All answers to a job, from as many engines as it takes; `draft` is the job as far as it has come.

        Raises EndedHere, the errors that the engine names, and RequestFailed when the engine dies of it.
        """
        while True:
            request.take_back()
            try:
                link = await request.before_end(self._connector.link())
                with link.closing(await request.before_end(link.ask(draft()))) as exchange:
                    request.give(exchange)
                    while True:
                        answer = await request.before_end(exchange.next())
                        if isinstance(answer, Failed):
                            raise _error(answer)
                        yield answer
                        if not isinstance(answer, Progress | Tokens):
                            return
            except EngineLost:
                request.lose()
            except QueueFull as full:
                if not request.resumed:
                    raise
                request.take_back()
                pause_s = min(max(full.expected_wait_s, _ROOM_PAUSE_S), _LONGEST_ROOM_PAUSE_S)
                await request.before_end(asyncio.sleep(pause_s))


@contextlib.contextmanager
def _ended_in_error() -> Iterator[None]:
    """What has no completion ends in an error where it ends on this side."""
    try:
        yield
    except EndedHere as ended:
        if ended.reason is FinishReason.DEADLINE:
            raise DeadlineExceeded("the engine did not answer in time; see engine.log in the data folder") from None
        raise GenerationError("called off: the program is ending") from None


def _error(failed: Failed) -> errors.BanterError:
    """The engine's error as the same error on this side."""
    kind = getattr(errors, failed.error, None)
    if kind is QueueFull:
        return QueueFull(failed.reason, failed.waiting, failed.expected_wait_s)
    if isinstance(kind, type) and issubclass(kind, errors.BanterError):
        return kind(failed.reason)
    return errors.RequestFailed(failed.reason)
