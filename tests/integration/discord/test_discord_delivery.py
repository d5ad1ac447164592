"""Whole replies through the core's own delivery: nothing is lost or doubled, whatever the calls come to."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from adapters.discord.outbound import new_splitter, units
from adapters.discord.sender import DiscordSender, LongReplies
from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import MessageSeen
from core.delivery import ReplyDelivery
from core.dialogue import SessionKey
from core.edge import Edge, Recipient
from core.errors import PlatformError
from core.memory.owed import Delivery, Progress
from core.sending import SendLimits
from tests.integration.discord.sending import Stage, standing

FAULTS = ("drop_before", "drop_after", "answer", "answer_after")
OPERATIONS = ("create_message", "edit_message", "thread_from_message", "get_messages", "typing")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes come one after another."""
    monkeypatch.setattr("adapters.discord.sender.EDIT_INTERVAL_S", 0.03)


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
    key: SessionKey
    written: Written = field(default_factory=Written)

    @property
    def place(self) -> Place:
        return self.stage.discord.place(self.key.thread or self.key.channel, self.key.workspace)

    def begin(self, sender: DiscordSender, delivery: Delivery) -> ReplyDelivery:
        edge = Edge(sender, new_splitter(), SendLimits(attempts=30, first_pause_s=0.01, longest_pause_s=0.1))
        to = Recipient(self.key, self.question.id, NoLease(), True, self.stage.anna.id)  # type: ignore[arg-type]
        return ReplyDelivery(edge, self.written, to, delivery)  # type: ignore[arg-type]

    async def write(self, sender: DiscordSender, rng: random.Random, *, dies: bool = False, pause_s: float = 0) -> None:
        """As the model would, and with a process that dies in the midst of it."""
        reply = self.begin(sender, Delivery(1, f"t{self.question.id}"))
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
            await asyncio.sleep(pause_s or rng.uniform(0, 0.03))
        await self.finish(sender, reply)

    async def finish(self, sender: DiscordSender, reply: ReplyDelivery) -> None:
        async def record(delivery: Delivery) -> Delivery:
            self.written.delivery = delivery
            return delivery

        for _ in range(30):
            try:
                await reply.finish(self.text, record)
                return
            except PlatformError:
                reply = self.begin(sender, self.written.delivery or reply.delivery)
        raise AssertionError("it never went well")

    async def shown(self) -> list[MessageSeen]:
        return await self.stage.written(self.place)


async def replies_in(stage: Stage, texts: Sequence[str]) -> list[Reply]:
    """Each in a thread of its own."""
    replies = []
    for number, text in enumerate(texts):
        question = await stage.anna.says(f"{stage.discord.mention} question {number}", stage.place)
        replies.append(Reply(stage, question, text, replace(stage.key, thread=question.id)))
    return replies


def text_of(rng: random.Random, words: int) -> str:
    kinds = ["rain ", "**water** ", "`<b>` ", "@everyone ", "\n\n", "> quote\n\n", "\n\n```py\nx < 1\n```\n\n", "👍 "]
    return ("It begins. " + "".join(rng.choice(kinds) for _ in range(words)) + "That is all.").strip()


def letters(texts: Sequence[str]) -> str:
    return "".join("".join(texts).replace("```py", "").replace("```", "").replace(">", "").split())


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(3))
async def test_replies_are_whole_and_not_doubled_whatever_calls_come_to(seed: int) -> None:
    rng = random.Random(seed)
    async with standing() as stage:
        for _ in range(40):
            more = {"after": rng.randint(0, 12), "status": rng.choice([500, 502, 503, 504, 429]), "retry_after_s": 1}
            await stage.discord.fault(rng.choice(FAULTS), rng.choice(OPERATIONS), **more)
        replies = await replies_in(stage, [text_of(rng, rng.choice([3, 60, 900])) for _ in range(8)])
        await asyncio.gather(
            *(
                reply.write(stage.sender, random.Random(number), dies=number % 2 == 1)
                for number, reply in enumerate(replies)
            )
        )

        for reply in replies:
            shown = await reply.shown()
            assert letters([message.text for message in shown]) == letters([reply.text])
            assert not any(message.is_pinging for message in shown)
            assert [len(message.labels) for message in shown] == [0] * (len(shown) - 1) + [3]
        assert await stage.written() == []


LONG = (
    "# Rain\n\nIt begins.\n\n| where | mm |\n|:--|--:|\n"
    + "".join(f"| place {number} | {number * 3} |\n" for number in range(60))
    + "\n```python\n"
    + "".join(
        f"def rain_{number}(drops: int) -> int:\n    return drops + {number}  # `a` || b\n\n" for number in range(70)
    )
    + "```\n\n"
    + "".join(f"Sentence number {number} says that **rain** is *water*. " for number in range(130))
    + "\n\nThat is all."
)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("dies", [False, True])
async def test_a_long_reply_with_code_and_a_table_arrives_whole(dies: bool) -> None:
    assert len(LONG) > 12_000
    async with standing() as stage:
        reply = Reply(stage, stage.question, LONG, stage.threaded)
        await reply.write(stage.sender, random.Random(3), dies=dies)

        shown = await reply.shown()
        texts = [message.text for message in shown]
        whole = "\n".join(texts)
        assert all(units(text) <= 2000 for text in texts)
        assert all(text.count("```") % 2 == 0 for text in texts)
        for number in range(60):
            assert sum(line.split("|")[0].strip() == f"place {number}" for line in whole.splitlines()) == 1
        for number in range(70):
            assert whole.count(f"def rain_{number}(drops: int) -> int:\n") == 1
            assert whole.count(f"\n    return drops + {number}  # `a` || b\n") == 1
        for number in range(130):
            assert whole.count(f"Sentence number {number} says that **rain** is *water*.") == 1
        order = [whole.index(word) for word in ("# Rain", "place 0 ", "place 59", "rain_0(", "rain_69(", "number 0 ")]
        assert order == sorted(order)
        assert whole.endswith("That is all.")
        assert [len(message.labels) for message in shown] == [0] * (len(shown) - 1) + [3]
        assert await stage.discord.excesses() == {}


async def test_a_long_reply_is_one_message_with_a_file_where_that_is_wanted() -> None:
    async with standing(long_replies=LongReplies.FILE) as stage:
        reply = Reply(stage, stage.question, LONG, stage.threaded)
        await reply.write(stage.sender, random.Random(3), dies=True)

        (message,) = await reply.shown()
        assert [file.text for file in message.attachments] == [LONG]
        assert message.text.startswith("# Rain\n\nIt begins.")


async def test_it_keeps_to_discords_limits_however_much_is_written() -> None:
    """The limits are Discord's own here; twelve threads, and three replies in one channel."""
    rng = random.Random(1)
    async with standing(Options()) as stage:
        replies = await replies_in(stage, [text_of(rng, 250) for _ in range(12)])
        for number in range(3):
            question = await stage.anna.says(f"{stage.discord.mention} again {number}", stage.place)
            replies.append(Reply(stage, question, text_of(rng, 120), stage.key))
        async with asyncio.timeout(90):
            await asyncio.gather(
                *(reply.write(stage.sender, random.Random(n), pause_s=0.2) for n, reply in enumerate(replies))
            )

        assert await stage.discord.excesses() == {}
        for reply in replies[:12]:
            shown = await reply.shown()
            assert letters([message.text for message in shown]) == letters([reply.text])
        in_channel = await stage.written()
        for reply in replies[12:]:
            texts = [message.text for message in in_channel if message.replies_to == reply.question.id]
            assert letters(texts) == letters([reply.text])
        changes = [len(message.versions) for reply in replies[:12] for message in await reply.shown()]
        assert max(changes) >= 3


@pytest.mark.usefixtures("quick")
async def test_a_reply_whose_message_people_delete_is_there_in_the_end() -> None:
    async with standing(Options(rates=NO_RATES)) as stage:
        reply = Reply(stage, stage.question, text_of(random.Random(2), 500), stage.threaded)
        writing = asyncio.create_task(reply.write(stage.sender, random.Random(2), pause_s=0.05))
        place = await stage.place.thread_from(stage.question)
        seen = await place.until(lambda channel: bool(channel.bots))
        await place.delete_messages(*seen.bots)
        await writing

        assert letters([message.text for message in await reply.shown()]) == letters([reply.text])
