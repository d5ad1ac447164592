"""Windows and short notices, as Discord takes them in the answer to an interaction. Pure."""

from collections.abc import Mapping, Sequence

Component = dict[str, object]

_TITLE_CHARS = 45
_LABEL_CHARS = 45
_OPTION_CHARS = 100
_MOST_OPTIONS = 25
_ROW_OF_WINDOW, _TEXT, _SELECT, _INPUT = 18, 10, 3, 4
_PARAGRAPH = 2


def window(custom_id: str, title: str, components: Sequence[Component]) -> Component:
    return {"custom_id": custom_id, "title": _within(title, _TITLE_CHARS), "components": list(components)}


def paragraph(text: str) -> Component:
    return {"type": _TEXT, "content": text}


def choice(custom_id: str, label: str, options: Mapping[str, str], chosen: str) -> Component:
    """One of the options, by value; what can't be offered is left out, and never what is chosen."""
    offered = {value: name or value for value, name in options.items() if 0 < len(value) <= _OPTION_CHARS}
    shown = [value for value in offered if value != chosen]
    if chosen in offered:
        shown = [chosen, *shown]
    told = [
        {"label": _within(offered[value], _OPTION_CHARS), "value": value, "default": value == chosen}
        for value in offered
        if value in shown[:_MOST_OPTIONS]
    ]
    return _labelled(label, {"type": _SELECT, "custom_id": custom_id, "options": told})


def question(custom_id: str, label: str, limit_chars: int) -> Component:
    told = {"type": _INPUT, "custom_id": custom_id, "style": _PARAGRAPH, "min_length": 1, "max_length": limit_chars}
    return _labelled(label, told)


def _labelled(label: str, component: Component) -> Component:
    return {"type": _ROW_OF_WINDOW, "label": _within(label, _LABEL_CHARS), "component": component}


def _within(text: str, limit_chars: int) -> str:
    return text if len(text) <= limit_chars else text[: limit_chars - 1] + "…"
