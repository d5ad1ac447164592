"""What a small model got wrong is drawn again, within limits, and said in the log."""

import logging
from collections.abc import Sequence

import pytest

from core.dialogue import FinishReason
from core.drawing import DrawEvent, Drawn, draw
from core.errors import DeadlineExceeded, RequestFailed
from core.generation.request import GenerationRequest, ModelSpec, Piece, Prompt, SamplingParams
from core.guards import GuardLimits
from tests.unit.scripted_backend import ScriptedBackend

REQUEST = GenerationRequest(
    ModelSpec("tiny", "/nowhere"), Prompt((1, 2)), SamplingParams(temperature=0.2, seed=10), stop_ids=frozenset({0})
)
LIMITS = GuardLimits(redraws=2, loop_repeats=4)


async def drawn(backend: ScriptedBackend, earlier: Sequence[str] = ()) -> list[DrawEvent]:
    return [event async for event in draw(backend, REQUEST, earlier, LIMITS)]


def seen(events: Sequence[DrawEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Piece))


async def test_a_good_reply_is_drawn_once() -> None:
    backend = ScriptedBackend("I am fine.")

    events = await drawn(backend)

    assert isinstance(events[-1], Drawn)
    assert seen(events) == events[-1].text == "I am fine."
    assert len(backend.requests) == 1


async def test_a_blank_reply_is_drawn_again_with_another_seed_and_more_boldly(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    backend = ScriptedBackend("  ", "Hello.")

    events = await drawn(backend)

    first, second = (request.sampling for request in backend.requests)
    assert seen(events) == "Hello."
    assert (first.seed, second.seed) == (10, 11)
    assert second.temperature > first.temperature
    assert [(record.action, record.flaw) for record in caplog.records] == [("redraw", "blank")]  # type: ignore[attr-defined]


async def test_a_reply_that_repeats_the_last_one_is_drawn_again_unseen() -> None:
    backend = ScriptedBackend("I am fine.", "i am FINE.", "Better than ever.")

    events = await drawn(backend, earlier=["I am fine."])

    assert seen(events) == "Better than ever."
    assert [event.text for event in events if isinstance(event, Drawn)] == ["Better than ever."]


async def test_the_last_draw_may_repeat() -> None:
    backend = ScriptedBackend("Yes.", "Yes.", "Yes.")

    assert seen(await drawn(backend, earlier=["Yes."])) == "Yes."


async def test_nothing_but_blanks_is_an_error() -> None:
    backend = ScriptedBackend("", " ", "\n")

    with pytest.raises(RequestFailed, match="drew a blank 3 times"):
        await drawn(backend)


async def test_a_loop_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    backend = ScriptedBackend("I like cats. " * 200)

    events = await drawn(backend)

    last = events[-1]
    assert isinstance(last, Drawn)
    assert last.finish_reason is FinishReason.LOOP
    assert len(last.text) < 200
    assert seen(events).startswith(last.text)
    assert [record.action for record in caplog.records] == ["cut_loop"]  # type: ignore[attr-defined]


async def test_a_reply_that_somebody_stopped_is_not_drawn_again() -> None:
    backend = ScriptedBackend("never read")
    await backend.cancel(REQUEST.id)

    events = await drawn(backend)

    assert isinstance(events[-1], Drawn)
    assert (events[-1].text, events[-1].finish_reason) == ("", FinishReason.CANCELLED)
    assert len(backend.requests) == 1


async def test_no_word_within_the_time_is_an_error() -> None:
    backend = ScriptedBackend("too late")
    backend.expire()

    with pytest.raises(DeadlineExceeded, match="no word came within 300 s"):
        await drawn(backend)
