"""A few crash trials on the local Bot API server for every day, on each database. And the judge of them is judged."""

import subprocess
import sys
from dataclasses import replace

import pytest

from bots.sandbox.local_telegram.sights import CallSeen, ChatSeen, MessageSeen, UserSeen, VersionSeen
from tests.crash.telegram_judge import ChatRecord, Question, judged
from tests.crash.telegram_scenario import all_telegram_dooms, draw_telegram_scenario
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_sender import PaperEvent

_TIMEOUT_S = 240
CHAT = 7
WORDS = 3
QUESTION = Question(PaperEvent("m0", "anna", "q"), CHAT, 1)
EXPECTED = answer_to("q", WORDS)
BOT = UserSeen(9, "Banter", is_bot=True)
LABELS = {"s": "⏹", "g": "👍"}


def test_a_few_trials_on_telegram_lose_and_double_nothing() -> None:
    command = [sys.executable, "-P", "-m", "tests.crash", "--platform", "telegram", "--trials", "6", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "6 trials, 0 lost, 0 doubled"


def test_the_few_trials_are_on_each_database() -> None:
    drawn = [draw_telegram_scenario(1, number) for number in range(6)]

    assert {one.database for one in drawn} == {"sqlite", "postgresql"}


def test_100_trials_on_telegram_die_at_every_named_state_on_each_database() -> None:
    drawn = [draw_telegram_scenario(1, number) for number in range(100)]

    struck = {(one.database, one.dooms[0][0].moment, one.dooms[0][0].action) for one in drawn}
    states = {(doom.moment, doom.action) for doom in all_telegram_dooms()}
    assert struck == {(database, *state) for database in ("sqlite", "postgresql") for state in states}
    assert {one.bots for one in drawn} == {1, 2}


def keyboard(code: str) -> dict[str, object]:
    return {"inline_keyboard": [[{"text": LABELS[code], "callback_data": f"{code}.token.signature"}]]}


def message(number: int, *texts: str, code: str = "g", reply_to: int = 1) -> MessageSeen:
    """It was sent as a placeholder, and said these texts later."""
    versions = [VersionSeen(float(number), "…", keyboard=keyboard("s"))]
    versions += [VersionSeen(number + 0.5, text, keyboard=keyboard(code)) for text in texts]
    return MessageSeen(number, BOT, 0, tuple(versions), reply_to_id=reply_to)


def sent(seen: MessageSeen, fault: str) -> CallSeen:
    """The call that a message came of."""
    markup = '{"inline_keyboard": [[{"text": "⏹", "callback_data": "s.token.signature"}]]}'
    parameters = {"chat_id": str(CHAT), "reply_markup": markup}
    answer: dict[str, object] = {"result": {"message_id": seen.id}}
    return CallSeen("sendMessage", parameters, {}, seen.id - 0.1, seen.id + 0.1, 200, answer, fault)


def seen(*messages: MessageSeen, fault: str = "") -> ChatRecord:
    """`fault`: what the call of the first of them met."""
    sends = [sent(one, fault if number == 0 else "") for number, one in enumerate(messages)]
    return ChatRecord(CHAT, ChatSeen(1, {}, "member", 0, (), messages, {}, ()), sends)


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (seen(message(10, EXPECTED)), []),
        (seen(), ["lost"]),
        (seen(message(10, EXPECTED[:-3])), ["lost"]),
        (seen(message(10, EXPECTED[:9]), message(20, EXPECTED[9:], reply_to=0)), []),
        (seen(message(10, EXPECTED), message(20, EXPECTED)), ["doubled"]),
        (seen(message(10, EXPECTED[:9]), message(20, EXPECTED)), ["doubled"]),
        (seen(message(10, EXPECTED, "…"), message(20, EXPECTED)), ["doubled"]),
        (seen(message(10, EXPECTED, code="s")), ["broken"]),
        (
            seen(
                message(10, EXPECTED), replace(message(20, "hello", reply_to=0), versions=(VersionSeen(20.0, "hello"),))
            ),
            ["doubled"],
        ),
    ],
    ids=[
        "one answer",
        "none",
        "half of one",
        "one in two parts",
        "two",
        "half of one beside it",
        "an orphan that had content",
        "one that can still be stopped",
        "something that answers nobody",
    ],
)
def test_the_judge_of_telegram_sees_what_is_lost_and_what_is_doubled(record: ChatRecord, verdict: list[str]) -> None:
    assert [fault.what for fault in judged([QUESTION], [record], WORDS, []).faults] == verdict


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
    ids=["a drop", "a drop before it was sent", "nothing", "a kill", "a kill after the next one", "a kill before it"],
)
def test_an_empty_placeholder_is_excused_by_what_happened_before_it_was_sent_again(
    fault: str, troubles: list[float], verdict: list[str]
) -> None:
    record = seen(message(10), message(20, EXPECTED), fault=fault)

    judgement = judged([QUESTION], [record], WORDS, troubles)

    assert judgement.left_over == 1
    assert [fault.what for fault in judgement.faults] == verdict
