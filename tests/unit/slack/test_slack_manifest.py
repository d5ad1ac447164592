"""The app's manifest asks for what the code needs, and for nothing else."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.slack.native import ASK_SHORTCUT
from bots import telegram_chatbot

ADAPTER = Path(telegram_chatbot.__file__).parents[1] / "adapters" / "slack"
MANIFEST = Path(telegram_chatbot.__file__).parent / "slack_manifest.yaml"
HISTORY = frozenset({"channels:history", "groups:history", "im:history", "mpim:history"})
WRITE, ASSISTANT, NONE = frozenset({"chat:write"}), frozenset({"assistant:write"}), frozenset[str]()
#: What Slack's reference asks for, of each method that there is a use for.
SCOPES_OF_METHOD: Mapping[str, frozenset[str]] = {
    "agents.sessions.rename": WRITE,
    "agents.sessions.setStatus": WRITE,
    "apps.connections.open": NONE,  # of the app's own token
    "assistant.threads.setStatus": ASSISTANT,
    "assistant.threads.setSuggestedPrompts": ASSISTANT,
    "assistant.threads.setTitle": ASSISTANT,
    "auth.test": NONE,
    "chat.appendStream": WRITE,
    "chat.delete": WRITE,
    "chat.postEphemeral": WRITE,
    "chat.postMessage": WRITE,
    "chat.startStream": WRITE,
    "chat.stopStream": WRITE,
    "chat.update": WRITE,
    "conversations.history": HISTORY,
    "conversations.open": frozenset({"im:write"}),
    "conversations.replies": HISTORY,
    "files.info": frozenset({"files:read"}),
    "oauth.v2.access": NONE,
    "users.info": frozenset({"users:read"}),
    "views.open": NONE,
    "views.publish": NONE,
    "views.update": NONE,
}
#: The same of events; of `message`, one for each kind of channel.
SCOPES_OF_EVENT: Mapping[str, frozenset[str]] = {
    "agent_session_stopped": ASSISTANT,
    "app_home_opened": NONE,
    "app_mention": frozenset({"app_mentions:read"}),
    "app_uninstalled": NONE,
    "channel_id_changed": frozenset({"groups:read"}),  # private channels alone are told of
    "message.channels": frozenset({"channels:history"}),
    "message.groups": frozenset({"groups:history"}),
    "message.im": frozenset({"im:history"}),
    "message.mpim": frozenset({"mpim:history"}),
    "reaction_added": frozenset({"reactions:read"}),
    "reaction_removed": frozenset({"reactions:read"}),
    "tokens_revoked": NONE,
}
#: Apps that were made before 2026 get it; a manifest of today can't ask for it.
LEGACY_EVENTS = {"assistant_thread_started"}
_METHOD = re.compile(r"(agents|apps|assistant|auth|chat|conversations|files|oauth|reactions|users|views)(\.\w+)+")


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    told = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    assert isinstance(told, dict)
    return told


def texts_of_the_adapter() -> Iterator[str]:
    """All that stands between quotes."""
    for file in sorted(ADAPTER.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def methods_called() -> set[str]:
    return {text for text in texts_of_the_adapter() if _METHOD.fullmatch(text)}


def events_heard() -> set[str]:
    known = set(SCOPES_OF_EVENT) | LEGACY_EVENTS | {"message"}
    return {text for text in texts_of_the_adapter() if text in known}


def test_every_method_that_is_called_is_known_here() -> None:
    assert "chat.postMessage" in methods_called()
    assert methods_called() <= set(SCOPES_OF_METHOD)


def test_it_asks_for_the_scopes_that_methods_and_events_need_and_for_no_other(manifest: dict[str, Any]) -> None:
    scopes = manifest["oauth_config"]["scopes"]
    needed = set().union(
        *(SCOPES_OF_METHOD[method] for method in methods_called()),
        *(SCOPES_OF_EVENT[event] for event in manifest["settings"]["event_subscriptions"]["bot_events"]),
        {"commands"},
        {"files:read"},  # a file's own address wants it too
    )

    assert set(scopes["bot"]) == needed
    assert list(scopes) == ["bot"]


def test_it_listens_to_what_is_understood_and_to_nothing_else(manifest: dict[str, Any]) -> None:
    told = manifest["settings"]["event_subscriptions"]["bot_events"]

    assert {event.partition(".")[0] for event in told} == events_heard() - LEGACY_EVENTS
    assert {event for event in told if event.startswith("message.")} == {
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
    }


def test_nothing_stands_in_it_twice(manifest: dict[str, Any]) -> None:
    for told in (manifest["oauth_config"]["scopes"]["bot"], manifest["settings"]["event_subscriptions"]["bot_events"]):
        assert told == sorted(set(told))


def test_it_is_an_agent_that_can_be_written_to_and_stopped(manifest: dict[str, Any]) -> None:
    features = manifest["features"]

    assert "assistant_view" not in features
    assert 0 < len(features["agent_view"]["agent_description"]) <= 300
    assert features["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
    assert "agent_session_stopped" in manifest["settings"]["event_subscriptions"]["bot_events"]


def test_it_uses_socket_mode_and_interactivity_without_addresses(manifest: dict[str, Any]) -> None:
    settings = manifest["settings"]

    assert settings["socket_mode_enabled"]
    assert settings["interactivity"] == {"is_enabled": True}
    assert "request_url" not in settings["event_subscriptions"]


def test_its_shortcut_and_its_command_are_those_that_are_understood(manifest: dict[str, Any]) -> None:
    [shortcut] = manifest["features"]["shortcuts"]
    [command] = manifest["features"]["slash_commands"]

    assert (shortcut["type"], shortcut["callback_id"]) == ("message", ASK_SHORTCUT)
    assert len(shortcut["name"]) <= 24
    assert len(shortcut["description"]) <= 150
    assert (command["command"], command["should_escape"]) == ("/banter", False)
