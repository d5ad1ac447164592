"""The pieces of Slack's views, each within its limits: one empty or too long text, and Slack refuses the whole view."""

from collections.abc import Mapping, Sequence

Block = dict[str, object]

MOST_BLOCKS = 100
MOST_OPTIONS = 100
OPTION_VALUE_CHARS = 150
BUTTON_VALUE_CHARS = 2000
METADATA_CHARS = 3000
_OPTION_CHARS = 75
_BUTTON_CHARS = 75
_HEADER_CHARS = 150
_SECTION_CHARS = 3000
_LABEL_CHARS = 2000
_CONFIRM_TITLE_CHARS, _CONFIRM_TEXT_CHARS, _CONFIRM_BUTTON_CHARS = 100, 300, 30
_VIEW_TITLE_CHARS = 24


def plain(text: str, limit_chars: int) -> Block:
    """Shown as it is: nobody is mentioned, nothing is a link."""
    words = " ".join(text.split()) or "…"
    shown = words if len(words) <= limit_chars else words[: limit_chars - 1] + "…"
    return {"type": "plain_text", "text": shown, "emoji": False}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, _HEADER_CHARS)}


def section(text: str, limit_chars: int = _SECTION_CHARS) -> Block:
    return {"type": "section", "text": plain(text, limit_chars)}


def context(mrkdwn: str) -> Block:
    """The program's own words alone: in mrkdwn anybody can be mentioned."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn}]}


def divider() -> Block:
    return {"type": "divider"}


def actions(elements: Sequence[Block]) -> Block:
    return {"type": "actions", "elements": list(elements)}


def button(label: str, action_id: str, value: str, confirm: Block | None = None) -> Block:
    """What asks first is dangerous. Raises ValueError where the value does not fit."""
    if len(value) > BUTTON_VALUE_CHARS:
        raise ValueError("the value is too long for a button")
    made: Block = {"type": "button", "text": plain(label, _BUTTON_CHARS), "action_id": action_id, "value": value}
    return made if confirm is None else made | {"style": "danger", "confirm": confirm}


def confirmation(title: str, text: str, yes: str, no: str) -> Block:
    return {
        "title": plain(title, _CONFIRM_TITLE_CHARS),
        "text": plain(text, _CONFIRM_TEXT_CHARS),
        "confirm": plain(yes, _CONFIRM_BUTTON_CHARS),
        "deny": plain(no, _CONFIRM_BUTTON_CHARS),
        "style": "danger",
    }


def choice(name: str, label: str, options: Mapping[str, str], chosen: str) -> Block:
    """A menu in a block of its own; `options` are value → what is read. Values that don't fit are not offered."""
    offered = [value for value in options if 0 < len(value) <= OPTION_VALUE_CHARS]
    shown = [_option(value, options[value]) for value in offered[:MOST_OPTIONS]]
    element: Block = {"type": "static_select", "action_id": name, "options": shown}
    if chosen not in offered[:MOST_OPTIONS]:
        return _input(name, label, element) | {"optional": True}
    return _input(name, label, element | {"initial_option": _option(chosen, options[chosen])})


def question(name: str, label: str, limit_chars: int) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "multiline": True, "max_length": limit_chars}
    return _input(name, label, element | {"focus_on_load": True})


def modal(callback_id: str, title: str, buttons: tuple[str, str], blocks: Sequence[Block], metadata: str) -> Block:
    """`buttons` send it, and close it. Raises ValueError where the metadata does not fit."""
    if len(metadata) > METADATA_CHARS:
        raise ValueError("the metadata is too long for a modal")
    submit, close = buttons
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, _VIEW_TITLE_CHARS),
        "submit": plain(submit, _VIEW_TITLE_CHARS),
        "close": plain(close, _VIEW_TITLE_CHARS),
        "private_metadata": metadata,
        "blocks": list(blocks),
    }


def _option(value: str, label: str) -> Block:
    return {"text": plain(label, _OPTION_CHARS), "value": value}


def _input(name: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": name, "label": plain(label, _LABEL_CHARS), "element": element}
