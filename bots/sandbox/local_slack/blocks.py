"""Which blocks Slack takes: kinds, sizes, ids."""

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_slack.refusals import Refused

_MESSAGE_KINDS = {
    "actions",
    "alert",
    "call",
    "card",
    "carousel",
    "container",
    "context",
    "context_actions",
    "divider",
    "file",
    "header",
    "image",
    "markdown",
    "plan",
    "rich_text",
    "section",
    "table",
    "task_card",
    "video",
}
_VIEW_KINDS = (_MESSAGE_KINDS | {"input"}) - {"context_actions", "table", "markdown", "file", "plan", "task_card"}
#: Most characters of a text, by the kind of its block.
_TEXT_CHARS = {"header": 150, "section": 3000}
_MARKDOWN_CHARS = 12_000
_BUTTON_CHARS = 75
_ID_CHARS = 255
_VALUE_CHARS = 2000
_TITLE_CHARS = 24
_MOST_ELEMENTS = {"actions": 25, "context": 10, "context_actions": 5}
_PRIVATE_CHARS = 3000


def check_message_blocks(blocks: list[JsonObject], most: int) -> None:
    """Raises Refused."""
    if len(blocks) > most:
        raise Refused("msg_blocks_too_many")
    _check(blocks, _MESSAGE_KINDS, "invalid_blocks")
    written = sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown")
    if written > _MARKDOWN_CHARS:
        raise Refused("msg_blocks_too_long")


def check_view(view: JsonObject, most: int) -> None:
    """Raises Refused."""
    kind, blocks = view.get("type"), [object_in(block) for block in list_in(view.get("blocks"))]
    if kind not in {"modal", "home"} or len(blocks) > most:
        raise _wrong("invalid_arguments", "a view is a modal or a home with not too many blocks")
    _check(blocks, _VIEW_KINDS, "invalid_arguments")
    if len(str(view.get("private_metadata", ""))) > _PRIVATE_CHARS or len(str(view.get("callback_id", ""))) > _ID_CHARS:
        raise _wrong("invalid_arguments", "private_metadata or callback_id is too long")
    if kind == "home":
        return
    for name in ("title", "submit", "close"):
        text = object_in(view.get(name)).get("text")
        if (name == "title" and not text) or (text is not None and not 0 < len(str(text)) <= _TITLE_CHARS):
            raise _wrong("invalid_arguments", f"{name} has 1 to {_TITLE_CHARS} characters")
    if any(block.get("type") == "input" for block in blocks) and not view.get("submit"):
        raise _wrong("invalid_arguments", "a modal with inputs has a submit")


def elements_of(blocks: list[JsonObject]) -> list[tuple[JsonObject, JsonObject]]:
    """(block, interactive element) of all that can be pressed or filled in."""
    found: list[tuple[JsonObject, JsonObject]] = []
    for block in blocks:
        inner = [*list_in(block.get("elements")), block.get("accessory"), block.get("element")]
        found += [(block, object_in(one)) for one in inner if object_in(one).get("action_id")]
    return found


def labels_of(element: JsonObject) -> list[str]:
    """What stands on it: on each of its buttons, where they are several."""
    told = [element, object_in(element.get("positive_button")), object_in(element.get("negative_button"))]
    labels = [object_in(one.get("text")).get("text") for one in told]
    return [str(label) for label in labels if label]


def _check(blocks: list[JsonObject], kinds: set[str], error: str) -> None:
    for block in blocks:
        if block.get("type") not in kinds:
            raise _wrong(error, f"unsupported type: {block.get('type')}")
        _check_block(block, error)
    block_ids = [block["block_id"] for block in blocks if block.get("block_id")]
    action_ids = [(id(block), element["action_id"]) for block, element in elements_of(blocks)]
    if len(set(block_ids)) < len(block_ids) or len(set(action_ids)) < len(action_ids):
        raise _wrong(error, "ids are not unique")


def _check_block(block: JsonObject, error: str) -> None:
    kind = str(block["type"])
    if len(str(block.get("block_id", ""))) > _ID_CHARS:
        raise _wrong(error, "block_id is too long")
    text = object_in(block.get("text")).get("text")
    if kind in _TEXT_CHARS and text is not None and not 0 < len(str(text)) <= _TEXT_CHARS[kind]:
        raise _wrong(error, f"the text of a {kind} has 1 to {_TEXT_CHARS[kind]} characters")
    if kind == "section" and text is None and not block.get("fields"):
        raise _wrong(error, "a section has a text or fields")
    elements = list_in(block.get("elements"))
    if kind in _MOST_ELEMENTS and not 0 < len(elements) <= _MOST_ELEMENTS[kind]:
        raise _wrong(error, f"{kind} has 1 to {_MOST_ELEMENTS[kind]} elements")
    for _, element in elements_of([block]):
        _check_element(kind, element, error)


def _check_element(kind: str, element: JsonObject, error: str) -> None:
    is_native = element.get("type") in {"feedback_buttons", "icon_button"}
    if is_native != (kind == "context_actions"):
        raise _wrong(error, f"{element.get('type')} does not go into {kind}")
    if len(str(element["action_id"])) > _ID_CHARS or len(str(element.get("value", ""))) > _VALUE_CHARS:
        raise _wrong(error, "action_id or value is too long")
    pressed = [element]
    if element.get("type") == "feedback_buttons":
        pressed = [object_in(element.get("positive_button")), object_in(element.get("negative_button"))]
        if not all(one.get("value") for one in pressed):
            raise _wrong(error, "feedback buttons have values")
    for one in pressed:
        label = object_in(one.get("text")).get("text")
        if element.get("type") in {"button", "feedback_buttons", "icon_button"} and not label:
            raise _wrong(error, "a button has a text")
        if label is not None and len(str(label)) > _BUTTON_CHARS:
            raise _wrong(error, f"a button's text has at most {_BUTTON_CHARS} characters")
        if len(str(one.get("value", ""))) > _VALUE_CHARS:
            raise _wrong(error, "a value is too long")


def _wrong(error: str, told: str) -> Refused:
    return Refused(error, response_metadata={"messages": [f"[ERROR] {told}"]})
