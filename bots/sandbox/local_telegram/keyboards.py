"""What stands below a message, as Telegram checks it."""

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.limits import Limits
from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.refusals import bad_request

_ACTIONS = ("url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text", "pay", "callback_game")
_STYLES = {"", "default", "primary", "danger", "success"}
_MOST_BUTTONS = 100


def given_keyboard(parameters: Parameters, limits: Limits) -> JsonObject | None:
    """`reply_markup`; None where there is none or it is empty. Raises Refused."""
    markup = parameters.json_object("reply_markup", "reply keyboard markup")
    if markup is None or "inline_keyboard" not in markup:
        return None
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" must be an Array of Arrays')
    checked = [[_button(button, limits) for button in row] for row in rows if row]
    if sum(len(row) for row in checked) > _MOST_BUTTONS:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": checked} if checked else None


def buttons(keyboard: JsonObject | None) -> list[list[JsonObject]]:
    """Row by row."""
    rows = keyboard["inline_keyboard"] if keyboard else []
    return rows if isinstance(rows, list) else []


def _button(button: object, limits: Limits) -> JsonObject:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    text, data = button.get("text"), button.get("callback_data")
    if not isinstance(text, str):
        raise bad_request("can't parse inline keyboard button: can't find field \"text\"")
    if not text:
        raise bad_request("BUTTON_TEXT_INVALID")
    if not any(action in button for action in _ACTIONS):
        raise bad_request("can't parse inline keyboard button: text buttons are unallowed in the inline keyboard")
    if button.get("style", "") not in _STYLES:
        raise bad_request("can't parse inline keyboard button: invalid button style specified")
    if data is not None and (not isinstance(data, str) or not 1 <= len(data.encode()) <= limits.callback_data_bytes):
        raise bad_request("BUTTON_DATA_INVALID")
    return button
