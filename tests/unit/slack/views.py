"""Views, held against the limits that slack_sdk knows."""

from collections.abc import Iterator, Mapping
from typing import Any

from slack_sdk.models.views import View

Shown = dict[str, Any]


def taken_by_slack(view: Mapping[str, Any]) -> Shown:
    """Raises SlackObjectFormationError, or AssertionError for the limits that the SDK does not look at."""
    parsed = View(**view)
    parsed.to_dict()
    assert parsed.blocks is not None
    for block in parsed.blocks:
        block.to_dict()
    for text in texts_in(view):
        assert text
    for element in elements_in(view):
        assert len(element.get("value", "")) <= 2000
        assert 0 < len(element.get("options", [{}])) <= 100
    return dict(view)


def elements_in(view: Mapping[str, Any]) -> Iterator[Shown]:
    for block in view["blocks"]:
        yield from (one for one in block.get("elements", []) if "action_id" in one)
        if "element" in block:
            yield block["element"]


def texts_in(shown: object) -> Iterator[str]:
    """All that is read in it."""
    if isinstance(shown, Mapping):
        if shown.get("type") in {"plain_text", "mrkdwn"}:
            yield shown["text"]
        for inner in shown.values():
            yield from texts_in(inner)
    elif isinstance(shown, list):
        for inner in shown:
            yield from texts_in(inner)


def buttons_in(view: Mapping[str, Any], action_id: str) -> list[Shown]:
    return [element for element in elements_in(view) if element["action_id"] == action_id]
