"""Answers that can't be taken apart: the update that spoils them is found, kept as a dead letter, and passed."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.telegram.moves import Moves
from adapters.telegram.polling import Polling, PollingLimits
from adapters.telegram.updates import Updates
from tests.integration.telegram.listening import QUICK, Kept, lines, running
from tests.integration.telegram.spoilt_telegram import SpoiltTelegram, said, serving_spoilt
from tests.unit.telegram.recorded import ACCOUNT, PlainButtons


def nested(number: int) -> bytes:
    return f'{{"update_id": {number}, "message": '.encode() + b"[" * 200_000 + b"]" * 200_000 + b"}"


@asynccontextmanager
async def listening_to(telegram: SpoiltTelegram, kept: Kept) -> AsyncIterator[None]:
    async with serving_spoilt(telegram) as address:
        updates = Updates(ACCOUNT, PlainButtons())
        async with running(Polling(address, updates, Moves(), PollingLimits(0, QUICK)), kept):
            yield


async def test_one_update_that_is_nested_too_deep_is_passed() -> None:
    kept = Kept()
    telegram = SpoiltTelegram(said(1, "before"), nested(2), said(3, "after"), said(4, "the end"))

    async with listening_to(telegram, kept):
        await kept.says("before", "after", "the end")

    [broken] = [arrival for arrival in kept.arrivals if arrival.inbound is None]
    assert '"update_id": 2' in broken.raw
    assert telegram.limits[:7] == [100, 50, 25, 12, 6, 3, 1]  # and so on
    assert len(telegram.limits) < 20


async def test_bytes_that_are_no_json_are_passed_where_they_have_an_id() -> None:
    kept = Kept()
    telegram = SpoiltTelegram(b'{"update_id": 1, "message": \xff\xfe oh', said(2, "after"))

    async with listening_to(telegram, kept):
        await kept.says("after")

    assert [arrival.error != "" for arrival in kept.arrivals] == [True, False]


async def test_a_page_instead_of_an_answer_is_nobodys_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "adapters")
    kept = Kept()
    telegram = SpoiltTelegram(said(1, "hello"))
    telegram.instead = [b"<html>please log in</html>"] * 12

    async with listening_to(telegram, kept):
        await kept.says("hello")

    assert len(kept.arrivals) == 1
    assert [line for line in lines(caplog) if "can't be read" in line] == [lines(caplog)[0]]


async def test_updates_without_ids_are_not_asked_for_in_a_hurry() -> None:
    kept = Kept()
    telegram = SpoiltTelegram(b'{"message": {}}', said(2, "after"))
    async with listening_to(telegram, kept):
        await kept.says("after")


async def test_what_telegram_may_send_tomorrow_spoils_nothing() -> None:
    kept = Kept()
    telegram = SpoiltTelegram(b'{"update_id": 1, "hologram": {"x": 1e999}}', said(2, "after"))

    async with listening_to(telegram, kept):
        await kept.says("after")

    assert len(kept.arrivals) == 1


async def test_ids_that_begin_elsewhere_after_a_long_silence_are_not_passed_over() -> None:
    kept = Kept()
    telegram = SpoiltTelegram(*(said(number, f"number {number}") for number in range(1, 31)))
    async with listening_to(telegram, kept):
        await telegram.was_silent.wait()
        telegram.begin_elsewhere(said(1, "long after"))
        await kept.until(lambda kept: kept.texts[-1] == "long after")

    assert len(kept.texts) == 31
