"""Whatever comes instead of an interaction: it is answered or it is not, and nobody does what is not theirs."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from discord.http import Route

from adapters.discord.acked_tokens import AckedTokens
from adapters.discord.labels import LabelBook
from adapters.discord.modals import ask_window
from adapters.discord.native import Known, Native
from adapters.discord.paced_http import Manner
from core.dialogue import Feedback, InboundMessage, Opinion
from core.ports import Arrival, Cursor
from tests.fuzz.spoilt import spoilt
from tests.unit.discord.interacted import (
    ANNA,
    BOT,
    CHANNEL,
    MESSAGE,
    OPINIONS,
    SEALS,
    SERVER,
    Body,
    PaperChoices,
    about,
    command,
    in_direct_messages,
    in_foreign_server,
    in_group,
    in_thread,
    press,
    read,
    submitted,
    typing,
)

SPOILT = 10_000
WINDOW = str(ask_window(MESSAGE, "", read(about("x")), SEALS, LabelBook().of("").modals)["custom_id"])
WHOLE: Sequence[Body] = [
    command("ask", question="why?", persona="owl", model="big"),
    in_thread(command("persona", name="dog")),
    in_direct_messages(command("export", what="session")),
    in_group(command("new")),
    in_foreign_server(command("help")),
    command("settings"),
    command("forget", what="me"),
    typing("ask", "persona", "o"),
    about("the moon is far", embeds=[{"title": "far"}], attachments=[{"id": "1", "filename": "a", "size": 2}]),
    press(Opinion.STOP),
    press(Opinion.GOOD),
    submitted("forget.session", {"sure": ["yes"]}),
    submitted("settings", {"persona.0": ["owl"], "streaming.0": ["off"]}),
    submitted(WINDOW, {"question": "how far?"}),
]


class PaperRest:
    """Discord's answers are of no use."""

    def __init__(self) -> None:
        self.answers: list[object] = []

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
        assert params is None
        assert manner in Manner
        if json is not None:
            self.answers.append(json)
        return {"content": "quoted", "id": MESSAGE} if route.method == "GET" else ""


class PaperTokens:
    async def keep(self, interaction_id: str, token: str) -> None:
        assert isinstance(interaction_id, str)
        assert isinstance(token, str)

    async def of(self, interaction_id: str) -> str | None:
        return None


class Stage:
    """Implements `Accept`."""

    def __init__(self) -> None:
        self.rest = PaperRest()
        known = Known(BOT, OPINIONS, SEALS, lambda server: server == SERVER)
        self._native = Native(known, self.rest, AckedTokens(PaperTokens()), PaperChoices(), LabelBook())
        self.arrivals: list[Arrival] = []

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        assert cursor is None
        self.arrivals += arrivals

    async def meets(self, body: Body) -> tuple[list[object], list[Arrival]]:
        """What Discord is answered, and what the core is told."""
        self.rest.answers, self.arrivals = [], []
        await self._native.receive(body, self)
        return self.rest.answers, self.arrivals


async def test_everything_that_is_whole_is_answered_once() -> None:
    stage = Stage()
    told = [await stage.meets(body) for body in WHOLE]

    kinds = [answer["type"] for answers, _ in told for answer in answers if isinstance(answer, dict)]
    assert kinds == [5, 5, 5, 5, 5, 9, 9, 8, 9, 6, 6, 5, 5, 5]
    assert [len(arrivals) for _, arrivals in told] == [3, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 2, 1]


async def test_nothing_breaks_and_nothing_forged_gets_through(caplog: pytest.LogCaptureFixture) -> None:
    stage, came_to = Stage(), Counter[str]()
    caplog.set_level(logging.WARNING)
    for body in spoilt(WHOLE, SPOILT, 20_261_122):
        answers, arrivals = await stage.meets(body)
        assert len(answers) <= 1, body
        for arrival in arrivals:
            assert is_allowed(arrival, body), (arrival, body)
        came_to["answered" if answers else "not understood"] += 1
        came_to.update(type(arrival.inbound).__name__ for arrival in arrivals)

    assert [record.getMessage() for record in caplog.records] == []
    # spoilt indeed, and not all of it beyond understanding
    assert min(came_to[kind] for kind in ("answered", "not understood", "Feedback", "InboundMessage")) > SPOILT / 50


def is_allowed(arrival: Arrival, body: Body) -> bool:
    """Buttons are for all in their channel; a quotation is for whom it was shown, and where."""
    said = arrival.inbound
    if said is None:
        return arrival.error.startswith("an interaction was not understood")
    if isinstance(said, Feedback):
        return said.session_key.bot == BOT and CHANNEL in (said.session_key.channel, said.session_key.thread)
    assert isinstance(said, InboundMessage)
    is_quoting = bool(said.quotes) and body.get("type") == 5
    return said.session_key.bot == BOT and (
        not is_quoting or (said.person.platform_id, said.session_key.channel) == (ANNA, CHANNEL)
    )
