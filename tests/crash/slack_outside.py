"""The local Slack as a process of its own: bots around it are killed, and it lives on.

Its clock is made to run ahead, so that it brings again within seconds what nobody acked.
"""

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.limits import Limits
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.own_process import local_slack_process
from bots.sandbox.local_slack.people import Person
from bots.sandbox.local_slack.people import Place as Channel
from tests.crash.meanwhile import all_the_while
from tests.crash.scenario import Scenario
from tests.crash.slack_judge import SENDS, ChannelRecord, Question, is_open, judged, log_of
from tests.crash.slack_place import SPEED, SlackPlace
from tests.crash.slack_scenario import NO_STREAMS, STATUS, STORM
from tests.crash.verdict import Judgement
from tests.crash.weather import Upheaval
from tests.platforms.paper_sender import PaperEvent

_HOST = "127.0.0.1"
#: Slack's three seconds, and what a machine that is busy with other trials takes.
_ACK_S = 3.0
_TICK_S = 0.1
_LOOK_S = 0.2
#: Of all trials, in so many people begin to speak before anybody listens.
_EARLY = 0.1
_PATIENCE_S = 15.0
#: Somebody who deletes messages, or lets streams grow old, looks so often.
_MEDDLING_S = 0.05
#: Streams are dead by then.
_STREAM_AGE_S = 310.0
_AWAY_S = 0.4
#: Each event is brought so often in a storm.
_COPIES = 3


@dataclass(frozen=True, slots=True)
class _Stage:
    """Everything that there is."""

    slack: LocalSlack
    people: dict[str, Person]
    #: Place → the channel, and the thread in it.
    channels: dict[str, tuple[Channel, str]]


class SlackOutside:
    """Implements `Outside`."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._draw = random.Random(scenario.seed)
        self._stage: _Stage | None = None
        self._questions: list[Question] = []
        self._records: list[ChannelRecord] = []
        #: Where events are posted to; 0: they go over websockets.
        self._port = 0
        self._upheavals: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[SlackPlace]:
        async with local_slack_process(Options(limits=Limits(ack_s=_ACK_S * SPEED))) as slack:
            self._stage = await _staged(slack)
            await self._order_faults(slack)
            self._port = await _told_where_to_post(slack) if self._scenario.by_http else 0
            async with all_the_while(self._pass_time(), self._meddle()):
                try:
                    yield SlackPlace(
                        slack.api_url, slack.app_id, slack.token, slack.app_token, slack.signing_secret, self._port
                    )
                finally:
                    await self._end_upheavals()

    async def begins(self) -> None:
        """When a bot listens; or some people begin before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.0 if self._draw.random() < _EARLY else _PATIENCE_S):
                while not await self._is_listened_to():  # noqa: ASYNC110 - as somebody looks at a screen
                    await asyncio.sleep(_LOOK_S)
        self._upheavals = [asyncio.create_task(self._upheave(one)) for one in self._scenario.upheavals]

    async def deliver(self, event: PaperEvent) -> None:
        stage = self._on_stage
        channel, thread = stage.channels[event.channel]
        text = event.text if event.channel in stage.people else f"{stage.slack.mention} {event.text}"
        message = await stage.people[event.person].says(text, channel, thread=thread)
        self._questions.append(Question(event, channel.id, message.ts, message.root_ts))
        event_ids = await self._is_taken_in(channel, message.ts)
        if self._draw.random() < self._scenario.weather.redelivered:
            await stage.slack.repeat_event(self._draw.choice(event_ids))

    async def calm_down(self) -> None:
        await self._end_upheavals()
        await self._on_stage.slack.clear_faults()
        await self._on_stage.slack.come_back()

    async def judged(self, troubles: Sequence[float]) -> Judgement:
        stage = self._on_stage
        sends = [call for method in SENDS for call in await stage.slack.calls(method)]
        sends.sort(key=lambda call: call.began)
        statuses = await stage.slack.calls(STATUS)
        deliveries = await stage.slack.deliveries()
        channels = {channel.id: channel for channel, _ in stage.channels.values()}
        self._records = [
            ChannelRecord(
                await channel.look(),
                [call for call in sends if call.parameters.get("channel") == channel_id],
                [one for one in deliveries if one.channel == channel_id],
                [call for call in statuses if call.parameters.get("channel_id") == channel_id],
            )
            for channel_id, channel in channels.items()
        ]
        return judged(self._questions, self._records, self._scenario.words, troubles)

    def log_of(self, event: PaperEvent) -> Sequence[str]:
        return log_of(next(one for one in self._questions if one.event == event), self._records)

    async def _order_faults(self, slack: LocalSlack) -> None:
        for fault in self._scenario.faults:
            await slack.fault(
                fault.kind,
                fault.method,
                after=fault.after,
                seconds=fault.seconds,
                status=fault.status,
                error=fault.error,
                retry_after_s=fault.retry_after_s,
            )

    async def _pass_time(self) -> None:
        then = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            await self._on_stage.slack.advance((now - then) * (SPEED - 1))
            then = now

    async def _meddle(self) -> None:
        """Somebody takes a message away while it is written, or it takes too long; it may be whole by then."""
        ages = sum(one.kind == "age" for one in self._scenario.upheavals)
        orders = ["delete"] * self._scenario.deletions + ["age"] * ages
        self._draw.shuffle(orders)
        done: set[str] = set()
        while orders:
            await asyncio.sleep(_MEDDLING_S)
            channel, _ = self._on_stage.channels[self._draw.choice(self._scenario.said)[1].channel]
            written = [one for one in (await channel.look()).bots if is_open(one) and one.ts not in done]
            if not written or self._draw.random() > 0.3:
                continue
            done.add(written[0].ts)
            if orders[-1] == "delete":
                orders.pop()
                await channel.delete(written[0])
            elif written[0].is_live:
                orders.pop()
                await self._on_stage.slack.advance(_STREAM_AGE_S)

    async def _upheave(self, upheaval: Upheaval) -> None:
        slack = self._on_stage.slack
        await asyncio.sleep(upheaval.after_s)
        match upheaval.kind:
            case "cut":
                await slack.cut()
            case "refresh":
                await slack.refresh()
            case "warning":
                await slack.refresh(reason="warning")
            case "mute":
                await slack.mute()
            case "away":
                await slack.go_away()
                await asyncio.sleep(_AWAY_S)
                await slack.come_back()
            case kind if kind == NO_STREAMS:
                await slack.take_streams_away()
            case kind if kind == STORM:
                await slack.bring_each(_COPIES)

    async def _end_upheavals(self) -> None:
        tasks, self._upheavals = self._upheavals, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _is_listened_to(self) -> bool:
        if not self._port:
            return bool((await self._on_stage.slack.look()).open_sockets)
        try:
            _, writer = await asyncio.open_connection(_HOST, self._port)
        except OSError:
            return False
        writer.close()
        return True

    @property
    def _on_stage(self) -> _Stage:
        assert self._stage is not None, "it is not open"
        return self._stage

    async def _is_taken_in(self, channel: Channel, ts: str) -> list[str]:
        """The ids of its events. Whoever waits for it has a deadline of their own."""
        while True:
            told = await self._on_stage.slack.deliveries()
            own = [one for one in told if (one.channel, one.ts) == (channel.id, ts)]
            if own and all(one.state != "pending" for one in own):
                return [one.event_id for one in own]
            await asyncio.sleep(_LOOK_S)


async def _staged(slack: LocalSlack) -> _Stage:
    anna, ben = await slack.person("Anna"), await slack.person("Ben")
    rain = await slack.channel("rain", anna, ben)
    weather = await slack.channel("weather", anna, ben, installs=[])
    roots = [await anna.says(f"thread {number}", weather) for number in ("one", "two")]  # before the bot is there
    await weather.add_bot(slack.install)
    return _Stage(
        slack,
        {"anna": anna, "ben": ben},
        {
            "anna": (anna.dm, ""),
            "ben": (ben.dm, ""),
            "channel": (rain, ""),
            "thread 1": (weather, roots[0].ts),
            "thread 2": (weather, roots[1].ts),
            "group": (await slack.group_dm(anna, ben), ""),
        },
    )


async def _told_where_to_post(slack: LocalSlack) -> int:
    """The port that bots are to listen at."""
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port = int(free.getsockname()[1])
    await slack.post_events_to(f"http://{_HOST}:{port}/slack/events", verify=False)
    return port
