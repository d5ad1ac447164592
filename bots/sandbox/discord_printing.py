"""What a person at the prompt of a local Discord is shown: messages as they grow, and windows. Pure but for memory."""

from collections.abc import Iterator

from bots.sandbox.at_terminal import grown
from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord.interaction_sights import ModalSeen
from bots.sandbox.local_discord.sights import ChannelSeen, MessageSeen, VersionSeen, components_in, label_of

_DIRECT = "DM"
_THREADS = "THREAD"
_NAME_CHARS = 24


class Printing:
    """What is new in what the bot wrote."""

    def __init__(self) -> None:
        #: message id → how many of its versions were printed.
        self._printed: dict[str, int] = {}

    def news(self, seen: ChannelSeen, here: str, person_id: str) -> Iterator[str]:
        """Of a channel; where it is not the one that the person is in, its name stands with it."""
        where = "" if seen.id == here else f" in {name_of(seen)}"
        for message in seen.bots:
            if message.only_for not in {"", person_id}:
                continue
            whom = " to you alone" if message.only_for else ""
            for number in range(self._printed.get(message.id, 0), len(message.versions)):
                if told := _told(message, number):
                    yield f"bot{where}{whom} {told}"
            self._printed[message.id] = len(message.versions)


def name_of(seen: ChannelSeen) -> str:
    if seen.kind == _DIRECT:
        return "the DM"
    if _THREADS not in seen.kind:
        return f"#{seen.name}"
    name = seen.name if len(seen.name) <= _NAME_CHARS else f"{seen.name[: _NAME_CHARS - 1].rstrip()}…"
    return f"the thread “{name}”"


def window_lines(modal: ModalSeen) -> Iterator[str]:
    """A window as it opens, and how it is answered."""
    yield f"window › {modal.title}"
    for component in modal.components:
        if words := component.get("content"):
            yield f"  {words}"
    for label, field in _fields(modal):
        options = [str(one["label"]) for one in _options(field)]
        chosen = [str(one["label"]) for one in _options(field) if one.get("default")]
        offered = f" ({' | '.join(options)})" if options else ""
        yield f"  {label}: {', '.join(chosen)}{offered}"
    yield "  :submit sends it as it is, :submit LABEL=VALUE with what you fill in"


def filled_in(modal: ModalSeen, told: str) -> dict[str, object]:
    """`LABEL=VALUE` → by custom id, and the value that is meant. Raises ValueError."""
    if not told:
        return {}
    label, is_told, text = (part.strip() for part in told.partition("="))
    for name, field in _fields(modal):
        if is_told and label.casefold() in {name.casefold(), str(field["custom_id"]).casefold()}:
            values = {str(one["label"]).casefold(): one["value"] for one in _options(field)}
            return {str(field["custom_id"]): values.get(text.casefold(), text)}
    raise ValueError(f"the window has {', '.join(name for name, _ in _fields(modal))}")


def _fields(modal: ModalSeen) -> list[tuple[str, JsonObject]]:
    return list(zip(modal.labels, modal.fields.values(), strict=True))


def _options(field: JsonObject) -> list[JsonObject]:
    return [object_in(one) for one in list_in(field.get("options"))]


def _told(message: MessageSeen, number: int) -> str:
    """What is new in a version; "" where nothing is."""
    version = message.versions[number]
    before = message.versions[number - 1] if number else VersionSeen(0.0, "")
    labels = _labels(version) if _labels(version) != _labels(before) else []
    files = [f"({file.filename})" for file in version.attachments if file not in before.attachments]
    said = " ".join(part for part in (grown(before.content, version.content), *labels, *files) if part)
    return f"{'✎' if before.content else '›'} {said}" if said else ""


def _labels(version: VersionSeen) -> list[str]:
    return [f"[{label_of(one)}]" for one in components_in(version.components)]
