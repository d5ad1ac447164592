"""Whole replies through the core's own delivery: nothing is lost, doubled or contradicted, whatever the calls come to.

Time runs faster here, for the sender and for the server's tiers alike.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from adapters.slack.outbound import new_splitter
from adapters.slack.pace import Pace
from adapters.slack.sender import SlackSender
from bots.sandbox.local_slack.limits import NO_RATES, Rates, Window
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.sights import MessageSeen
from core.delivery import ReplyDelivery
from core.edge import Edge, Recipient
from core.errors import PlatformError, RateLimited
from core.memory.owed import Delivery, Progress
from core.sending import SendLimits
from tests.integration.slack.sending import Stage, standing

SPEED = 40.0
TIERS = Rates(
    tier2=Window(20, 60 / SPEED),
    tier3=Window(50, 60 / SPEED),
    tier4=Window(100, 60 / SPEED),
    post_in_channel=Window(10, 10 / SPEED),
    post_in_workspace=Window(300, 60 / SPEED),
)
FAULTS = ("drop_before", "drop_after", "answer", "answer_after")
METHODS = ("chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update", "chat.postMessage")


class NoLease:
    lease = None

    async def keep(self, for_s: float) -> None:
        """There is as much of it left as anybody wants."""


class Written:
    """Implements the outbox's `progress`: what would be there after a crash."""

    def __init__(self) -> None:
        self.delivery: Delivery | None = None

    async def progress(self, progress: Progress) -> None:
        self.delivery = progress.delivery


@dataclass
class Reply:
    stage: Stage
    question: MessageSeen
    text: str
    written: Written = field(default_factory=Written)

    def begin(self, sender: SlackSender, delivery: Delivery) -> ReplyDelivery:
        edge = Edge(sender, new_splitter(), SendLimits(attempts=30, first_pause_s=0.01, longest_pause_s=0.1))
        key = self.stage.key_of(self.question)
        to = Recipient(key, self.question.ts, NoLease(), True, self.stage.anna.id)  # type: ignore[arg-type]
        return ReplyDelivery(edge, self.written, to, delivery)  # type: ignore[arg-type]

    async def write(self, sender: SlackSender, rng: random.Random, *, dies: bool = False) -> None:
        """As the model would, and with a process that dies in the midst of it."""
        reply = self.begin(sender, Delivery(1, f"token-{self.question.ts}"))
        reply.typing.begin()
        at = 0
        while at < len(self.text):
            if dies and at > len(self.text) // 2:
                with contextlib.suppress(PlatformError):
                    await reply.aclose()
                sender = self.stage.start_anew()
                known = self.written.delivery or reply.delivery
                at = len(known.text)
                reply, dies = self.begin(sender, known), False
            step = rng.randint(1, 200)
            reply.append(self.text[at : at + step])
            at += step
            await asyncio.sleep(rng.uniform(0, 0.06))

        async def record(delivery: Delivery) -> Delivery:
            self.written.delivery = delivery
            return delivery

        while True:
            try:
                await reply.finish(self.text, record)
                return
            except PlatformError:
                reply = self.begin(sender, self.written.delivery or reply.delivery)

    def shown(self, messages: list[MessageSeen]) -> list[str]:
        return [message.text for message in messages if message.root_ts == self.question.ts]


class QuickPace(Pace):
    def __init__(self) -> None:
        super().__init__(lambda: time.monotonic() * SPEED, lambda seconds: asyncio.sleep(seconds / SPEED))

    @contextlib.asynccontextmanager
    async def turn(
        self, workspace: str, method: str, who: str, *, is_urgent: bool, channel: str = ""
    ) -> AsyncIterator[None]:
        try:
            async with super().turn(workspace, method, who, is_urgent=is_urgent, channel=channel):
                yield
        except RateLimited as limited:
            raise RateLimited(str(limited), limited.retry_after_s / SPEED) from None


def quick_sender(stage: Stage) -> SlackSender:
    stage._pace = QuickPace  # type: ignore[method-assign]
    return stage.start_anew()


def text_of(rng: random.Random, words: int) -> str:
    kinds = [
        "rain ",
        "**water** ",
        "`<b>` ",
        "a < b ",
        "<!channel> ",
        "\n\n",
        "> quote\n\n",
        "```\nx < 1\n```\n",
        "👍 ",
    ]
    return ("It begins. " + "".join(rng.choice(kinds) for _ in range(words)) + "That is all.").strip()


def letters(texts: list[str]) -> str:
    return "".join("".join(texts).replace("```", "").split())


@pytest.mark.parametrize("seed", range(4))
async def test_replies_are_whole_and_not_doubled_whatever_calls_come_to(seed: int) -> None:
    rng = random.Random(seed)
    async with standing(Options(rates=NO_RATES)) as stage:
        for _ in range(40):
            more = {"after": rng.randint(0, 12), "status": rng.choice([500, 503])}
            await stage.slack.fault(rng.choice(FAULTS), rng.choice(METHODS), **more)
        sender = quick_sender(stage)
        replies = []
        for number in range(8):
            question = await stage.anna.says(f"question {number}", stage.place)
            replies.append(Reply(stage, question, text_of(rng, rng.choice([3, 60, 900]))))
        await asyncio.gather(
            *(reply.write(sender, random.Random(number), dies=number % 2 == 1) for number, reply in enumerate(replies))
        )

        seen = (await stage.place.look()).bots
        for reply in replies:
            assert letters(reply.shown(seen)) == letters([reply.text])
        assert [message.fires for message in seen if message.fires] == []
        assert not any(message.is_live for message in seen)
        assert all(message.metadata for message in seen)


async def test_what_was_seen_of_a_stream_is_never_contradicted() -> None:
    rng = random.Random(5)
    async with standing(Options(rates=NO_RATES)) as stage:
        reply = Reply(stage, stage.question, text_of(rng, 1500))
        await reply.write(quick_sender(stage), rng)

        seen = await stage.written()
        assert len(seen) > 1
        for message in seen:
            texts = message.texts
            assert all(message.text.startswith(text) for text in texts)
        assert letters([message.text for message in seen]) == letters([reply.text])


async def test_fifty_threads_at_once_stay_within_their_tiers() -> None:
    rng = random.Random(1)
    async with standing(Options(rates=TIERS)) as stage:
        sender = quick_sender(stage)
        replies = [
            Reply(stage, await stage.anna.says(f"question {number}", stage.place), text_of(rng, 40))
            for number in range(50)
        ]
        await asyncio.gather(*(reply.write(sender, random.Random(number)) for number, reply in enumerate(replies)))

        assert await stage.slack.excesses() == {}
        seen = (await stage.place.look()).bots
        for reply in replies:
            (shown,) = reply.shown(seen)
            assert letters([shown]) == letters([reply.text])
        streamed = [message for message in seen if message.stream is not None]
        assert 5 <= len(streamed) <= 40


async def test_a_reply_that_a_person_stops_ends_with_what_was_recorded() -> None:
    async with standing(Options(rates=NO_RATES)) as stage:
        reply = Reply(stage, stage.question, "Rain is water. " * 20)
        delivery = reply.begin(quick_sender(stage), Delivery(1, "token"))
        delivery.typing.begin()
        delivery.append(reply.text[:100])
        await stage.place.until(lambda channel: any("Rain" in message.text for message in channel.bots))
        await stage.anna.stops(stage.question, stage.place)
        delivery.append(reply.text[100:200])

        async def record(recorded: Delivery) -> Delivery:
            return recorded

        ended = await delivery.finish(reply.text[:200], record)

        (message,) = await stage.written()
        assert message.text.strip() == reply.text[:200].strip()
        assert [part.is_closed for part in ended.parts] == [True]
