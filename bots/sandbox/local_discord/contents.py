"""What a message is to say, as a request gives it: checked, and made into a version of it."""

import time

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord import messages as kinds
from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.limits import length
from bots.sandbox.local_discord.messages import Attachment, Version
from bots.sandbox.local_discord.refusals import Refused, invalid
from bots.sandbox.local_discord.world import World

_SETTABLE = kinds.SUPPRESS_EMBEDS | kinds.SUPPRESS_NOTIFICATIONS | kinds.EPHEMERAL
_ROWS, _BUTTONS, _CUSTOM_ID, _LABEL = 5, 5, 100, 80
_ROW, _BUTTON, _LINK = 1, 2, 5


def new_version(world: World, given: Body) -> Version:
    """Of a new message. Raises Refused."""
    version = _version(world, given, Version(time.monotonic(), ""))
    if not (version.content or version.components or version.embeds or version.attachments):
        raise Refused(400, 50006)
    return version


def changed_version(world: World, given: Body, before: Version) -> Version:
    """What is not given stays; attachments that are not named go. Raises Refused."""
    version = _version(world, given, before)
    if not (version.content or version.components or version.embeds or version.attachments):
        raise Refused(400, 50006)
    return version


def _version(world: World, given: Body, before: Version) -> Version:
    flags = given.integer("flags", before.flags)
    flags = (flags & _SETTABLE) | (before.flags & ~_SETTABLE & ~kinds.LOADING)
    return Version(
        time.monotonic(),
        _content(world, given) if given.has("content") else before.content,
        _components(given) if given.has("components") else before.components,
        tuple(given.items("embeds")) if given.has("embeds") else before.embeds,
        _attachments(world, given, before),
        flags,
    )


def _content(world: World, given: Body) -> str:
    """Blanks at its ends are cut off, as Discord does it."""
    content = given.text("content").strip()
    most = world.options.limits.message_chars
    if length(content) > most:
        world.excesses["content"] += 1
        raise invalid("content", "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
    return content


def _attachments(world: World, given: Body, before: Version) -> tuple[Attachment, ...]:
    limits = world.options.limits
    if any(len(file.content) > limits.file_bytes for file in given.files):
        raise Refused(413, 40005)
    about = {str(one.get("id")): one for one in given.items("attachments")}
    kept = before.attachments
    if given.has("attachments"):
        kept = tuple(one for one in before.attachments if one.id in about)
    new = []
    for file in given.files:
        told = about.get(file.number, {})
        name, description = str(told.get("filename") or file.name), str(told.get("description") or "")
        kind = file.content_type
        if kind.startswith("text/") or name.endswith((".md", ".txt")):
            kind = "text/plain; charset=utf-8"
        new.append(Attachment(world.ids.next(), name, kind, file.content, len(file.content), description))
    if len(kept) + len(new) > limits.files:
        raise invalid("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.files} or fewer in length.")
    return (*kept, *new)


def _components(given: Body) -> tuple[JsonObject, ...]:
    """Rows of buttons and menus. Raises Refused."""
    rows = given.items("components")
    if len(rows) > _ROWS:
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {_ROWS} in length.")
    known: set[str] = set()
    for number, row in enumerate(rows):
        where = f"components.{number}"
        if row.get("type") != _ROW:
            raise invalid(f"{where}.type", "BASE_TYPE_CHOICES", "Value must be one of (1,).")
        inner = [object_in(one) for one in list_in(row.get("components"))]
        if not 1 <= len(inner) <= _BUTTONS:
            raise invalid(f"{where}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        for place, component in enumerate(inner):
            _check_component(component, f"{where}.components.{place}", known)
    return tuple(rows)


def _check_component(component: JsonObject, where: str, known: set[str]) -> None:
    custom_id = str(component.get("custom_id") or "")
    if component.get("type") == _BUTTON and component.get("style") == _LINK:
        return
    if not 1 <= length(custom_id) <= _CUSTOM_ID:
        raise invalid(f"{where}.custom_id", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if custom_id in known:
        raise invalid(
            f"{where}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
        )
    known.add(custom_id)
    if component.get("type") != _BUTTON:
        return
    label = str(component.get("label") or "")
    if not label and not component.get("emoji"):
        raise invalid(f"{where}.label", "BUTTON_COMPONENT_INVALID", "A button needs a label or an emoji.")
    if length(label) > _LABEL:
        raise invalid(f"{where}.label", "BASE_TYPE_MAX_LENGTH", f"Must be {_LABEL} or fewer in length.")
