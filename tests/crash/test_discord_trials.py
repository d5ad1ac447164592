"""A few crash trials on the local Discord for every day, on each database. And the judge of them is judged."""

import subprocess
import sys
from dataclasses import replace

import pytest

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord.sights import AttachmentSeen, ChannelSeen, MessageSeen, VersionSeen
from tests.crash.discord_judge import GOOD, STOP, Question, Seen, judged
from tests.crash.discord_scenario import (
    ACK,
    AGE,
    CALLS,
    COMMANDS,
    ELSEWHERE,
    PLACES,
    RESPOND,
    all_discord_dooms,
    draw_discord_scenario,
)
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_sender import PaperEvent

_TIMEOUT_S = 240
BOT, CHANNEL, ASKED, WORDS = "1", "2", "3", 3
QUESTION = Question(PaperEvent("m0", "channel", "q"), CHANNEL, ASKED)
COMMAND = replace(QUESTION, is_command=True)
EXPECTED = answer_to("q", WORDS)


def test_a_few_trials_on_discord_lose_and_double_nothing() -> None:
    command = [sys.executable, "-P", "-m", "tests.crash", "--platform", "discord", "--trials", "4", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "4 trials, 0 lost, 0 doubled"


def test_the_few_trials_on_discord_are_on_each_database() -> None:
    drawn = [draw_discord_scenario(1, number) for number in range(4)]

    assert {one.database for one in drawn} == {"sqlite", "postgresql"}


def test_100_trials_on_discord_die_at_every_named_state_on_each_database() -> None:
    drawn = [draw_discord_scenario(1, number) for number in range(100)]

    struck = {(one.database, doom.moment, doom.action) for one in drawn for doom in one.dooms[0]}
    states = {(doom.moment, doom.action) for doom in all_discord_dooms()}
    assert struck >= {(database, *state) for database in ("sqlite", "postgresql") for state in states}
    assert {one.bots for one in drawn} == {1, 2}
    assert {event.channel for one in drawn for _, event in one.said} == {*PLACES}
    assert {one.method for scenario in drawn for one in scenario.faults} >= {*CALLS}
    assert {one.kind for scenario in drawn for one in scenario.upheavals} == {
        "age",
        "archive",
        "away",
        "close",
        "cut",
        "expired",
        "forgotten",
        "held",
        "invalid",
        "mute",
        "reconnect",
        "refused",
        "resumable",
        "storm",
    }


def test_somebody_uses_a_command_where_a_bot_is_to_die_at_that() -> None:
    drawn = [draw_discord_scenario(1, number) for number in range(100)]

    dying = [one for one in drawn if one.dooms[0][0].action in (ACK, RESPOND)]
    assert dying
    assert all(not COMMANDS.isdisjoint(event.channel for _, event in one.said) for one in dying)


def test_no_time_is_over_where_nothing_could_be_said_later() -> None:
    drawn = [draw_discord_scenario(1, number) for number in range(100)]

    aged = [one for one in drawn if AGE in [upheaval.kind for upheaval in one.upheavals]]
    assert aged
    assert not any(event.channel == ELSEWHERE for one in aged for _, event in one.said)


def said(
    number: int,
    *texts: str,
    sign: str = GOOD,
    reply_to: str = ASKED,
    file: str = "",
    flags: int = 0,
    deleted_at: float | None = None,
) -> MessageSeen:
    """It was sent with the first text, and said the others later; under the last one there is this button."""
    row = ({"type": 1, "components": [{"type": 2, "label": sign, "custom_id": "c"}]},) if sign else ()
    files = (AttachmentSeen("1", "reply.md", "text/markdown", file),) if file else ()
    versions = [VersionSeen(number + 0.1 * at, text) for at, text in enumerate(texts)]
    versions[-1] = replace(versions[-1], components=row, attachments=files, flags=flags)
    reference: JsonObject | None = {"message_id": reply_to} if reply_to else None
    return MessageSeen(str(number), BOT, tuple(versions), reference=reference, deleted_at=deleted_at)


def channel(name: str, *messages: MessageSeen) -> ChannelSeen:
    return ChannelSeen(1, name, "GUILD_TEXT", "", "", "", False, False, "", (), (), (), False, messages, BOT)


def seen(*messages: MessageSeen, thread: tuple[MessageSeen, ...] = (), is_aged: bool = False) -> Seen:
    """`thread`: what is said in the one that was made of the question."""
    channels = {CHANNEL: channel(CHANNEL, *messages)} | ({ASKED: channel(ASKED, *thread)} if thread else {})
    return Seen(channels, is_aged)


def verdict_on(what: Seen, question: Question = QUESTION) -> list[str]:
    return [fault.what for fault in judged([question], what, WORDS).faults]


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (seen(said(10, EXPECTED)), []),
        (seen(thread=(said(10, "About q:", EXPECTED, reply_to=""),)), []),
        (seen(), ["lost"]),
        (seen(said(10, EXPECTED[:-3])), ["lost"]),
        (seen(said(10, EXPECTED[:12], sign=""), said(20, EXPECTED[12:])), []),
        (seen(said(10, EXPECTED), said(20, EXPECTED)), ["doubled", "broken"]),
        (seen(said(10, EXPECTED), thread=(said(20, EXPECTED, reply_to=""),)), ["doubled", "broken"]),
        (seen(said(10, EXPECTED[:12], sign=""), said(20, EXPECTED)), ["doubled"]),
        (seen(said(10, "…", sign=STOP), said(20, EXPECTED)), ["doubled"]),
        (seen(said(10, EXPECTED, "…", sign=""), said(20, EXPECTED)), ["doubled"]),
        (seen(said(10, EXPECTED, sign=STOP)), ["broken", "broken"]),
        (seen(said(10, EXPECTED, sign="")), ["broken"]),
        (seen(said(10, EXPECTED, reply_to="")), ["broken"]),
        (seen(said(10, EXPECTED), said(20, "hello")), ["doubled"]),
        (seen(said(10, EXPECTED[:9], sign=STOP, deleted_at=11.0), said(20, EXPECTED)), []),
        (seen(said(10, EXPECTED, deleted_at=11.0)), []),
        (seen(said(10, EXPECTED, deleted_at=11.0), said(20, EXPECTED)), []),
        (seen(said(10, EXPECTED[:9], file=EXPECTED)), []),
    ],
    ids=[
        "one answer",
        "one in a thread",
        "none",
        "half of one",
        "one in two parts",
        "two",
        "one in the thread and one beside it",
        "half of one beside it",
        "a placeholder beside it",
        "one that was made empty beside it",
        "one that can still be stopped",
        "one without a place to say what one thinks of it",
        "one that does not point at the question",
        "something that answers nobody",
        "one that was deleted while it was written, and its successor",
        "one that was deleted when it was whole",
        "one that was deleted when it was whole, and its successor",
        "one in a file",
    ],
)
def test_the_judge_of_discord_sees_what_is_lost_and_what_is_doubled(record: Seen, verdict: list[str]) -> None:
    assert verdict_on(record) == verdict


LOADING = said(10, "", sign="", reply_to="", flags=1 << 7)


@pytest.mark.parametrize(
    ("record", "is_acked", "verdict"),
    [
        (seen(said(10, EXPECTED, reply_to="")), True, []),
        (seen(), True, ["lost"]),
        (seen(), False, []),
        (seen(said(10, EXPECTED, reply_to="")), False, []),
        (seen(said(10, EXPECTED[:-3], reply_to="")), False, ["lost"]),
        (seen(said(10, EXPECTED, reply_to=""), said(20, EXPECTED)), False, ["doubled", "broken"]),
        (seen(LOADING), True, ["lost", "lost"]),
        (seen(LOADING, said(20, EXPECTED)), True, ["lost"]),
        (seen(LOADING, said(20, EXPECTED), is_aged=True), True, []),
    ],
    ids=[
        "one answer",
        "none",
        "none, and none was promised",
        "one that was not promised",
        "half of one that was not promised",
        "two that were not promised",
        "a promise that was not kept",
        "an answer beside the promise",
        "an answer when the time of the promise was over",
    ],
)
def test_a_command_is_owed_an_answer_where_one_was_promised(record: Seen, is_acked: bool, verdict: list[str]) -> None:
    assert verdict_on(record, replace(COMMAND, is_acked=is_acked)) == verdict
