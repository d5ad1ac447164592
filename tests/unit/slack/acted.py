"""Interactivity as Slack sends it, written after its public description, and the program's own seals."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.seals import Purpose, Seals
from adapters.slack.home import Home, HomeAction, HomeDialogue
from adapters.slack.interactions import Known, to_inbound
from adapters.slack.places import Installation, facts_of
from adapters.slack.workspaces import Workspace
from core.dialogue import Feedback, Inbound, InboundMessage, Opinion, Person, Platform, SessionKey

APP, TEAM = "A0BANTER", "T0ACME"
ANNA, OMAR = "U0ANNA", "U0OMAR"
CHANNEL, DIRECT = "C0GENERAL", "D0ANNA"
ROOT, REPLY = "1700000000.000100", "1700000005.000200"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
WORKSPACE = Workspace(TEAM, "U0BOT", "B0BOT", "xoxb-test", "Acme")
INSTALLATION = Installation(APP, WORKSPACE)
SEALS = Seals(b"the database's own")
PERSON = Person(Platform.SLACK, TEAM, ANNA, "anna.berg")
Body = dict[str, Any]


class PlainButtons:
    """Buttons whose value says what they mean and where, when this program made it."""

    def opinion(self, value: str, channel: str) -> Opinion | None:
        maker, _, said = value.partition(":")
        return Opinion(said) if maker == f"made-for-{channel}" else None


KNOWN = Known(APP, PlainButtons(), SEALS)


class PaperBook:
    """What people are shown of themselves; nobody is somebody without dialogues."""

    def __init__(self, **homes: Home) -> None:
        """By the ids of people."""
        self._homes = homes

    async def of(self, person: Person) -> Home:
        assert (person.platform, person.workspace) == (Platform.SLACK, TEAM)
        return self._homes.get(person.platform_id, Home())


def key(channel: str = CHANNEL, thread: str = "", person: str = "") -> SessionKey:
    return SessionKey(Platform.SLACK, APP, TEAM, channel, thread, person)


def understood(body: Mapping[str, object], workspace: Workspace = WORKSPACE) -> list[Inbound]:
    return to_inbound(body, workspace, KNOWN, NOW)


def message_of(body: Mapping[str, object]) -> InboundMessage:
    [inbound] = understood(body)
    assert isinstance(inbound, InboundMessage)
    return inbound


def feedback_of(body: Mapping[str, object]) -> Feedback:
    [inbound] = understood(body)
    assert isinstance(inbound, Feedback)
    return inbound


def _surrounded(kind: str, **more: object) -> Body:
    return {
        "type": kind,
        "team": {"id": TEAM, "domain": "acme"},
        "user": {"id": ANNA, "username": "anna.berg", "name": "anna.berg", "team_id": TEAM},
        "api_app_id": APP,
        "token": "verification-token",
        "trigger_id": "111.222.abc",
        "enterprise": None,
        "is_enterprise_install": False,
        **more,
    }


def press(value: str, **container: object) -> Body:
    """Of a button below a reply in a thread."""
    return _surrounded(
        "block_actions",
        container={"type": "message", "message_ts": REPLY, "channel_id": CHANNEL, "thread_ts": ROOT, **container},
        channel={"id": CHANNEL, "name": "general"},
        message={
            "type": "message",
            "ts": REPLY,
            "thread_ts": ROOT,
            "user": "U0BOT",
            "bot_id": "B0BOT",
            "text": "Rain.",
        },
        response_url="https://hooks.slack.com/actions/T0ACME/1/abc",
        actions=[
            {
                "action_id": "feedback",
                "block_id": "b1",
                "type": "feedback_buttons",
                "text": {"type": "plain_text", "text": "👍"},
                "value": value,
                "action_ts": "1700000009.123456",
            }
        ],
    )


def command(text: str, channel: str = CHANNEL, **more: object) -> Body:
    return {
        "token": "verification-token",
        "team_id": TEAM,
        "team_domain": "acme",
        "channel_id": channel,
        "channel_name": "general",
        "user_id": ANNA,
        "user_name": "anna.berg",
        "command": "/banter",
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": "https://hooks.slack.com/commands/T0ACME/1/abc",
        "trigger_id": "111.222.abc",
        **more,
    }


def shortcut(text: str = "it will rain tomorrow", **message: object) -> Body:
    return _surrounded(
        "message_action",
        callback_id="ask_about_this",
        action_ts="1700000009.123456",
        channel={"id": CHANNEL, "name": "general"},
        message_ts=ROOT,
        message={"type": "message", "ts": ROOT, "user": OMAR, "team": TEAM, "text": text, **message},
        response_url="https://hooks.slack.com/app/T0ACME/1/abc",
    )


def home_purpose(action: HomeAction, person: str = ANNA, workspace: str = TEAM) -> Purpose:
    return Purpose(action.value, workspace, person)


def home_press(action: HomeAction, dialogue: SessionKey | None = None, value: str = "") -> Body:
    """Of one of App Home's own buttons."""
    facts = {"direct_messages": DIRECT} | (facts_of(dialogue) if dialogue else {})
    return _surrounded(
        "block_actions",
        container={"type": "view", "view_id": "V0HOME"},
        view={"id": "V0HOME", "type": "home", "team_id": TEAM, "app_id": APP, "private_metadata": "", "blocks": []},
        actions=[
            {
                "action_id": action.value,
                "block_id": "b7",
                "type": "button",
                "value": value or SEALS.sealed(home_purpose(action), facts),
                "action_ts": "1700000019.123456",
            }
        ],
    )


def submission(view: Mapping[str, object], values: Mapping[str, object], view_id: str = "V0MODAL") -> Body:
    """Of a modal that was opened as `view`."""
    told = {name: {name: value} for name, value in values.items()}
    return _surrounded(
        "view_submission",
        view={**view, "id": view_id, "team_id": TEAM, "app_id": APP, "state": {"values": told}},
        response_urls=[],
    )


def written(text: str) -> Mapping[str, object]:
    return {"type": "plain_text_input", "value": text}


def picked(value: str) -> Mapping[str, object]:
    return {"type": "static_select", "selected_option": {"text": {"type": "plain_text", "text": value}, "value": value}}


def dialogue_in(place: SessionKey, title: str = "", **more: Any) -> HomeDialogue:
    return HomeDialogue(place, title, NOW, more.pop("persona", "banter"), **more)


def opened(kind: str, channel: str = DIRECT, **event: object) -> Body:
    """An event of somebody who opens the app, or a thread with it."""
    return {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": APP,
        "event_id": "Ev1",
        "event_time": 1700000000,
        "event": {"type": kind, "user": ANNA, "channel": channel, "event_ts": "1700000000.1", **event},
    }
