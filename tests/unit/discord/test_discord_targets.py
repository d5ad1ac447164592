"""Messages that people ask about are remembered for a while, and fetched where they are not known."""

from collections.abc import Mapping
from typing import Any

import pytest
from discord.http import Route

from adapters.discord.interactions import Target
from adapters.discord.paced_http import Manner
from adapters.discord.targets import Targets
from core.dialogue import Attachment
from core.errors import PlatformAway
from tests.unit.discord.interacted import ANNA, BOT, CHANNEL, MESSAGE, user


class PaperRest:
    """Knows one message, or none."""

    def __init__(self, message: object = None) -> None:
        self._message = message
        self.fetched: list[str] = []

    async def application(self) -> object:
        return None

    async def request(
        self,
        route: Route,
        *,
        json: object = None,
        params: Mapping[str, str | int] | None = None,
        manner: Manner = Manner.ASKED,
    ) -> object:
        assert (json, params, manner) == (None, None, Manner.ASKED)
        self.fetched.append(route.url.partition("/v10")[2])
        if self._message is None:
            raise PlatformAway("away")
        return self._message


def message(content: str, **more: object) -> dict[str, Any]:
    return {"id": MESSAGE, "content": content, "mentions": [], "attachments": []} | more


async def test_what_was_shown_is_not_fetched() -> None:
    rest = PaperRest()
    targets = Targets(rest, BOT)
    targets.show(message("the moon is far"), CHANNEL, MESSAGE)

    assert await targets.of(CHANNEL, MESSAGE) == Target("the moon is far")
    assert rest.fetched == []


async def test_what_was_not_shown_is_fetched_once() -> None:
    rest = PaperRest(message("the moon is far"))
    targets = Targets(rest, BOT)

    assert [await targets.of(CHANNEL, MESSAGE) for _ in range(2)] == [Target("the moon is far")] * 2
    assert rest.fetched == [f"/channels/{CHANNEL}/messages/{MESSAGE}"]


@pytest.mark.parametrize("answer", [None, "", [1], 7])
async def test_what_can_not_be_had_is_empty(answer: object) -> None:
    assert await Targets(PaperRest(answer), BOT).of(CHANNEL, MESSAGE) == Target()


async def test_a_thousand_are_remembered_and_the_oldest_goes_first() -> None:
    rest = PaperRest()
    targets = Targets(rest, BOT)
    for number in range(1001):
        targets.show(message(f"told {number}"), CHANNEL, str(number + 1))

    assert await targets.of(CHANNEL, "1") == Target()
    assert await targets.of(CHANNEL, "2") == Target("told 1")
    assert len(rest.fetched) == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (message("a" * 5000), "a" * 4000),
        (message(f"<@{ANNA}> hi", mentions=[user(ANNA, "anna")]), "@anna hi"),
        (message("", embeds=[{"title": "Rain", "description": "It falls."}, {"title": 7}]), "Rain\nIt falls."),
        (message("", message_snapshots=[{"message": {"content": "passed on"}}, {"message": None}]), "passed on"),
        (message("hi", mentions=5), ""),
        ({"id": MESSAGE}, ""),
    ],
)
def test_the_words_of_a_message_are_found_wherever_it_has_them(told: dict[str, Any], words: str) -> None:
    assert Targets(PaperRest(), BOT).show(told, CHANNEL, MESSAGE).text == words


def test_files_go_along_as_far_as_they_can_be_told() -> None:
    file = {"id": "77", "filename": "far.txt", "content_type": "text/plain; charset=utf-8", "size": 8}
    shown = Targets(PaperRest(), BOT).show(message("", attachments=[file]), CHANNEL, MESSAGE)
    spoilt = Targets(PaperRest(), BOT).show(message("hi", attachments=[{"id": None}]), CHANNEL, MESSAGE)

    assert shown.attachments == (Attachment("far.txt", "text/plain", 8, f"{CHANNEL}/{MESSAGE}/77"),)
    assert spoilt == Target("hi")
