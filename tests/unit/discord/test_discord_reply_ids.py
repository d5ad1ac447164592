"""The ids that the core knows interactions by are told from messages' ids, and read back as they were written."""

import pytest

from adapters.discord.reply_ids import ReplyId, reply_id


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("i123", ReplyId("123")),
        ("e123", ReplyId("123", is_private=True)),
        ("i123.0", ReplyId("123", beside=0)),
        ("e9223372036854775807.2", ReplyId("9223372036854775807", is_private=True, beside=2)),
    ],
)
def test_an_id_is_read_back_as_it_was_written(told: str, meant: ReplyId) -> None:
    assert reply_id(told) == meant
    assert str(meant) == told


@pytest.mark.parametrize("told", ["123", "", "i", "x123", "i0", "i123.", "i123.10", "i123.x", "i123 ", "i12³"])
def test_anything_else_is_no_interactions_id(told: str) -> None:
    assert reply_id(told) is None
