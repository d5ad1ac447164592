"""What a session has read is kept no more when it shall be forgotten, whatever is under way."""

import pytest

from core.generation.scheduler import BatchLimits
from tests.unit.paper_engine import PaperEngine, job, text

LIMITS = BatchLimits(running=2)


def kept(engine: PaperEngine) -> set[str]:
    """Whose keys and values are still there."""
    return {slot.session for slot in engine.table._slots if slot.session}


def visited(*sessions: str, adapter: str = "") -> PaperEngine:
    engine = PaperEngine()
    for session in sessions:
        wanted = job(f"{session}{adapter}", session=session)
        engine.submit(wanted.model_copy(update={"model": wanted.model.__class__("paper", "", adapter=adapter)}))
        engine.run()
    return engine


def test_a_session_is_forgotten_and_the_others_are_not() -> None:
    engine = visited("a", "b", "c")

    assert engine.scheduler.forget({"a", "c", "never heard of"}) == 2
    assert kept(engine) == {"b"}
    assert engine.table.retained == 1


def test_all_are_forgotten_where_none_is_named() -> None:
    engine = visited("a", "b", "c")

    assert engine.scheduler.forget(()) == 3
    assert engine.table.retained == 0


def test_a_session_is_forgotten_whichever_adapter_read_it() -> None:
    engine = visited("a", adapter="pirate")

    assert engine.scheduler.forget({"a"}) == 1
    assert engine.table.retained == 0


@pytest.mark.parametrize("sessions", [{"a"}, ()])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_what_is_being_written_is_written_to_its_end_and_leaves_nothing(steps: int, sessions: set[str]) -> None:
    engine = PaperEngine()
    engine.submit(job("one", new_tokens=9, session="a"))
    for _ in range(steps):
        engine.step()

    engine.scheduler.forget(sessions)
    engine.run()

    assert engine.texts("one") == [text(job("one").prompt_ids, 9)]
    assert kept(engine) == set()


def test_what_was_put_off_goes_on_and_leaves_nothing() -> None:
    engine = PaperEngine(limits=LIMITS)
    engine.submit(job("one", new_tokens=9, session="a"))
    for _ in range(3):
        engine.step()
    engine.hold("one", held=True)

    assert engine.scheduler.forget({"a"}) == 0
    engine.hold("one", held=False)
    engine.run()

    assert engine.texts("one") == [text(job("one").prompt_ids, 9)]
    assert kept(engine) == set()


def test_what_was_put_off_and_is_called_off_leaves_nothing() -> None:
    engine = PaperEngine(limits=LIMITS)
    engine.submit(job("one", new_tokens=9, session="a"))
    for _ in range(3):
        engine.step()
    engine.hold("one", held=True)
    engine.scheduler.forget({"a"})

    engine.end("one")

    assert kept(engine) == set()


def test_the_next_turn_reads_everything_and_is_kept_again() -> None:
    engine = visited("a")
    engine.scheduler.forget({"a"})
    engine.submit(job("next", 9, session="a"))

    assert engine.step() == [("next", 9)]
    engine.run()
    assert kept(engine) == {"a"}


def test_nobodys_request_is_not_touched() -> None:
    wanted = job("one")

    assert wanted.forgotten(()) is wanted
    assert job("two", session="b").forgotten({"a"}).session == "b"
    assert job("two", session="b").forgotten({"b"}).session == ""
