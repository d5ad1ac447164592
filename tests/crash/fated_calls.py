"""Calls over aiohttp in which a bot can die: before anything is written, when the whole request is, and when the answer
begins to come.
"""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

from tests.crash.fate import Fate

#: What a request is called, from its trace's context and its start.
NameOf = Callable[[SimpleNamespace, aiohttp.TraceRequestStartParams], str]


def tell_of_calls(trace: aiohttp.TraceConfig, fate: Fate, name_of: NameOf) -> None:
    """The client tells of its requests before it writes them; when its loop turns again they are written."""

    async def begins(_session: object, call: SimpleNamespace, told: aiohttp.TraceRequestStartParams) -> None:
        call.name = name_of(call, told)
        fate.passes("before", call.name)

    def is_under_way(call: SimpleNamespace) -> None:
        asyncio.get_running_loop().call_soon(fate.passes, "during", call.name)

    async def writes_headers(_session: object, call: SimpleNamespace, told: object) -> None:
        assert isinstance(told, aiohttp.TraceRequestHeadersSentParams)
        if told.method == "GET":
            is_under_way(call)

    async def writes_body(_session: object, call: SimpleNamespace, _told: object) -> None:
        is_under_way(call)

    async def is_answered(_session: object, call: SimpleNamespace, _told: object) -> None:
        fate.passes("after", call.name)

    trace.on_request_start.append(begins)
    trace.on_request_headers_sent.append(writes_headers)
    trace.on_request_chunk_sent.append(writes_body)
    trace.on_request_end.insert(0, is_answered)  # before anybody who refuses the answer
