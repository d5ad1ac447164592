"""Edits and deletions that are delivered before the message that they are about."""

from dataclasses import replace

from core.dialogue import Deletion, Edit, InboundMessage
from core.early import EarlyRevisions
from tests.integration.walk.revising import deletion, edit
from tests.platforms.paper_bot import Place
from tests.platforms.paper_model import answer_to
from tests.unit.spoken import GUILD, person, said


def spoken(message_id: str) -> InboundMessage:
    return replace(said(), message_id=message_id)


def edited(message_id: str) -> Edit:
    return Edit(GUILD, person(), message_id, "1", "better")


def deleted(message_id: str) -> Deletion:
    return Deletion(GUILD, message_id)


async def test_a_message_is_answered_as_an_edit_said_that_overtook_it(place: Place) -> None:
    async with place.bot() as bot:
        await bot.receives(edit("m1", "better", "1"))
        await bot.receives(edit("m1", "best", "2"))
        await bot.says("worse", id="m1")
        await bot.settles()

        assert place.platform.said("m1") == [answer_to("best")]


async def test_a_message_whose_deletion_overtook_it_is_not_answered_however_often_it_comes(place: Place) -> None:
    async with place.bot() as bot:
        await bot.receives(deletion("m1"))
        await bot.receives(edit("m1", "too late"))
        for _ in range(2):
            await bot.says("gone", id="m1")
        other = await bot.says("there", id="m2")
        await bot.settles()

        assert bot.model.asked() == ["there"]
        assert place.platform.said(other) == [answer_to("there")]


def test_only_the_latest_are_kept_and_not_for_long() -> None:
    now = [0.0]
    early = EarlyRevisions(limit=2, kept_s=10.0, clock=lambda: now[0])
    for number in range(3):
        early.keep(edited(f"m{number}"))

    assert early.of(spoken("m0")) is None
    assert early.of(spoken("m2")) is not None
    now[0] = 10.0
    assert early.of(spoken("m2")) is None


def test_what_was_deleted_stays_deleted() -> None:
    early = EarlyRevisions()
    early.keep(deleted("m1"))
    early.keep(edited("m1"))

    assert early.of(spoken("m1")) == deleted("m1")
