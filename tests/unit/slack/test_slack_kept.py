"""What is kept of what Slack sent: everything but what opens doors."""

import json
from typing import Any

from adapters.slack.kept import raw_of, raw_of_bytes


def test_what_opens_doors_is_cut_wherever_it_stands() -> None:
    body = {
        "token": "a-door",
        "trigger_id": "a-door",
        "response_url": "https://hooks.slack.com/a-door",
        "view": {"response_urls": [{"response_url": "a-door"}], "id": "V1"},
        "list": [{"bot_access_token": "a-door", "kept": 1}],
        "text": "words",
    }

    assert json.loads(raw_of(body)) == {"view": {"id": "V1"}, "list": [{"kept": 1}], "text": "words"}


def test_what_is_nested_too_deep_is_counted() -> None:
    deep: dict[str, Any] = {}
    innermost = deep
    for _ in range(5000):
        innermost["x"] = innermost = {}

    assert raw_of(deep) == "1 fields, nested too deep"


def test_of_what_can_not_be_taken_apart_the_beginning_is_kept() -> None:
    assert raw_of_bytes(b"\xff{ not JSON") == "\ufffd{ not JSON"
    assert len(raw_of_bytes(b"x" * 100_000)) == 65536
    assert raw_of_bytes(b'{"token": "a-door", ') == "20 bytes"
