"""Which job the engine gets next, and which places it takes."""

import asyncio
import time
from itertools import count
from typing import cast

import pytest

from core.generation.jobs import Job
from core.generation.messages import Answer, Finished, Load, Submit
from core.generation.queue import QueueLimits
from core.generation.request import ModelSpec, Owner, SamplingParams, Timings
from core.generation.waiting_room import WaitingRoom

SPEC = ModelSpec("tiny", "folder")
ADAPTED = ModelSpec("tiny", "folder", adapter="lora")
_numbers = count()


def entered(room: WaitingRoom, message: Load | Submit) -> Job:
    writer, expiry = cast("asyncio.StreamWriter", None), cast("asyncio.TimerHandle", None)
    job = Job((writer, message.id), str(next(_numbers)), message, expiry, lambda _: None)
    room.enter(job)
    return job


def reply(*, model: ModelSpec = SPEC, priority: int = 0, max_new_tokens: int = 10, prefix: int = 0) -> Submit:
    return Submit(
        id="job",
        model=model,
        prompt_ids=(1,),
        prefix_ids=(2,) * prefix,
        sampling=SamplingParams(max_new_tokens=max_new_tokens),
        seed=1,
        stop_ids=frozenset(),
        timeout_s=60.0,
        owner=Owner("discord"),
        priority=priority,
    )


def all_next(room: WaitingRoom) -> list[Job]:
    return list(iter(room.next, None))


def test_all_adapters_of_a_model_share_its_places() -> None:
    room = WaitingRoom(QueueLimits(), places=2)
    first, second, third = (entered(room, reply(model=model)) for model in (SPEC, ADAPTED, ADAPTED))

    assert all_next(room) == [first, second]
    room.served(first)
    assert all_next(room) == [third]


def test_the_more_urgent_take_the_places_of_others_and_no_more_than_there_are() -> None:
    room = WaitingRoom(QueueLimits(), places=2)
    for _ in range(2):
        entered(room, reply())
    ordinary = all_next(room)
    urgent = [entered(room, reply(priority=1)) for _ in range(5)]

    assert all_next(room) == urgent[:2]
    room.served(ordinary[0])
    assert all_next(room) == []
    room.served(urgent[0])
    assert all_next(room) == [urgent[2]]


def test_a_model_that_is_loaded_takes_no_place() -> None:
    room = WaitingRoom(QueueLimits(), places=1)
    load = entered(room, Load(id="load", model=SPEC))
    first, _ = (entered(room, reply()) for _ in range(2))

    assert all_next(room) == [load, first]
    room.served(load)
    assert all_next(room) == []


def test_all_time_in_which_it_did_not_run_is_waiting() -> None:
    heard: list[Answer] = []
    job = entered(WaitingRoom(QueueLimits(), places=1), reply())
    job.answer, job.arrived_at = heard.append, time.monotonic() - 10
    job.tell(Finished(id=job.engine_id, hypotheses=(), timings=Timings(queue_s=1.0, total_s=4.0)))

    (answer,) = heard
    assert isinstance(answer, Finished)
    assert answer.timings.queue_s == pytest.approx(6, abs=0.5)


def test_a_prefix_beyond_the_limit_costs_nothing_and_not_less() -> None:
    room = WaitingRoom(QueueLimits(), places=1)

    assert 0 <= entered(room, reply(max_new_tokens=1, prefix=50)).cost < 1


def test_a_reader_that_falls_behind_again_before_its_turn_waits_until_it_has_caught_up() -> None:
    room = WaitingRoom(QueueLimits(), places=1)
    lazy, other, third = (entered(room, reply()) for _ in range(3))
    assert all_next(room) == [lazy]
    room.pause(lazy)
    assert all_next(room) == [other]
    room.resume(lazy)
    room.pause(lazy)

    room.served(other)
    assert all_next(room) == [third]
    room.resume(lazy)
    room.served(third)
    assert all_next(room) == [lazy]
