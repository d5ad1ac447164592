"""What goes wrong between a client and the local Discord, by request."""

import asyncio

import aiohttp
import pytest

from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import NeverSeen, Place
from bots.sandbox.orders import OrderRefused
from tests.integration.discord.plain_clients import Echoing, Rest, online


@pytest.mark.parametrize(("kind", "is_done"), [("drop_before", False), ("drop_after", True)])
async def test_connections_break_before_or_after(
    local: LocalDiscord, rest: Rest, general: Place, kind: str, is_done: bool
) -> None:
    await local.fault(kind, "create_message")
    with pytest.raises(aiohttp.ClientError):
        await rest.says(general.id, "lost")
    (call,) = await local.calls("create_message")

    assert [message.text for message in (await general.look()).bots] == (["lost"] if is_done else [])
    assert (call.status, call.fault) == (0, kind)
    assert (await rest.says(general.id, "found")).status == 200


@pytest.mark.parametrize(("kind", "is_done"), [("answer", False), ("answer_after", True)])
async def test_errors_are_answered_instead_or_afterwards(
    local: LocalDiscord, rest: Rest, general: Place, kind: str, is_done: bool
) -> None:
    await local.fault(kind, "create_message", status=403, error="50013")
    said = await rest.says(general.id, "hello")

    assert (said.status, said.code) == (403, 50013)
    assert bool((await general.look()).bots) is is_done


async def test_delays_come_before_or_after(local: LocalDiscord, rest: Rest, general: Place) -> None:
    await local.fault("delay_after", "create_message", seconds=0.3)
    posting = asyncio.create_task(rest.says(general.id, "slow"))
    await general.shows("slow")
    assert not posting.done()
    await posting
    await local.fault("delay_before", "create_message", seconds=0.3)
    posting = asyncio.create_task(rest.says(general.id, "late"))
    await local.called("create_message", 2)
    assert len((await general.look()).bots) == 1
    await posting

    (_, call) = await local.calls("create_message")
    assert call.ended is not None
    assert call.ended - call.began >= 0.3


async def test_a_fault_can_be_meant_for_one_channel_later_and_more_than_once(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    await local.fault("answer", "create_message", status=502, channel=general.id, after=1, times=2)
    direct = await rest.says(ann.dm.id, "hi")
    said = [(await rest.says(general.id, "hi")).status for _ in range(4)]

    assert (direct.status, said) == (200, [200, 502, 502, 200])
    assert (await local.look()).waiting_faults == 0


@pytest.mark.parametrize("scope", ["", "shared", "global"])
async def test_an_ordered_429_says_its_scope(local: LocalDiscord, rest: Rest, scope: str) -> None:
    await local.fault("answer", "me", status=429, retry_after_s=2, error=scope)
    said = await rest.ask("GET", "/users/@me")

    assert (said.status, said.body["retry_after"]) == (429, 2)
    assert said.headers["x-ratelimit-scope"] == (scope or "user")
    assert said.body["global"] is (scope == "global")


async def test_an_ordered_429_can_have_a_code(local: LocalDiscord, rest: Rest) -> None:
    await local.fault("answer", "me", status=429, error="30046")
    said = await rest.ask("GET", "/users/@me")

    assert (said.status, said.code, said.headers["x-ratelimit-scope"]) == (429, 30046, "user")


async def test_faults_can_be_taken_back_and_wrong_ones_are_refused(local: LocalDiscord, rest: Rest) -> None:
    await local.fault("answer", times=5)
    await local.clear_faults()

    assert (await rest.ask("GET", "/users/@me")).status == 200
    with pytest.raises(OrderRefused, match="no_such"):
        await local.fault("no_such")


async def test_the_gateways_address_meets_only_what_names_it(local: LocalDiscord, rest: Rest) -> None:
    await local.fault("answer", status=500)
    spared = await rest.ask("GET", "/gateway/bot")
    await local.fault("answer", "gateway_bot", status=500)

    assert spared.status == 200
    assert (await rest.ask("GET", "/gateway/bot")).status == 500


async def test_a_plain_client_lives_through_discord_going_away(local: LocalDiscord, rest: Rest, ann: Person) -> None:
    async with online(local, Echoing()) as client:
        await local.go_away()
        with pytest.raises(aiohttp.ClientConnectorError):
            await rest.ask("GET", "/users/@me")
        asked = await ann.says("are you there?")
        await local.come_back()
        await client.hears("RESUMED")
        answer = await ann.dm.shows("you said: are you there?")

    assert answer.replies_to == asked.id


async def test_a_plain_client_repeats_what_failed_and_its_nonce_keeps_it_single(
    local: LocalDiscord, ann: Person
) -> None:
    async with online(local, Echoing()):
        await local.fault("answer_after", "create_message", status=502)
        await ann.says("hello")
        answer = await ann.dm.shows("you said: hello", timeout_s=20)

    assert (len((await ann.dm.look()).bots), answer.repeats) == (1, 1)


async def test_what_never_comes_is_said_so(ann: Person) -> None:
    with pytest.raises(NeverSeen, match="shows"):
        await ann.dm.shows("anything", timeout_s=0.1)
    with pytest.raises(NeverSeen, match="no modal"):
        await ann.modal(timeout_s=0.1)
