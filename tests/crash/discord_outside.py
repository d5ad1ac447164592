"""The local Discord as a process of its own: bots around it are killed, and it lives on."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from bots.sandbox.local_discord.limits import Limits, Rates, Window
from bots.sandbox.local_discord.methods.table import OPERATIONS
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.own_process import local_discord_process
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import ChannelSeen
from bots.sandbox.orders import OrderRefused
from tests.crash.discord_judge import Question, Seen, is_open, judged, log_of, speaks_of
from tests.crash.discord_place import HEARTBEAT_S, SPEED, DiscordPlace
from tests.crash.discord_scenario import AGE, COMMANDS
from tests.crash.discord_stage import Stage, staged
from tests.crash.discord_upheavals import be_back, befall
from tests.crash.meanwhile import all_the_while
from tests.crash.scenario import Scenario
from tests.crash.verdict import Fault, Judgement
from tests.platforms.paper_sender import PaperEvent

_SPEAKING = ("create_message", "edit_message", "thread_from_message", "callback", "edit_response", "follow_up")
_LOOK_S = 0.2
#: Of all trials, in so many people begin to speak before anybody listens.
_EARLY = 0.2
_PATIENCE_S = 15.0
#: Before somebody whose command came to nothing tries it again.
_AGAIN_S = 1.0
#: Somebody who deletes messages looks so often.
_MEDDLING_S = 0.05
_TOKEN_AGE_S = 900.0 / SPEED
#: For how long a nonce means the same message; in some trials hardly for one moment.
_NONCE_AGES_S = (300.0 / SPEED, 0.3)


class DiscordOutside:
    """Implements `Outside`."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._draw = random.Random(scenario.seed)
        self._stage: Stage | None = None
        self._questions: list[Question] = []
        self._seen = Seen({})
        self._upheavals: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[DiscordPlace]:
        async with local_discord_process(_options(self._draw)) as discord:
            stage = self._stage = await staged(discord)
            for fault in self._scenario.faults:
                how = {"seconds": fault.seconds, "status": fault.status, "retry_after_s": fault.retry_after_s}
                await discord.fault(fault.kind, fault.method, after=fault.after, error=fault.error, **how)
            async with all_the_while(self._meddle()):
                try:
                    yield DiscordPlace(discord.api_url, discord.bot_id, discord.token, stage.marks)
                finally:
                    await self._end_upheavals()

    async def begins(self) -> None:
        """When a bot listens; or some people begin before. Commands are there."""
        is_early = self._draw.random() < _EARLY
        needs_commands = not COMMANDS.isdisjoint(event.channel for _, event in self._scenario.said)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while not await self._is_ready(is_early=is_early, needs_commands=needs_commands):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_S)
        threads = [self._on_stage.places["thread"], self._on_stage.places["post"]]
        self._upheavals = [
            asyncio.create_task(befall(one, self._on_stage.discord, threads, _TOKEN_AGE_S))
            for one in self._scenario.upheavals
        ]

    async def deliver(self, event: PaperEvent) -> None:
        """Discord wants no acks: what is answered was taken in. Whoever waits for it has a deadline of their own."""
        stage = self._on_stage
        if event.channel in COMMANDS:
            question = await self._ask(event)
        else:
            question = await stage.said(event)
            self._questions.append(question)
        while not await self._is_spoken_of(question):  # noqa: ASYNC110 - as somebody looks at a screen
            await asyncio.sleep(_LOOK_S)

    async def calm_down(self) -> None:
        await self._end_upheavals()
        await self._on_stage.discord.clear_faults()
        await be_back(self._on_stage.discord)

    async def judged(self, _troubles: Sequence[float]) -> Judgement:
        discord = self._on_stage.discord
        calls = [call for operation in _SPEAKING for call in await discord.calls(operation)]
        channels = {place.id: await place.look() for place in await discord.places()}
        is_aged = any(one.kind == AGE for one in self._scenario.upheavals)
        sorted_calls = sorted(calls, key=lambda call: call.began)
        self._seen = Seen(channels, is_aged, sorted_calls, await discord.told())
        judgement = judged(self._questions, self._seen, self._scenario.words)
        if resets := (await discord.look()).token_resets:
            fault = Fault("broken", "", f"sessions were begun too often: the token was reset {resets} times")
            return replace(judgement, faults=[*judgement.faults, fault])
        return judgement

    def log_of(self, event: PaperEvent) -> Sequence[str]:
        own = [one for one in self._questions if one.event.id == event.id]
        return [line for one in own for line in log_of(one, self._seen)]

    async def _ask(self, event: PaperEvent) -> Question:
        """Again in other words, until Discord is told that an answer comes."""
        number = 0
        while True:
            again = replace(event, text=f"{event.text}again{number}") if number else event
            question = await self._on_stage.asked(again)
            self._questions.append(question)
            if question.is_acked:
                return question
            number += 1
            await asyncio.sleep(_AGAIN_S)

    async def _is_spoken_of(self, question: Question) -> bool:
        place = self._on_stage.discord.place(question.channel)
        channels = [await _look(one) for one in (place, self._on_stage.discord.place(question.id))]
        messages = [message for channel in channels if channel for message in channel.all_messages]
        return any(
            message.author_id == self._on_stage.discord.bot_id and speaks_of(message, question.event)
            for message in messages
        )

    async def _is_ready(self, *, is_early: bool, needs_commands: bool) -> bool:
        state = await self._on_stage.discord.look()
        is_offered = bool(state.commands.get("")) or not needs_commands
        return is_offered and (is_early or bool(state.open_connections))

    async def _meddle(self) -> None:
        """Somebody takes a message away while it is written; it may be whole by then."""
        left, done = self._scenario.deletions, set[str]()
        while left:
            await asyncio.sleep(_MEDDLING_S)
            if not self._questions:
                continue
            question = self._draw.choice(self._questions)
            place = self._on_stage.discord.place(self._draw.choice((question.channel, question.id)))
            channel = await _look(place)
            written = [one for one in channel.bots if is_open(one) and one.id not in done] if channel else []
            if written and self._draw.random() < 0.3:
                done.add(written[0].id)
                left -= 1
                with contextlib.suppress(OrderRefused):
                    await self._on_stage.people["anna"].deletes(written[0], place)

    async def _end_upheavals(self) -> None:
        tasks, self._upheavals = self._upheavals, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def _on_stage(self) -> Stage:
        assert self._stage is not None, "it is not open"
        return self._stage


async def _look(place: Place) -> ChannelSeen | None:
    """None where there is no such thread."""
    try:
        return await place.look()
    except OrderRefused:
        return None


def _options(draw: random.Random) -> Options:
    """Seconds pass quickly. What Discord leaves open is one way or the other."""
    limits = Limits(
        nonce_age_s=draw.choice(_NONCE_AGES_S),
        token_age_s=_TOKEN_AGE_S,
        session_age_s=180.0 / SPEED,
        heartbeat_s=HEARTBEAT_S,
    )
    usual = Rates()
    names = {operation.bucket or operation.name for operation in OPERATIONS}
    rates = Rates(
        _quick(usual.usual),
        _quick(usual.everything),
        {name: _quick(usual.window(name)) for name in names},
        _quick(usual.renames),
        _quick(usual.identify),
        _quick(usual.gateway),
    )
    return Options(limits=limits, rates=rates, shards=draw.choice((1, 2)), gets_tell_nonce=draw.random() < 0.3)


def _quick(window: Window) -> Window:
    return Window(window.count, window.seconds / SPEED)
