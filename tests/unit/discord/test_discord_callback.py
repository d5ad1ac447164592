"""The answer to an interaction is given until Discord has it, or waits no longer."""

import time
from collections.abc import Mapping, Sequence

import pytest
from discord.http import Route

from adapters.discord.callback import ANSWER_S, call_back
from adapters.discord.paced_http import Manner
from adapters.discord.refusals import INTERACTION_ANSWERED, Refused
from core.errors import PlatformAway, PlatformError, RateLimited, SendUnclear

PAYLOAD = {"id": "123", "token": "a-token"}
ANSWER: dict[str, object] = {"type": 6}


class PaperRest:
    """Each call meets the next of these; None lets it through."""

    def __init__(self, *met: PlatformError | None) -> None:
        self._met: Sequence[PlatformError | None] = met
        self.calls: list[tuple[str, object, Manner]] = []

    async def application(self) -> object:
        return {}

    async def request(
        self,
        route: Route,
        *,
        json: object = None,
        params: Mapping[str, str | int] | None = None,
        manner: Manner = Manner.ASKED,
    ) -> object:
        assert params is None
        self.calls.append((route.url.partition("/api")[2], json, manner))
        error = self._met[min(len(self.calls), len(self._met)) - 1]
        if error is not None:
            raise error
        return ""


async def test_it_is_given_once_with_the_token_that_came() -> None:
    rest = PaperRest(None)
    await call_back(rest, PAYLOAD, ANSWER, time.monotonic())

    assert rest.calls == [("/v10/interactions/123/a-token/callback", ANSWER, Manner.SENT)]


@pytest.mark.parametrize("error", [PlatformAway("away"), SendUnclear("?"), RateLimited("too much", 0.01)])
async def test_what_was_lost_is_given_again(error: PlatformError) -> None:
    rest = PaperRest(error, error, None)
    await call_back(rest, PAYLOAD, ANSWER, time.monotonic())

    assert len(rest.calls) == 3


async def test_one_that_came_through_after_all_is_given() -> None:
    rest = PaperRest(SendUnclear("?"), Refused(INTERACTION_ANSWERED, 400))
    await call_back(rest, PAYLOAD, ANSWER, time.monotonic())

    assert len(rest.calls) == 2


async def test_a_refusal_is_for_good() -> None:
    rest = PaperRest(Refused(10062, 404), None)
    with pytest.raises(Refused):
        await call_back(rest, PAYLOAD, ANSWER, time.monotonic())

    assert len(rest.calls) == 1


@pytest.mark.parametrize("error", [PlatformAway("away"), RateLimited("too much", 60.0)])
async def test_when_discord_waits_no_longer_nobody_else_does(error: PlatformError) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await call_back(PaperRest(error), PAYLOAD, ANSWER, began - ANSWER_S)

    assert time.monotonic() - began < ANSWER_S
