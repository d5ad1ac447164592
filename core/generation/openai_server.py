"""The connection to an OpenAI-compatible server: every foreign error becomes one of this program's, here.

The API key is in a header of every request and nowhere else: a server that repeats it is not quoted with it.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from core.errors import EngineUnavailable, RequestFailed
from core.generation.openai_errors import TryAgain, lost, quoted, refusal, retry_after_s
from core.generation.openai_request import OpenAIOptions
from core.generation.openai_stream import DONE, Chunk, EventStream, Problem, ServedModel, ServedModels

Answer = TypeVar("Answer", bound=BaseModel)

#: Of an error page.
_WORDS_LIMIT_BYTES = 64 * 1024
_HIDDEN = "(hidden)"


class OpenAIServer:
    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        self._where = options.base_url
        headers = {"Accept-Encoding": "identity"}
        if options.api_key:
            headers["Authorization"] = f"Bearer {options.api_key}"
        self._client = httpx2.AsyncClient(
            base_url=options.base_url,
            headers=headers,
            timeout=httpx2.Timeout(options.read_timeout_s, connect=options.connect_timeout_s),
            # How many there are at once is the caller's to say.
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=options.parallel_requests),
        )

    async def stream(self, path: str, body: Mapping[str, object]) -> AsyncGenerator[Chunk | None, None]:
        """The chunks of an answer as they come; None is its proper end. Closing it disconnects.

        Raises TryAgain, or EngineUnavailable, ModelNotFound or RequestFailed.
        """
        events = EventStream(self._options.response_limit_bytes)
        model = str(body.get("model", ""))
        with self._translated():
            async with self._client.stream("POST", path, json=body) as response:
                await self._require(response, model, "text/event-stream")
                async for received in response.aiter_bytes():
                    for event in events.push(received):
                        yield self._chunk(event, model)
                for event in events.finish():
                    yield self._last_chunk(event, model)

    async def post(self, path: str, body: Mapping[str, object]) -> Chunk:
        """A whole answer. Raises what `stream` raises."""
        model = str(body.get("model", ""))
        with self._translated():
            async with self._client.stream("POST", path, json=body) as response:
                await self._require(response, model, "application/json")
                return self._read(await self._whole(response), Chunk)

    async def models(self) -> tuple[ServedModel, ...]:
        """Raises what `stream` raises."""
        with self._translated():
            async with self._client.stream("GET", "models") as response:
                await self._require(response, "", "application/json")
                return self._read(await self._whole(response), ServedModels).data

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _require(self, response: httpx2.Response, model: str, kind: str) -> None:
        if response.status_code != httpx2.codes.OK:
            words = self._without_key(await _words(response))
            after_s = retry_after_s(response.headers.get("Retry-After", ""))
            raise refusal(self._where, model, response.status_code, words, after_s)
        given = response.headers.get("Content-Type", "").partition(";")[0].strip().casefold()
        if given != kind:
            raise RequestFailed(
                f"{self._where} answered with {given or 'nothing that has a type'} instead of {kind}; "
                "correct `openai.base_url`, which usually ends in /v1"
            )

    async def _whole(self, response: httpx2.Response) -> str:
        received = bytearray()
        async for part in response.aiter_bytes():
            received += part
            if len(received) > self._options.response_limit_bytes:
                raise RequestFailed(f"{self._where} sent more than {self._options.response_limit_bytes:,} bytes")
        return received.decode(errors="replace")

    def _chunk(self, event: str, model: str) -> Chunk | None:
        if event.strip() == DONE:
            return None
        chunk = self._read(event, Chunk)
        if chunk.error is not None:
            raise self._failure(chunk.error, model)
        return chunk

    def _last_chunk(self, event: str, model: str) -> Chunk | None:
        """An event without the blank line after it may be cut."""
        if event.strip() != DONE and not _is_json(event):
            raise lost(self._where, "the stream ended in the middle of an event")
        return self._chunk(event, model)

    def _read(self, text: str, kind: type[Answer]) -> Answer:
        try:
            return kind.model_validate_json(text)
        except ValidationError:
            raise RequestFailed(
                f"{self._where} sent something that is no part of an answer; is it an OpenAI-compatible server?"
            ) from None

    def _failure(self, error: Problem | str, model: str) -> Exception:
        """An error in the middle of a stream, as if it had come instead of it."""
        problem = error if isinstance(error, Problem) else Problem(message=error)
        code = str(problem.code)
        status = int(code) if code.isdecimal() else httpx2.codes.BAD_REQUEST
        return refusal(self._where, model, status, self._without_key(problem.message))

    def _without_key(self, words: str) -> str:
        return words.replace(self._options.api_key, _HIDDEN) if self._options.api_key else words

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translates everything that httpx2 raises."""
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            told = quoted(self._without_key(str(error)) or type(error).__name__)
            reason = f"nothing answers at {self._where} ({told}); start the server or correct `openai.base_url`"
            raise TryAgain(EngineUnavailable(reason)) from None
        except httpx2.ReadTimeout:
            raise EngineUnavailable(
                f"{self._where} was silent for {self._options.read_timeout_s:g} s; "
                "look at its log, or raise `openai.read_timeout_s`"
            ) from None
        except httpx2.TransportError as error:
            raise lost(self._where, quoted(self._without_key(str(error)) or type(error).__name__)) from None
        except httpx2.HTTPError as error:
            raise RequestFailed(f"{self._where} sent an answer that can't be read ({type(error).__name__})") from None


async def _words(response: httpx2.Response) -> str:
    """What an error's body says: OpenAI's form, or as others have it."""
    received = bytearray()
    async for part in response.aiter_bytes():
        received += part
        if len(received) > _WORDS_LIMIT_BYTES:
            break
    text = received[:_WORDS_LIMIT_BYTES].decode(errors="replace")
    try:
        told: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for name in ("error", "message", "detail"):
        if isinstance(told, dict) and name in told:
            told = told[name]
    return told if isinstance(told, str) else text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
