"""What Slack brings, by whichever way → the core, and then the ack.

It is acked when it was kept. What can't be kept now is not acked, and Slack brings it again: at once, after a minute,
after five. It is acked as well where nobody wants it, where nobody understands it (it is kept as a dead letter), and
where the app is not installed any more. What people do with buttons and windows is never brought again: whoever pressed
sees that it failed.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from adapters.handing_over import hand_over
from adapters.payloads import NotUnderstood
from adapters.slack.bolt_app import ACKED, NOT_NOW, Ack, BoltApp
from adapters.slack.happening import is_shared
from adapters.slack.inbound import to_inbound
from adapters.slack.kept import raw_of
from adapters.slack.people import People, people_in
from adapters.slack.responses import Responses
from adapters.slack.workspaces import Workspace, Workspaces
from core.dialogue import Edit, Feedback, Inbound, InboundMessage
from core.errors import PlatformAway, PlatformRefused, StorageError
from core.ports import Accept, Arrival

logger = logging.getLogger(__name__)

_EVENT = "event_callback"
#: Events after which somebody is shown something; they say nothing to the core.
_SHOWN_AFTER = frozenset({"app_home_opened", "assistant_thread_started"})
#: The app is not there any more.
_GONE = frozenset({"app_uninstalled", "tokens_revoked"})


class Native(Protocol):
    """Buttons, windows, slash commands, App Home."""

    def understand(self, body: Mapping[str, object], workspace: Workspace) -> list[Inbound]: ...

    def ack_of(self, body: Mapping[str, object]) -> Mapping[str, object] | None:
        """What the ack says; None where it says nothing."""
        ...

    async def respond(self, body: Mapping[str, object], workspace: Workspace) -> None:
        """What is shown after the ack."""
        ...


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    #: Slack waits for three seconds, and brings again what was kept later; it is known as a copy then.
    accept_s: float = 10.0


class Intake:
    """Of one app."""

    def __init__(
        self,
        app_id: str,
        workspaces: Workspaces,
        people: People,
        native: Native,
        limits: IntakeLimits = IntakeLimits(),
    ) -> None:
        self.app_id = app_id
        self._workspaces = workspaces
        self._people = people
        self._native = native
        self._limits = limits
        self._bolt = BoltApp(workspaces, self._keep)
        self._responses = Responses()
        #: None while nobody takes anything in.
        self._accept: Accept | None = None

    @contextmanager
    def accepting(self, accept: Accept) -> Iterator[None]:
        self._accept = accept
        try:
            yield
        finally:
            self._accept = None

    async def aclose(self) -> None:
        """What is being shown is shown; names are not waited for."""
        await self._responses.aclose()
        await self._people.aclose()

    async def take(self, body: dict[str, Any]) -> Ack:
        """Whatever is in it."""
        try:
            ack = await self._bolt.dispatch(body)
        except Exception as error:  # noqa: BLE001 - Bolt meets what it does not expect with any error
            return await self.bury(_raw_of_dead(body), type(error).__name__)
        if ack.status not in (ACKED, NOT_NOW):
            return await self.bury(_raw_of_dead(body), "Bolt makes nothing of it")
        if ack.status == ACKED and ack.workspace is not None and _shows_something(body) and self._responses.has_room:
            self._responses.begin(self._native.respond(body, ack.workspace))
        return ack

    async def bury(self, raw: str, reason: str) -> Ack:
        """What nobody can take apart would come again and be no better."""
        try:
            async with asyncio.timeout(self._limits.accept_s):
                await hand_over(self._accepting(), [_dead(raw, reason)])
        except (PlatformAway, StorageError, TimeoutError):
            return Ack(NOT_NOW, "", None)
        except Exception as error:  # noqa: BLE001 - what comes next must not wait for it
            logger.error("a dead letter was not taken: %s", type(error).__name__, extra={"action": "receive"})
            return Ack(NOT_NOW, "", None)
        return Ack(ACKED, "", None)

    async def _keep(self, body: Mapping[str, object], workspace: Workspace) -> Mapping[str, object] | None:
        """See `Keep`."""
        accept = self._accepting()
        if _is_the_end(body):
            with contextlib.suppress(PlatformRefused):  # it is gone already
                await self._workspaces.removed(workspace.id, _time_of(body))
            return None
        async with asyncio.timeout(self._limits.accept_s):
            arrivals = await self._understood(body, workspace)
            if arrivals:
                await hand_over(accept, arrivals)
        return None if body.get("type") == _EVENT else self._native.ack_of(body)

    def _accepting(self) -> Accept:
        if self._accept is None:
            raise PlatformAway("nobody takes anything in now")
        return self._accept

    async def _understood(self, body: Mapping[str, object], workspace: Workspace) -> list[Arrival]:
        try:
            raw = raw_of(body)
            return [Arrival(raw, one) for one in await self._inbound(body, workspace)]
        except NotUnderstood as error:
            reason = str(error)
        except (PlatformAway, StorageError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001 - what comes next must not wait for it
            reason = type(error).__name__  # its words may be a person's
        return [_dead(_raw_of_dead(body), reason)]

    async def _inbound(self, body: Mapping[str, object], workspace: Workspace) -> list[Inbound]:
        if body.get("api_app_id", self.app_id) != self.app_id:
            raise NotUnderstood("it is for another app")
        if body.get("type") != _EVENT:
            return await self._named(self._native.understand(body, workspace), workspace)
        # twice, since much of what happens in channels is for nobody here, or needs no names
        nameless = to_inbound(body, workspace, {})
        if not any(map(_names_somebody, nameless)):
            return nameless
        return to_inbound(body, workspace, await self._people.names(workspace, people_in(body)))

    async def _named(self, inbound: list[Inbound], workspace: Workspace) -> list[Inbound]:
        """What people do with buttons and windows tells their handles, and not the names that others know them by."""
        people = [one.person.platform_id for one in inbound if isinstance(one, InboundMessage | Feedback)]
        names = await self._people.names(workspace, people) if people else {}
        return [_by_name(one, names) for one in inbound]


def _names_somebody(inbound: Inbound) -> bool:
    if isinstance(inbound, InboundMessage):
        return not inbound.is_from_bot
    return isinstance(inbound, Edit | Feedback)


def _raw_of_dead(body: Mapping[str, object]) -> str:
    """What another company says is not kept where it is not known to be for the bot."""
    return raw_of({name: body.get(name) for name in ("event_id", "team_id")} if is_shared(body) else body)


def _by_name(inbound: Inbound, names: Mapping[str, str]) -> Inbound:
    if not isinstance(inbound, InboundMessage | Feedback) or inbound.person.platform_id not in names:
        return inbound
    return replace(inbound, person=replace(inbound.person, name=names[inbound.person.platform_id]))


def _dead(raw: str, reason: str) -> Arrival:
    return Arrival(raw, None, f"an event was not understood: {reason}")


def _event(body: Mapping[str, object]) -> Mapping[str, object]:
    event = body.get("event")
    return event if isinstance(event, Mapping) else {}


def _shows_something(body: Mapping[str, object]) -> bool:
    return body.get("type") != _EVENT or _event(body).get("type") in _SHOWN_AFTER


def _time_of(body: Mapping[str, object]) -> float:
    """When it happened, by Slack's clock; now where that is not told."""
    told = body.get("event_time")
    return float(told) if isinstance(told, int) and not isinstance(told, bool) and 0 < told < 1 << 40 else time.time()


def _is_the_end(body: Mapping[str, object]) -> bool:
    """People's own tokens are none of the app's."""
    event = _event(body)
    if body.get("type") != _EVENT or event.get("type") not in _GONE:
        return False
    tokens = event.get("tokens")
    return event["type"] == "app_uninstalled" or (isinstance(tokens, Mapping) and bool(tokens.get("bot")))
