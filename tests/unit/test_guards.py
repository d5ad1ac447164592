"""A small model's faults are seen before a person sees them."""

import pytest

from core.guards import Flaw, ReplyGuard, going_in_circles, visible


def test_a_reply_is_shown_as_it_comes() -> None:
    guard = ReplyGuard((), loop_repeats=4)

    assert [guard.push(piece) for piece in ("Hel", "lo", " there.")] == ["Hel", "lo", " there."]
    assert guard.flaw is None


def test_white_space_before_the_reply_is_not_shown() -> None:
    guard = ReplyGuard((), loop_repeats=4)

    assert [guard.push(piece) for piece in (" ", "\n\n", " Hi")] == ["", "", "Hi"]


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200b\u200d", "\u2060 \ufeff"])
def test_a_reply_that_nobody_could_see_is_blank(text: str) -> None:
    guard = ReplyGuard((), loop_repeats=4)
    guard.push(text)

    assert guard.flaw is Flaw.BLANK
    assert guard.finish() == ""


@pytest.mark.parametrize("text", ["👍", "👩‍👩‍👧", ".", "é", "你"])
def test_one_sign_is_a_reply(text: str) -> None:
    assert visible(text)


def test_a_repeated_reply_is_never_shown() -> None:
    guard = ReplyGuard(["I am fine,  thank you."], loop_repeats=4)

    shown = [guard.push(piece) for piece in ("i am", " fine, thank", " you.")]

    assert shown == ["", "", ""]
    assert guard.finish() == ""
    assert guard.flaw is Flaw.REPEATED


def test_a_reply_that_only_begins_like_the_last_one_is_shown_where_it_parts() -> None:
    guard = ReplyGuard(["I am fine, thank you."], loop_repeats=4)

    shown = [guard.push(piece) for piece in ("I am fine", ", and", " you?")]

    assert shown == ["", "I am fine, and", " you?"]


def test_a_reply_that_is_the_beginning_of_the_last_one_is_shown_at_its_end() -> None:
    guard = ReplyGuard(["Yes, of course."], loop_repeats=4)

    assert guard.push("Yes") == ""
    assert guard.flaw is None
    assert guard.finish() == "Yes"


@pytest.mark.parametrize(
    "text",
    [
        "ha" * 60,
        "I like cats. " * 8,
        "It began well. " + "and then we went home again, " * 4,
        "!" * 100,
        "\n" * 90,
    ],
)
def test_a_phrase_said_again_and_again_is_a_loop(text: str) -> None:
    assert going_in_circles(text, repeats=4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no no no no",
        "|---|---|---|---|",
        "1. cats\n2. dogs\n3. cats\n4. dogs\n",
        "The cat sat on the mat. The dog sat on the mat. The bird sat on the mat. The fish sat on the mat.",
    ],
)
def test_what_only_looks_like_a_loop_is_none(text: str) -> None:
    assert not going_in_circles(text, repeats=4)


def test_loops_can_be_allowed() -> None:
    guard = ReplyGuard((), loop_repeats=0)
    guard.push("!" * 500)

    assert not guard.loops
