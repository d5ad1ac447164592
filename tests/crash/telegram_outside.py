"""The local Bot API server as a process of its own: bots around it are killed, and it lives on."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.telegram.account import TelegramAccount
from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.options import Options
from bots.sandbox.local_telegram.own_process import local_telegram_process
from bots.sandbox.local_telegram.people import Person
from bots.sandbox.local_telegram.people import Place as Chat
from bots.sandbox.orders import OrderRefused
from tests.crash.scenario import Scenario
from tests.crash.telegram_judge import ChatRecord, Question, is_open, judged, log_of
from tests.crash.telegram_place import RATES, TelegramPlace
from tests.crash.verdict import Judgement
from tests.platforms.paper_sender import PaperEvent

#: Of the server's first update; its ids count up from there. Topics and questions come first.
_FIRST_UPDATE, _UPDATES = 1000, 10
_CALLED = "@banter_bot "
_LOOK_S = 10.0
#: Somebody who deletes messages looks so often.
_DELETING_S = 0.05


@dataclass(frozen=True, slots=True)
class _Stage:
    """Everything that there is."""

    telegram: LocalTelegram
    people: dict[str, Person]
    #: Place → the chat, and the topic in it.
    chats: dict[str, tuple[Chat, int]]


class TelegramOutside:
    """Implements `Outside`."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._draw = random.Random(scenario.seed)
        self._stage: _Stage | None = None
        self._questions: list[Question] = []
        self._records: list[ChatRecord] = []

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[TelegramPlace]:
        async with local_telegram_process(Options(rates=RATES)) as telegram:
            self._stage = await _staged(telegram)
            for fault in self._scenario.faults:
                await telegram.fault(
                    fault.kind,
                    fault.method,
                    after=fault.after,
                    seconds=fault.seconds,
                    status=fault.status,
                    retry_after_s=fault.retry_after_s,
                )
            account = TelegramAccount(str(telegram.bot_id), telegram.bot_username)
            deleting = asyncio.create_task(self._delete_messages())
            try:
                yield TelegramPlace(telegram.base_url, telegram.token, account)
            finally:
                deleting.cancel()
                await asyncio.gather(deleting, return_exceptions=True)

    async def begins(self) -> None:
        """At once."""

    async def deliver(self, event: PaperEvent) -> None:
        stage = self._on_stage
        chat, thread_id = stage.chats[event.channel]
        is_private = event.channel in stage.people
        text = event.text if is_private else _CALLED + event.text
        message = await stage.people[event.person].says(text, chat, thread_id=thread_id)
        self._questions.append(Question(event, chat.id, message.id))
        await self._is_taken_in()
        if self._draw.random() < self._scenario.weather.redelivered:
            with contextlib.suppress(OrderRefused):  # of an update that there never was
                await stage.telegram.repeat_update(_FIRST_UPDATE + self._draw.randrange(_UPDATES))

    async def calm_down(self) -> None:
        await self._on_stage.telegram.clear_faults()

    async def judged(self, troubles: Sequence[float]) -> Judgement:
        stage = self._on_stage
        sends = await stage.telegram.calls("sendMessage")
        chats = {chat.id: chat for chat, _ in stage.chats.values()}
        self._records = [
            ChatRecord(
                chat_id, await chat.look(), [call for call in sends if int(call.parameters["chat_id"]) == chat_id]
            )
            for chat_id, chat in chats.items()
        ]
        return judged(self._questions, self._records, self._scenario.words, troubles)

    def log_of(self, event: PaperEvent) -> Sequence[str]:
        return log_of(next(one for one in self._questions if one.event == event), self._records)

    async def _delete_messages(self) -> None:
        """Somebody takes one away while it is written; it may be whole when they have it."""
        done: set[tuple[int, int]] = set()
        while len(done) < self._scenario.deletions:
            chat, _ = self._on_stage.chats[self._draw.choice(self._scenario.said)[1].channel]
            open_ones = [one for one in (await chat.look()).bots if is_open(one) and (chat.id, one.id) not in done]
            if open_ones and self._draw.random() < 0.3:
                done.add((chat.id, open_ones[0].id))
                await chat.delete_message(open_ones[0])
            await asyncio.sleep(_DELETING_S)

    @property
    def _on_stage(self) -> _Stage:
        assert self._stage is not None, "it is not open"
        return self._stage

    async def _is_taken_in(self) -> None:
        """Whoever waits for it has a deadline of their own."""
        while True:
            with contextlib.suppress(TimeoutError):
                await self._on_stage.telegram.settled(_LOOK_S)
                return


async def _staged(telegram: LocalTelegram) -> _Stage:
    anna, ben = await telegram.person("Anna"), await telegram.person("Ben")
    group = await telegram.group("Rain", anna, ben)
    forum = await telegram.group("Weather", anna, ben, is_forum=True)
    topics = [await anna.opens_topic(name, forum) for name in ("one", "two")]
    return _Stage(
        telegram,
        {"anna": anna, "ben": ben},
        {
            "anna": (anna.chat, 0),
            "ben": (ben.chat, 0),
            "group": (group, 0),
            "topic 1": (forum, topics[0]),
            "topic 2": (forum, topics[1]),
        },
    )
