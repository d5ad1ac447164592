"""The OpenAI streaming format: bytes, cut anywhere, to text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dialogue import FinishReason
from core.errors import RequestFailed
from core.generation.openai_stream import Choice, Delta, EventStream, ServedReply

LIMIT_BYTES = 10_000


def events_of(*parts: bytes) -> list[str]:
    stream = EventStream(LIMIT_BYTES)
    return [event for part in parts for event in stream.push(part)] + stream.finish()


@pytest.mark.parametrize(
    ("sent", "events"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        (b"data: a\r\rdata: b\r\r", ["a", "b"]),
        (b"data:a\n\n", ["a"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b": alive\n\ndata: a\n: alive\n\n", ["a"]),
        (b"event: x\nid: 1\nretry: 5\ndata: a\n\n", ["a"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"data: a", ["a"]),
        (b"data: a\n", ["a"]),
        (b"data: \xff\n\n", ["\ufffd"]),
        (b'error: {"message": "no"}\n\n', ['{"error": {"message": "no"}}']),
        (b"", []),
        (b"\n\n\n", []),
    ],
)
def test_an_event_is_its_data(sent: bytes, events: list[str]) -> None:
    assert events_of(sent) == events
    assert events_of(*(sent[at : at + 1] for at in range(len(sent)))) == events


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 300), max_size=6),
)
def test_it_does_not_matter_where_the_bytes_are_cut(texts: list[str], end: str, cuts: list[int]) -> None:
    sent = "".join(f"data: {text}{end}{end}" for text in texts).encode()
    places = sorted({0, *(min(cut, len(sent)) for cut in cuts), len(sent)})

    assert events_of(*(sent[start:stop] for start, stop in pairwise(places))) == texts


def test_a_stream_has_a_longest_length() -> None:
    stream = EventStream(10)
    stream.push(b"data: a\n\n")

    with pytest.raises(RequestFailed, match="more than 10 bytes"):
        stream.push(b"data: a\n\n")


def says(text: str, finish_reason: str | None = None) -> Choice:
    return Choice(delta=Delta(content=text), finish_reason=finish_reason)


def test_a_stop_string_is_held_back_and_cut() -> None:
    reply = ServedReply(["\nyou:"])

    shown = [reply.take(says(text)) for text in ("Fine.\n", "yo", "u: what")]

    assert (shown, reply.text, reply.finish_reason) == (["Fine.", "", ""], "Fine.", FinishReason.STOP)


def test_what_was_held_back_for_nothing_comes_at_the_end() -> None:
    reply = ServedReply(["\nyou:"])
    reply.take(says("Fine.\nyo", "length"))

    assert (reply.finish(), reply.text, reply.finish_reason) == ("\nyo", "Fine.\nyo", FinishReason.LENGTH)


def test_a_prefix_is_not_shown_again_and_stays_when_the_rest_is_forgotten() -> None:
    reply = ServedReply(["!"], "The capital")

    assert not reply.shown
    assert reply.take(says(" of")) == " of"
    reply.restart()

    assert (reply.text, reply.received, reply.shown) == ("The capital", "The capital", False)


def test_what_a_prefix_held_back_counts_as_shown_when_it_comes() -> None:
    reply = ServedReply(["\nyou:"], "Fine.\n")

    assert not reply.shown
    assert (reply.take(says("\n")), reply.shown) == ("\n", True)


@pytest.mark.parametrize("finish_reason", ["tool_calls", "function_call", "eos", "stop"])
def test_any_other_finish_reason_is_a_stop(finish_reason: str) -> None:
    reply = ServedReply([])
    reply.take(says("Fine.", finish_reason))

    assert reply.finish_reason is FinishReason.STOP
