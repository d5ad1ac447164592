"""One shard's line to the gateway, and shards that several processes share."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import AppOptions, Options
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from core.errors import DatabaseAway
from tests.integration.discord.receiving import DEADLINE_S, Kept, at_work, connected, lines, listening, staged


async def resumed(discord: LocalDiscord, connections: int) -> None:
    await discord.until(lambda state: sum(one.is_resumed for one in state.connections) >= connections)


@pytest.mark.parametrize("how", ["reconnect", "cut", "close", "invalid but resumable"])
async def test_a_connection_that_ends_is_followed_by_one_that_resumes_it(
    discord: LocalDiscord, ann: Person, general: Place, how: str
) -> None:
    async with listening(discord) as stage:
        await ann.says("before", general)
        await stage.kept.says("before")
        match how:
            case "reconnect":
                await discord.reconnect()
            case "cut":
                await discord.cut()
            case "close":
                await discord.close(4000)
            case _:
                await discord.invalidate(is_resumable=True)
        await ann.says("between", general)
        await resumed(discord, 1)
        await ann.says("after", general)
        await stage.kept.says("before", "between", "after")

    assert stage.kept.texts == ["before", "between", "after"]
    assert len((await discord.look()).identifies) == 1
    assert await discord.calls("get_messages") == []


async def test_an_invalid_session_is_followed_by_a_new_one_and_by_fetching(
    discord: LocalDiscord, ann: Person, general: Place
) -> None:
    async with listening(discord) as stage:
        await ann.says("before", general)
        await stage.kept.says("before")
        await discord.hold_events()
        await discord.invalidate()
        await ann.says("between", general)
        await discord.let_events_go()
        await stage.kept.says("before", "between")
        await discord.until(lambda state: len(state.identifies) == 2)


async def test_a_resumption_survives_a_while_in_which_discord_is_away(
    discord: LocalDiscord, ann: Person, general: Place
) -> None:
    """discord.py's own loop would try once, and begin anew then."""
    async with listening(discord) as stage:
        await discord.go_away()
        await ann.says("between", general)
        await asyncio.sleep(0.3)
        await discord.come_back()
        await resumed(discord, 1)
        await stage.kept.says("between")

    assert len((await discord.look()).identifies) == 1


async def test_a_server_that_wants_other_shards_ends_the_receiver_which_is_begun_again(
    discord: LocalDiscord, ann: Person
) -> None:
    async with staged(discord) as stage, at_work(stage) as task:
        await connected(stage, task)
        await discord.close(4011)
        with pytest.raises(Exception, match="4011"):
            await asyncio.wait_for(asyncio.shield(task), DEADLINE_S)


async def test_a_token_that_the_gateway_refuses_is_said_once_and_tried_again(
    discord: LocalDiscord, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(discord) as stage:
        await discord.close(4004)
        await discord.until(lambda state: len(state.identifies) == 2)
        await ann.says("hello")
        await stage.kept.says("hello")

    assert sum("does not know the token" in line for line in lines(caplog)) == 1


async def test_the_intent_is_given_up_where_it_is_taken_away_while_it_runs() -> None:
    async with local_discord(Options(app=AppOptions(), rates=NO_RATES)) as discord:
        bea = await discord.person("Bea")
        async with listening(discord) as stage:
            await discord.set_message_content(is_on=False)
            await discord.close(4014)
            await discord.until(lambda state: len(state.open_connections) == 1 and len(state.identifies) >= 2)
            await bea.says("hello")
            await stage.kept.says("hello")


@pytest.mark.parametrize("data", [{}, {"id": 7}, {"guilds": None}, {"content": "a" * 100_000}])
async def test_what_discord_would_never_send_ends_nothing(
    discord: LocalDiscord, ann: Person, data: dict[str, object]
) -> None:
    async with listening(discord) as stage:
        for kind in ("MESSAGE_CREATE", "GUILD_CREATE", "THREAD_LIST_SYNC", "GUILD_MEMBER_UPDATE", "NO_SUCH_EVENT"):
            await discord.send_event(kind, data)
        await ann.says("hello")
        await stage.kept.says("hello")
        assert len((await discord.look()).open_connections) == 1


async def test_nothing_is_identified_while_the_last_starts_of_the_day_are_left(
    discord: LocalDiscord, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    await discord.spend_starts(992)
    async with staged(discord) as stage, at_work(stage):
        async with asyncio.timeout(DEADLINE_S):
            while not any("sessions are left" in line for line in lines(caplog)):  # noqa: ASYNC110 - a log line
                await asyncio.sleep(0.01)

    assert (await discord.look()).identifies == ()


@dataclass
class Table:
    """What the processes of one database share: who holds which shard."""

    members: list[str] = field(default_factory=list)
    is_away: bool = False


@dataclass
class Shared:
    """Implements `ShardClaims` over a `Table`."""

    table: Table
    name: str

    async def hold(self, shard_count: int) -> frozenset[int]:
        if self.table.is_away:
            raise DatabaseAway("the database is away")
        if self.name not in self.table.members:
            self.table.members.append(self.name)
        place = self.table.members.index(self.name)
        return frozenset(range(place, shard_count, len(self.table.members)))

    async def give_up(self) -> None:
        self.table.members.remove(self.name)


async def test_two_processes_share_shards_and_one_goes_on_where_the_other_ended(ann: Person) -> None:
    async with local_discord(Options(rates=NO_RATES, shards=2)) as discord:
        bea, table, kept = await discord.person("Bea"), Table(), Kept()
        one = await (await discord.guild("One", bea, shard=(0, 2))).channel("general", "text")
        two = await (await discord.guild("Two", bea, shard=(1, 2))).channel("general", "text")
        async with listening(discord, kept, claims=Shared(table, "a")):
            await discord.until(lambda state: len(state.open_connections) == 2)
            async with listening(discord, kept, claims=Shared(table, "b")):
                await discord.until(lambda state: len(state.identifies) >= 3 and len(state.open_connections) == 2)
                await bea.says("on one", one)
                await bea.says("on two", two)
                await bea.says("in the DM")
                await kept.says("on one", "on two", "in the DM")
            await bea.says("to nobody", two)
            await bea.says("still on one", one)
            await kept.says("on one", "on two", "in the DM", "to nobody", "still on one")
            await discord.until(lambda state: len(state.open_connections) == 2)


async def test_shards_are_kept_while_the_database_can_t_be_asked(discord: LocalDiscord, ann: Person) -> None:
    table = Table()
    async with listening(discord, claims=Shared(table, "a")) as stage:
        table.is_away = True
        await asyncio.sleep(0.2)
        await ann.says("hello")
        await stage.kept.says("hello")
        assert len((await discord.look()).identifies) == 1


async def test_a_direct_message_comes_over_the_first_shard_alone() -> None:
    async with local_discord(Options(rates=NO_RATES, shards=3)) as discord:
        bea = await discord.person("Bea")
        async with listening(discord) as stage:
            await discord.until(lambda state: len(state.open_connections) == 3)
            await bea.says("hello")
            await stage.kept.says("hello")
            assert {told.shard for told in await discord.told("MESSAGE_CREATE")} == {0}
