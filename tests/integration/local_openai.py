"""A server that follows OpenAI's streaming format, for both endpoints, and fails as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

KEY = "sk-hunter2"
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
DONE = b"data: [DONE]\n\n"
_REASONS = {200: "OK"}


class Fault(Enum):
    #: The connection breaks.
    DROP = "drop"
    #: Nothing more comes until the client has gone.
    SILENCE = "silence"


#: Bytes that are sent, a fault, or something that is waited for.
Step = bytes | Fault | asyncio.Event


@dataclass(frozen=True)
class Answer:
    steps: Sequence[Step]
    status: int = 200
    content_type: str = "text/event-stream; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, object]


def event(value: object, line_end: str = "\n") -> bytes:
    return f"data: {json.dumps(value)}{line_end}{line_end}".encode()


def chunk(path: str, text: str, index: int = 0, finish_reason: str | None = None, logprobs: object = None) -> bytes:
    """One choice's next words, as the endpoint has it."""
    said: dict[str, object] = {"delta": {"content": text}} if path == CHAT else {"text": text}
    return event(
        {"id": "c1", "choices": [{"index": index, **said, "finish_reason": finish_reason, "logprobs": logprobs}]}
    )


def words(path: str, *said: str, finish_reason: str = "stop", index: int = 0) -> list[bytes]:
    """A reply from its first words to its end, without `[DONE]`."""
    first = [event({"choices": [{"index": index, "delta": {"role": "assistant", "content": ""}}]})]
    rest = [chunk(path, word, index) for word in said]
    return [*(first if path == CHAT else []), *rest, chunk(path, "", index, finish_reason)]


def spaced(events: Sequence[bytes], space_s: float) -> list[Step]:
    """Each comes so long after the one before, from now on."""
    steps: list[Step] = []
    for number, told in enumerate(events):
        steps += [comes(number * space_s), told]
    return steps


def comes(after_s: float) -> asyncio.Event:
    """Set by then."""
    moment = asyncio.Event()
    asyncio.get_running_loop().call_later(after_s, moment.set)
    return moment


def reply(path: str, *said: str, finish_reason: str = "stop") -> Answer:
    return Answer([*words(path, *said, finish_reason=finish_reason), DONE])


def failure(status: int, message: str, **headers: str) -> Answer:
    body = json.dumps({"error": {"message": message, "type": "error", "code": status}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer([body], status, "application/json", named)


class LocalOpenAI:
    """Gives the next of `answers` to every request; when there are none left, a reply of its own."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[Asked] = []
        self.models: list[dict[str, str]] = [{"id": "tiny", "object": "model", "owned_by": "me"}]
        self.base_url = ""
        #: Grows with every client that leaves in the middle of an answer.
        self.left = asyncio.Semaphore(0)
        #: Grows with every request.
        self.came = asyncio.Semaphore(0)
        self._serving: set[asyncio.Task[object]] = set()

    @property
    def bodies(self) -> list[Mapping[str, object]]:
        return [asked.body for asked in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while (asked := await _read(reader)) is not None:
                self.asked.append(asked)
                self.came.release()
                await self._answer(asked, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.release()
        finally:
            self._serving.discard(task)
            writer.transport.abort()

    async def aclose(self) -> None:
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _answer(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = self._chosen(asked)
        headers = {"Content-Type": answer.content_type, "Transfer-Encoding": "chunked", **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Error')}"]
        writer.write("\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode())
        for step in answer.steps:
            if isinstance(step, bytes):
                writer.write(f"{len(step):x}\r\n".encode() + step + b"\r\n")
                await writer.drain()
            elif isinstance(step, asyncio.Event):
                await step.wait()
            elif step is Fault.SILENCE:
                await reader.readexactly(1)
            else:
                writer.close()
                await writer.wait_closed()
                raise ConnectionResetError
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _chosen(self, asked: Asked) -> Answer:
        if asked.path == "/v1/models":
            return Answer([json.dumps({"object": "list", "data": self.models}).encode()], 200, "application/json")
        return self.answers.pop(0) if self.answers else reply(asked.path, "I am", " here.")


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    """None when the client has left between two requests."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError as ended:
        if not ended.partial:
            return None
        raise
    request_line, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(request_line.split(" ")[1], headers, json.loads(body or b"{}"))


@asynccontextmanager
async def running_openai(local: LocalOpenAI | None = None) -> AsyncIterator[LocalOpenAI]:
    local = local or LocalOpenAI()
    server = await asyncio.start_server(local.serve, "127.0.0.1", 0)
    local.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield local
    finally:
        server.close()
        await local.aclose()
        await server.wait_closed()
