"""A few crash trials on the local Slack for every day, on each database. And the judge of them is judged."""

import subprocess
import sys
from dataclasses import replace

import pytest

from adapters.slack.buttons import FEEDBACK, STOP
from adapters.slack.outbound import EVENT_TYPE
from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.sights import (
    AttemptSeen,
    CallSeen,
    ChannelSeen,
    DeliverySeen,
    MessageSeen,
    SessionSeen,
    StreamSeen,
    ThreadSeen,
    VersionSeen,
)
from tests.crash.slack_judge import ChannelRecord, Question, judged
from tests.crash.slack_scenario import CALLS, NO_STREAMS, UPDATE, all_slack_dooms, draw_slack_scenario
from tests.crash.verdict import Judgement
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_sender import PaperEvent

_TIMEOUT_S = 240
CHANNEL, ROOT, WORDS = "C1", "1.000000", 3
QUESTION = Question(PaperEvent("m0", "channel", "q"), CHANNEL, ROOT, ROOT)
EXPECTED = answer_to("q", WORDS)


def test_a_few_trials_on_slack_lose_and_double_nothing() -> None:
    command = [sys.executable, "-P", "-m", "tests.crash", "--platform", "slack", "--trials", "4", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "4 trials, 0 lost, 0 doubled"


def test_the_few_trials_on_slack_are_on_each_database() -> None:
    drawn = [draw_slack_scenario(1, number) for number in range(4)]

    assert {one.database for one in drawn} == {"sqlite", "postgresql"}


def test_100_trials_on_slack_die_at_every_named_state_on_each_database() -> None:
    drawn = [draw_slack_scenario(1, number) for number in range(100)]

    struck = {(one.database, doom.moment, doom.action) for one in drawn for doom in one.dooms[0]}
    states = {(doom.moment, doom.action) for doom in all_slack_dooms()}
    assert struck >= {(database, *state) for database in ("sqlite", "postgresql") for state in states}
    assert {one.bots for one in drawn} == {1, 2}
    assert {one.by_http for one in drawn} == {True, False}
    assert {one.method for scenario in drawn for one in scenario.faults} >= {*CALLS[:5]}
    assert {one.kind for scenario in drawn for one in scenario.upheavals} == {
        "age",
        "away",
        "cut",
        "mute",
        "no streams",
        "refresh",
        "storm",
        "warning",
    }


def test_a_message_is_changed_as_it_grows_where_a_bot_is_to_die_at_that() -> None:
    drawn = [draw_slack_scenario(1, number) for number in range(100)]

    dying = [one for one in drawn if one.dooms[0][0].action == UPDATE]
    assert dying
    assert all(NO_STREAMS in [upheaval.kind for upheaval in one.upheavals] for one in dying)


def said(number: int, *texts: str, state: str = "last", **more: object) -> MessageSeen:
    """A stream that was begun empty, and said these texts later. `state`: "" where nothing says whose it is."""
    action = {"last": FEEDBACK, "open": STOP}.get(state)
    button: JsonObject = {"type": "actions", "elements": [{"type": "button", "action_id": action}]}
    blocks = (button,) if action else ()
    versions = [VersionSeen(float(number), "", is_markdown=True)]
    versions += [VersionSeen(number + 0.5, text, blocks, is_markdown=True) for text in texts]
    metadata: JsonObject = {"event_type": EVENT_TYPE, "event_payload": {"part": f"token.{number}", "state": state}}
    message = MessageSeen(
        f"{number}.000000", "UBOT", "T1", tuple(versions), ROOT, bot_id="B1", metadata=metadata if state else None
    )
    return replace(message, **more)  # type: ignore[arg-type]


def record(*messages: MessageSeen, status: str = "active", fault: str = "") -> ChannelRecord:
    """`fault`: what the call of the first of them met."""
    sends = [_sent(one, fault if number == 0 else "") for number, one in enumerate(messages)]
    threads = {ROOT: ThreadSeen(SessionSeen(status))}
    return ChannelRecord(ChannelSeen(1, CHANNEL, "rain", "channel", (), False, messages, threads), sends)


def _sent(message: MessageSeen, fault: str) -> CallSeen:
    at = float(message.ts)
    parameters: dict[str, object] = {"channel": CHANNEL, "thread_ts": ROOT}
    return CallSeen("chat.startStream", "T1", parameters, at - 0.1, at + 0.1, 200, {"ts": message.ts}, fault)


def verdict_on(seen: ChannelRecord, *troubles: float) -> tuple[list[str], int]:
    """What is wrong, and how many streams stayed empty."""
    judgement = judged([QUESTION], [seen], WORDS, troubles)
    return [fault.what for fault in judgement.faults], judgement.left_over


LIVE = StreamSeen(10.0, "streaming")


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (record(said(10, EXPECTED)), []),
        (record(), ["lost"]),
        (record(said(10, EXPECTED[:-3])), ["lost"]),
        (record(said(10, EXPECTED[:12], state="whole"), said(20, EXPECTED[12:])), []),
        (record(said(10, EXPECTED), said(20, EXPECTED)), ["doubled", "broken"]),
        (record(said(10, EXPECTED[:12], state="whole"), said(20, EXPECTED)), ["doubled"]),
        (record(said(10, EXPECTED, "", state="whole"), said(20, EXPECTED)), []),
        (record(said(10, EXPECTED, state="whole")), ["broken"]),
        (record(said(10, EXPECTED, stream=LIVE)), ["broken"]),
        (record(said(10, EXPECTED, state="open")), ["broken", "broken", "broken"]),
        (record(said(10, EXPECTED), said(20, "hello", thread_ts="")), ["doubled"]),
        (record(said(10, EXPECTED), said(20, "hello")), ["doubled"]),
        (record(said(10, EXPECTED[:9], state="", deleted_at=11.0), said(20, EXPECTED)), []),
        (record(said(10, EXPECTED, deleted_at=11.0)), []),
        (record(said(10, EXPECTED, deleted_at=11.0), said(20, EXPECTED)), []),
        (record(said(10, EXPECTED), status="processing"), ["broken"]),
    ],
    ids=[
        "one answer",
        "none",
        "half of one",
        "one in two parts",
        "two",
        "half of one beside it",
        "one that was made empty beside it",
        "one without a place to say what one thinks of it",
        "a stream that goes on",
        "one that can still be stopped",
        "something outside of the thread",
        "something that answers nobody",
        "one that was deleted while it was written, and its successor",
        "one that was deleted when it was whole",
        "one that was deleted when it was whole, and its successor",
        "work that is shown for ever",
    ],
)
def test_the_judge_of_slack_sees_what_is_lost_and_what_is_doubled(seen: ChannelRecord, verdict: list[str]) -> None:
    assert verdict_on(seen) == (verdict, 0)


def test_work_that_a_killed_bot_left_is_no_fault() -> None:
    assert verdict_on(record(said(10, EXPECTED), status="processing"), 15.0) == ([], 0)


@pytest.mark.parametrize(
    ("fault", "troubles", "verdict"),
    [
        ("drop_after", [], []),
        ("drop_before", [], ["doubled"]),
        ("", [], ["doubled"]),
        ("", [15.0], []),
        ("", [25.0], ["doubled"]),
        ("", [5.0], ["doubled"]),
    ],
    ids=["a drop", "a drop before it was begun", "nothing", "a kill", "a kill after the next one", "a kill before it"],
)
def test_an_empty_stream_is_excused_by_what_happened_before_another_was_begun(
    fault: str, troubles: list[float], verdict: list[str]
) -> None:
    seen = record(said(10, state=""), said(20, EXPECTED), fault=fault)

    assert verdict_on(seen, *troubles) == (verdict, 1)


def test_what_nobody_acked_at_first_is_counted() -> None:
    late = AttemptSeen(1.0, "s1", is_ack=False, reason="timeout", status=0)
    acked = AttemptSeen(4.0, "s1", is_ack=True, reason="", status=200)
    brought = [
        DeliverySeen("Ev1", "T1", "message", CHANNEL, ROOT, {}, (late, acked), "taken"),
        DeliverySeen("Ev2", "T1", "app_mention", CHANNEL, ROOT, {}, (acked,), "taken"),
        DeliverySeen("Ev3", "T1", "message", CHANNEL, "20.000000", {}, (late, acked), "taken"),
    ]
    seen = replace(record(said(10, EXPECTED)), deliveries=brought)

    assert judged([QUESTION], [seen], WORDS, []) == Judgement([], 0, brought_again=1)
