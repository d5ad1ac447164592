"""What people do with Slack's own means → what it says to the core. Pure: nothing is asked, sent or kept.

Presses of a reply's buttons are opinions. A slash command, App Home's buttons and the modals become messages, as if the
person had said the words; such a message is none of Slack's, so its id is made of what is the same at every delivery.
What `/banter` says is between the bot and that person, wherever it is said.

A value that was not made here, or for somebody else, does nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from adapters.payloads import NotUnderstood, Payload, found_in, list_in, text_in
from adapters.seals import Purpose, Seals
from adapters.slack.home import HomeAction
from adapters.slack.modals import ModalKind, asked_in, changes_in
from adapters.slack.places import (
    Installation,
    commander_in,
    is_read_by_nobody_else,
    key_in,
    made_id,
    person_in,
)
from adapters.slack.texts import plain
from adapters.slack.told import first_ts_in, ts_in
from adapters.slack.workspaces import Workspace
from adapters.told import word_in
from core.dialogue import Called, Feedback, Inbound, InboundMessage, Opinion, Person, SessionKey

_ASK, _HELP, _PREFIX = "ask", "/help", "/"


class Opinions(Protocol):
    """`Buttons`: what a press says, or None where the value was not made here, or for another channel."""

    def opinion(self, value: str, channel: str) -> Opinion | None: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What an interaction is held against."""

    app_id: str
    buttons: Opinions
    seals: Seals


def to_inbound(body: Payload, workspace: Workspace, known: Known, now: datetime) -> list[Inbound]:
    """Nothing of what says nothing to the core, or was made up. Raises NotUnderstood where it can't be understood."""
    if text_in(body, "api_app_id") not in ("", known.app_id):
        raise NotUnderstood("it is another app's")
    install = Installation(known.app_id, workspace)
    if "command" in body:
        return [_commanded(body, install, now)]
    match found_in(body, "type"):
        case "block_actions":
            return list(_pressed(body, install, known, now))
        case "view_submission":
            return list(_submitted(body, install, known, now))
    return []


def _commanded(body: Payload, install: Installation, now: datetime) -> InboundMessage:
    person = commander_in(body, install)
    key = install.key(word_in(body, "channel_id"), person=person.platform_id)
    message_id = made_id("command", word_in(body, "trigger_id"))
    return _said(key, person, message_id, _words_of_command(plain(text_in(body, "text"), {})), now)


def _words_of_command(text: str) -> str:
    """`/banter new` is the core's `/new`, `/banter ask …` a question, whatever that begins with."""
    name, *rest = text.split(maxsplit=1) or [""]
    if name.casefold() == _ASK:
        return _as_question("".join(rest)) or _HELP
    return _PREFIX + text.strip().lstrip(_PREFIX) if name.strip(_PREFIX) else _HELP


def _as_question(text: str) -> str:
    """One that begins with a slash is no command."""
    said = text.strip()
    return _PREFIX + said if said.startswith(_PREFIX) else said


def _pressed(body: Payload, install: Installation, known: Known, now: datetime) -> Iterator[Inbound]:
    for action in list_in(body, "actions"):
        name = text_in(action, "action_id")
        if found_in(body, "view", "type") == "home" and name in list(HomeAction):
            yield from _pressed_at_home(body, action, HomeAction(name), install, known, now)
        elif found_in(body, "container", "type") == "message":
            yield from _judged(body, action, install, known.buttons)


def _judged(body: Payload, action: object, install: Installation, buttons: Opinions) -> Iterator[Feedback]:
    """A button of a reply."""
    channel = word_in(body, "channel", "id")
    opinion = buttons.opinion(text_in(action, "value"), channel)
    if opinion is None:
        return
    message_id = ts_in(body, "container", "message_ts")
    thread = first_ts_in(body, ("container", "thread_ts"), ("message", "thread_ts"), ("container", "message_ts"))
    event_id = f"{word_in(action, 'action_ts')}.{opinion.value}"
    yield Feedback(install.key(channel, thread), person_in(body, install), message_id, opinion, event_id)


def _pressed_at_home(
    body: Payload, action: object, pressed: HomeAction, install: Installation, known: Known, now: datetime
) -> Iterator[InboundMessage]:
    """The settings' modal is opened afterwards, and says nothing by itself."""
    person = person_in(body, install)
    purpose = Purpose(pressed.value, install.workspace.id, person.platform_id)
    facts = known.seals.opened(purpose, text_in(action, "value"))
    if facts is None or pressed is HomeAction.SETTINGS:
        return
    message_id = made_id("home", person.platform_id, word_in(action, "action_ts"), pressed.value)
    if pressed is HomeAction.FORGET:
        yield _said(key_in(facts, install), person, message_id, "/forget session yes", now)
        return
    yield _said(install.key(word_in(facts, "direct_messages")), person, message_id, "/forget me yes", now)


def _submitted(body: Payload, install: Installation, known: Known, now: datetime) -> Iterator[InboundMessage]:
    view = found_in(body, "view")
    callback_id = text_in(view, "callback_id")
    if not isinstance(view, dict) or callback_id not in list(ModalKind):
        return
    kind, person, view_id = ModalKind(callback_id), person_in(body, install), word_in(view, "id")
    purpose = kind.purpose(install.workspace.id, person.platform_id)
    facts = known.seals.opened(purpose, text_in(view, "private_metadata"))
    if facts is None:
        return
    key = key_in(facts, install)
    if kind is ModalKind.SETTINGS:
        for name, value in changes_in(view, facts):
            message_id = made_id("settings", view_id, name, value)
            yield _said(key, person, message_id, f"/settings {name} {value}", now)
    elif asked := asked_in(view):
        message_id = made_id("ask", view_id, asked)
        yield _said(key, person, message_id, _as_question(asked), now, facts.get("quotes", ""))


def _said(
    key: SessionKey, person: Person, message_id: str, text: str, now: datetime, quotes: str = ""
) -> InboundMessage:
    called = Called(directly=is_read_by_nobody_else(key), by_command=True)
    return InboundMessage(key, person, message_id, text, now, called, quotes=quotes)
