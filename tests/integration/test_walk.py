"""The walk, put together: accounts at its edges, receivers that fail, a crowd in front of a slow model."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bots import walk
from bots.walk import Account, Ground, WalkOptions, open_walk
from core.dialogue import InboundMessage, Platform
from core.edge import Edge
from core.errors import BanterError, SettingsError
from core.memory.database import Database
from core.memory.upgrade import prepare
from core.policy import Manner, Policy
from core.ports import Accept
from tests.integration.walk_stage import PLATFORMS, Board, Nobody, SteadyModel, arrival, new_splitter, open_voices
from tests.integration.walk_stage import staged as open_stage
from tests.unit.test_measures import Kept

DEADLINE_S = 30.0


class TestReceivers:
    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[Ground]:
        async with Database(f"sqlite:///{tmp_path}/banter.db") as database:
            await prepare(database)
            yield Ground(database, SteadyModel(), open_voices(tmp_path), Kept())

    async def test_one_that_fails_is_begun_again_and_the_others_go_on(
        self, ground: Ground, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walk, "_FIRST_PAUSE_S", 0.001)
        failing, steady = Receiver(ValueError("a bug"), OSError("gone"), None), Receiver()

        async with opened(ground, {"a": failing, "b": steady}):
            await failing.comes(4)
            await steady.comes(1)

        assert steady.begun == 1
        assert isinstance(ground.measures, Kept)
        assert ground.measures.counted["banter_receiver_failures", "discord"] == 3

    async def test_a_wrong_setting_ends_the_program(self, ground: Ground) -> None:
        async with opened(ground, {"a": Receiver(SettingsError("discord.token: refused")), "b": Receiver()}) as running:
            with pytest.raises(SettingsError, match=r"discord\.token"):
                await running.until(asyncio.Event())

    async def test_a_dispatcher_that_ended_is_seen(self, ground: Ground) -> None:
        async with opened(ground, {"a": Receiver()}) as running:
            assert running.lives

            running.tasks[0].cancel()
            with pytest.raises(BanterError, match="a part of the program failed"):
                await running.until(asyncio.Event())

            assert not running.lives


class Receiver:
    """Ends as it is told to, and then listens on."""

    def __init__(self, *ends: Exception | None) -> None:
        self.begun = 0
        self._ends = list(ends)
        self._news = asyncio.Condition()

    async def run(self, accept: Accept) -> None:
        async with self._news:
            self.begun += 1
            self._news.notify_all()
        if not self._ends:
            await asyncio.Event().wait()
        if (error := self._ends.pop(0)) is not None:
            raise error

    async def comes(self, begun: int) -> None:
        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(lambda: self.begun >= begun)


@contextlib.asynccontextmanager
async def opened(ground: Ground, receivers: dict[str, Receiver]) -> AsyncIterator[walk.Walk]:
    accounts = [
        Account(Platform.DISCORD, bot, Edge(Board(PLATFORMS["discord"]), new_splitter), receiver)
        for bot, receiver in receivers.items()
    ]
    async with open_walk(ground, accounts, WalkOptions(Policy(Manner("banter")), b"secret")) as running:
        yield running


async def test_each_account_answers_for_itself(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path}/banter.db") as database:
        await prepare(database)
        boards = {bot: Board(PLATFORMS["discord"]) for bot in ("a", "b")}
        accounts = [
            Account(Platform.DISCORD, bot, Edge(board, new_splitter), Nobody()) for bot, board in boards.items()
        ]
        ground = Ground(database, SteadyModel(), open_voices(tmp_path))
        async with open_walk(ground, accounts, WalkOptions(Policy(Manner("banter")), b"secret")) as running:
            for bot, board in boards.items():
                asked = arrival("general", 1)
                assert isinstance(asked.inbound, InboundMessage)
                inbound = replace(asked.inbound, session_key=replace(asked.inbound.session_key, bot=bot))
                await running.accepts[Platform.DISCORD, bot]([replace(asked, inbound=inbound)])
                await board.answer("general", "m1")

    assert [list(board.answers) for board in boards.values()] == [[("general", "m1")]] * 2


async def test_a_crowd_with_a_slow_model_is_answered_in_order_or_clearly_refused(tmp_path: Path) -> None:
    """120 people say two things at once; 60 are answered at a time, and the model lets 8 + 16 in."""
    model = SteadyModel(parallel=8, waiting_limit=16, begins=asyncio.Event())
    channels = [str(channel) for channel in range(120)]
    async with Database(f"sqlite:///{tmp_path}/banter.db", synchronous="normal") as database:
        await prepare(database)
        async with open_stage(database, open_voices(tmp_path), model, places=60) as stage:
            for channel in channels:
                for number in range(2):
                    await stage.hand_over(channel, number)
            await stage.board.answer(channels[-1], "m1")  # who came last is refused
            assert model.begins is not None
            model.begins.set()
            for channel in channels:
                await stage.board.answer(channel, "m1")
            answers = stage.board.answers

    assert model.most == 8 + 16
    order = {channel: [message for place, message in answers if place == channel] for channel in channels}
    assert order == {channel: ["m0", "m1"] for channel in channels}
    heard = Counter(answer if "Too many" in answer else "answered" for answer in answers.values())
    assert set(heard) == {"answered", "Too many people are asking at once. Please ask again in a little while."}
    own = [(place, answer) for place, answer in answers.items() if "Too many" not in answer]
    assert all(answer.endswith(f"({channel}.{message[1:]})") for (channel, message), answer in own)
