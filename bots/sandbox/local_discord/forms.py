"""Modals: checked when the app opens one, and filled in by people."""

from collections.abc import Iterator, Mapping

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.refusals import Refused, invalid

_ROW, _SELECT, _TEXT, _DISPLAY, _LABEL = 1, 3, 4, 10, 18
_RADIO, _CHECKBOXES, _CHECKBOX = 21, 22, 23
_TITLE, _CUSTOM_ID, _LABEL_CHARS, _OPTIONS, _TEXT_CHARS = 45, 100, 45, 25, 4000
_MOST = 5


def check_modal(given: Body) -> None:
    """Raises Refused."""
    if not 1 <= len(given.text("custom_id")) <= _CUSTOM_ID:
        raise invalid("data.custom_id", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if not 1 <= len(given.text("title")) <= _TITLE:
        raise invalid("data.title", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45 in length.")
    components = given.items("components")
    if not 1 <= len(components) <= _MOST:
        raise invalid("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    known: set[str] = set()
    for number, component in enumerate(components):
        where = f"data.components.{number}"
        if component.get("type") not in {_ROW, _LABEL, _DISPLAY}:
            raise invalid(f"{where}.type", "BASE_TYPE_CHOICES", "Value must be one of (1, 10, 18).")
        if component.get("type") == _LABEL and not 1 <= len(str(component.get("label") or "")) <= _LABEL_CHARS:
            raise invalid(f"{where}.label", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45 in length.")
        for inner in _inner(component):
            _check_field(inner, where, known)


def fields_of(modal: Mapping[str, object]) -> Iterator[tuple[str, JsonObject]]:
    """Label and component of everything that can be filled in."""
    for component in list_in(modal.get("components")):
        outer = object_in(component)
        for inner in _inner(outer):
            yield str(outer.get("label") or inner.get("label") or ""), inner


def filled(modal: JsonObject, values: JsonObject) -> JsonObject:
    """As a submission carries it; `values` by custom id. Raises Refused where something required is not filled in."""
    unknown = set(values) - {str(inner.get("custom_id")) for _, inner in fields_of(modal)}
    if unknown:
        raise ValueError(f"the modal has no {sorted(unknown)}")
    components = [_filled_outer(object_in(one), values) for one in list_in(modal.get("components"))]
    return {"custom_id": modal["custom_id"], "components": components}


def _filled_outer(outer: JsonObject, values: JsonObject) -> JsonObject:
    inner = [_filled_inner(one, values) for one in _inner(outer)]
    if outer.get("type") == _LABEL:
        return {"type": _LABEL, "id": 1, "component": inner[0]}
    if outer.get("type") == _ROW:
        return {"type": _ROW, "id": 1, "components": inner}
    return {"type": outer.get("type"), "id": 1}


def _filled_inner(component: JsonObject, values: JsonObject) -> JsonObject:
    """Raises Refused."""
    custom_id = str(component.get("custom_id"))
    told: JsonObject = {"type": component["type"], "id": 2, "custom_id": custom_id}
    given = values.get(custom_id, _initial(component))
    is_missing = given in ("", [], None) and component.get("required", True)
    if component["type"] == _TEXT:
        text = str(given or "")
        most = component.get("max_length")
        if is_missing or (isinstance(most, int) and len(text) > most):
            raise Refused(400, 50035)
        return told | {"value": text}
    if component["type"] == _CHECKBOX:
        return told | {"value": bool(given)}
    chosen = [str(one) for one in (given if isinstance(given, list) else [given] if given else [])]
    offered = {str(object_in(option).get("value")) for option in list_in(component.get("options"))}
    if is_missing or (offered and not set(chosen) <= offered):
        raise Refused(400, 50035)
    if component["type"] == _RADIO:
        return told | {"value": chosen[0] if chosen else None}
    return told | {"values": chosen}


def _initial(component: JsonObject) -> object:
    """As a person finds it."""
    if component["type"] == _TEXT:
        return component.get("value", "")
    options = [object_in(option) for option in list_in(component.get("options"))]
    return [str(option.get("value")) for option in options if option.get("default")]


def _inner(outer: JsonObject) -> list[JsonObject]:
    if outer.get("type") == _LABEL:
        return [object_in(outer.get("component"))]
    return [object_in(one) for one in list_in(outer.get("components"))]


def _check_field(component: JsonObject, where: str, known: set[str]) -> None:
    """Raises Refused."""
    custom_id = str(component.get("custom_id") or "")
    if not 1 <= len(custom_id) <= _CUSTOM_ID or custom_id in known:
        raise invalid(f"{where}.custom_id", "BASE_TYPE_BAD_LENGTH", "Must be unique, and 1 to 100 in length.")
    known.add(custom_id)
    kind = component.get("type")
    if kind == _TEXT:
        if component.get("style") not in {1, 2}:
            raise invalid(f"{where}.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")
        if len(str(component.get("value") or "")) > int(str(component.get("max_length") or _TEXT_CHARS)):
            raise invalid(f"{where}.value", "BASE_TYPE_MAX_LENGTH", "Is too long.")
    elif kind in {_SELECT, _RADIO, _CHECKBOXES}:
        options = list_in(component.get("options"))
        if not 1 <= len(options) <= _OPTIONS:
            raise invalid(f"{where}.options", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")
        for number, option in enumerate(object_in(one) for one in options):
            for name in ("label", "value"):
                if not 1 <= len(str(option.get(name) or "")) <= _CUSTOM_ID:
                    raise invalid(f"{where}.options.{number}.{name}", "BASE_TYPE_BAD_LENGTH", "Must be 1 to 100.")
