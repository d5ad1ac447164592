"""Slack's own places: what people do there is understood before the ack, and what they are shown comes after it.

A `trigger_id` opens a modal for three seconds, so what that needs is asked for quickly, or not at all. Whatever goes
wrong here costs a view that somebody can open again; no message depends on it.
"""

import asyncio
from datetime import UTC, datetime

from adapters.payloads import Payload, found_in, list_in, text_in
from adapters.slack.api import Clients
from adapters.slack.block_kit import Block
from adapters.slack.home import Home, HomeAction, HomeBook, Visitor, home_view
from adapters.slack.interactions import Known, to_inbound
from adapters.slack.labels import NativeLabels
from adapters.slack.modals import ModalKind, ask_modal, errors_of_question, settings_modal
from adapters.slack.places import Installation, key_in
from adapters.slack.refusals import NOT_THERE, Refused
from adapters.slack.texts import plain
from adapters.slack.told import first_ts_in
from adapters.slack.workspaces import Workspace
from adapters.told import word_in
from core.dialogue import Inbound, Person, Platform, SessionKey
from core.errors import PlatformError

#: The message shortcut's `callback_id`, as the manifest names it.
ASK_SHORTCUT = "ask_about_this"
#: Less than a `trigger_id` lives.
_MODAL_S = 2.5
#: Whether the bot is in a channel; where that is not told in time, it is taken for there.
_LOOK_S = 1.0
_VIEW_S = 10.0
_MOST_SUGGESTIONS = 4


class Native:
    """Of one account."""

    def __init__(self, known: Known, clients: Clients, book: HomeBook, labels: NativeLabels) -> None:
        self._known = known
        self._clients = clients
        self._book = book
        self._labels = labels

    def understand(self, body: Payload, workspace: Workspace) -> list[Inbound]:
        """What an interaction says to the core. Raises NotUnderstood."""
        return to_inbound(body, workspace, self._known, datetime.now(UTC))

    def ack_of(self, body: Payload) -> dict[str, object] | None:
        """What the ack says; None where it says nothing."""
        view = found_in(body, "view")
        if found_in(body, "type") != "view_submission" or not isinstance(view, dict):
            return None
        is_question = text_in(view, "callback_id") == ModalKind.ASK.value
        return errors_of_question(view, self._labels.modals) if is_question else None

    async def respond(self, body: Payload, workspace: Workspace) -> None:
        """What is shown after the ack. Raises PlatformError, StorageError, TimeoutError and NotUnderstood."""
        async with asyncio.timeout(_MODAL_S if "trigger_id" in body else _VIEW_S):
            await self._respond(body, Installation(self._known.app_id, workspace))

    async def _respond(self, body: Payload, install: Installation) -> None:
        workspace = install.workspace
        event = found_in(body, "event")
        match text_in(event, "type") or text_in(body, "type"):
            case "app_home_opened" if text_in(event, "tab") == "home":
                await self._show_home(_visitor_of(event, workspace), workspace)
            case "app_home_opened" if text_in(event, "tab") == "messages":
                await self._suggest(workspace, word_in(event, "channel"))
            case "assistant_thread_started":
                thread = found_in(event, "assistant_thread")
                await self._suggest(workspace, word_in(thread, "channel_id"), word_in(thread, "thread_ts"))
            case "message_action" if text_in(body, "callback_id") == ASK_SHORTCUT:
                await self._ask_about(body, install)
            case "block_actions" if text_in(body, "view", "type") == "home":
                for action in list_in(body, "actions"):
                    await self._go_on_at_home(body, action, install)

    async def _show_home(self, visitor: Visitor, workspace: Workspace) -> None:
        home = await self._book.of(Person(Platform.SLACK, visitor.workspace, visitor.person, ""))
        await self._publish(home, visitor, workspace)

    async def _publish(self, home: Home, visitor: Visitor, workspace: Workspace, notice: str = "") -> None:
        view = home_view(home, visitor, self._known.seals, self._labels.home, notice)
        await self._clients.call(workspace.token, "views.publish", {"user_id": visitor.person, "view": view})

    async def _suggest(self, workspace: Workspace, channel: str, thread: str = "") -> None:
        """Slack takes no thread from an agent, and wants one from an assistant of the older kind."""
        shown = self._labels.suggestions[:_MOST_SUGGESTIONS]
        if not shown:
            return
        prompts = [{"title": one.title, "message": one.message} for one in shown]
        told = {"channel_id": channel, "title": self._labels.suggestions_title, "prompts": prompts}
        where = {"thread_ts": thread} if thread else {}
        await self._clients.call(workspace.token, "assistant.threads.setSuggestedPrompts", told | where)

    async def _ask_about(self, body: Payload, install: Installation) -> None:
        channel, user = word_in(body, "channel", "id"), word_in(body, "user", "id")
        thread = first_ts_in(body, ("message", "thread_ts"), ("message", "ts"))
        is_there = await self._is_there(install.workspace, channel, thread)
        key = install.key(channel, thread) if is_there else install.key(channel, person=user)
        quotes = plain(text_in(body, "message", "text"), {})
        await self._open(body, install.workspace, ask_modal(key, quotes, user, self._known.seals, self._labels.modals))

    async def _go_on_at_home(self, body: Payload, action: object, install: Installation) -> None:
        name, user = text_in(action, "action_id"), word_in(body, "user", "id")
        if name not in list(HomeAction):
            return
        pressed = HomeAction(name)
        visitor = Visitor(install.workspace.id, user, "")
        facts = self._known.seals.opened(visitor.purpose(pressed), text_in(action, "value"))
        if facts is None:
            return
        visitor = Visitor(install.workspace.id, user, word_in(facts, "direct_messages"))
        home = await self._book.of(Person(Platform.SLACK, visitor.workspace, user, ""))
        match pressed:
            case HomeAction.SETTINGS:
                await self._open_settings(body, key_in(facts, install), home, visitor, install.workspace)
            case HomeAction.FORGET:
                left = home.without(key_in(facts, install))
                await self._publish(left, visitor, install.workspace, self._labels.home.forgetting)
            case HomeAction.FORGET_ME:
                await self._publish(Home(), visitor, install.workspace, self._labels.home.forgetting)

    async def _open_settings(
        self, body: Payload, key: SessionKey, home: Home, visitor: Visitor, workspace: Workspace
    ) -> None:
        """A dialogue that is gone by now is no longer shown."""
        dialogue = home.dialogue(key)
        if dialogue is None:
            await self._publish(home, visitor, workspace)
            return
        view = settings_modal(dialogue, home, visitor.person, self._known.seals, self._labels.modals)
        await self._open(body, workspace, view)

    async def _open(self, body: Payload, workspace: Workspace, view: Block) -> None:
        await self._clients.call(
            workspace.token, "views.open", {"trigger_id": word_in(body, "trigger_id"), "view": view}
        )

    async def _is_there(self, workspace: Workspace, channel: str, thread: str) -> bool:
        """Whether the bot can answer where the message stands."""
        try:
            async with asyncio.timeout(_LOOK_S):
                told = {"channel": channel, "ts": thread, "limit": 1}
                await self._clients.ask(workspace.token, "conversations.replies", told)
        except Refused as refusal:
            return refusal.code not in NOT_THERE
        except (PlatformError, TimeoutError):
            return True
        return True


def _visitor_of(event: object, workspace: Workspace) -> Visitor:
    return Visitor(workspace.id, word_in(event, "user"), word_in(event, "channel"))
