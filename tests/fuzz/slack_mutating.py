"""What Slack sends, spoilt: as frames of websockets and as requests over HTTP."""

import copy
import hmac
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from adapters.slack.home import HomeAction
from tests.fuzz.telegram_mutating import Json, Mutator
from tests.integration.slack.spoilt_slack import Frame
from tests.unit.slack import acted, happenings

SECRET = "the-signing-secret-of-the-fuzz"
APP, WORKSPACE = acted.APP, acted.WORKSPACE
#: Each is too much, too little or something else for somebody, and looks like Slack's.
_HOSTILE: tuple[Json, ...] = (
    "event_callback",
    "message_changed",
    "message_deleted",
    "bot_message",
    "im",
    "D0ANNA",
    "1795000000.000100",
    "9999999999.999999",
    "1e309",
    "<@U0BOT>",
    "<@U0BOT|" + "x" * 5000,
    "<" * 5000,
    "&lt;" * 3000,
    [{"id": "F0", "mode": {}}],
    [{"team_id": acted.TEAM, "enterprise_id": {}}],
    {"id": acted.TEAM},
    {"ts": "1795000000.000100"},
)
_SPOILT_WHOLE = 15
_RENEWED_EVERY = 120
#: So many of a hundred are no JSON any more.
_BROKEN = 3


class Forgery(StrEnum):
    NONE = "signed"
    SIGNATURE = "forged"
    LATE = "late"
    EARLY = "early"
    BODY = "changed"
    MISSING = "unsigned"


@dataclass(frozen=True, slots=True)
class Posted:
    body: bytes
    forgery: Forgery = Forgery.NONE

    def headers(self, now: float) -> list[tuple[bytes, bytes]]:
        if self.forgery is Forgery.MISSING:
            return []
        ahead_s = {Forgery.LATE: -301, Forgery.EARLY: 302}.get(self.forgery, 0)
        told = str(int(now + ahead_s)).encode()
        signed = self.body + b" " if self.forgery is Forgery.BODY else self.body
        secret = SECRET + "x" if self.forgery is Forgery.SIGNATURE else SECRET
        digest = hmac.new(secret.encode(), b"v0:" + told + b":" + signed, sha256).hexdigest()
        return [(b"X-Slack-Request-Timestamp", told), (b"X-Slack-Signature", f"v0={digest}".encode())]


class SlackMutator(Mutator):
    def __init__(self, values: Sequence[Json], chance: random.Random) -> None:
        super().__init__(recorded_bodies(), [*values, *_HOSTILE * 4], chance)

    def frame(self, number: int) -> Frame:
        """A body in a sound envelope, an envelope that is spoilt itself, or the end of the connection."""
        if number % _RENEWED_EVERY == 0:
            return Frame(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
        envelope = envelope_of(number, self.body())
        if self._chance.randrange(100) >= _SPOILT_WHOLE:
            return Frame(json.dumps(envelope), str(envelope["envelope_id"]))
        self._spoil(envelope)
        text = json.dumps(envelope)
        return Frame(self._broken_text(text) if self._is_broken() else text)

    def posted(self) -> Posted:
        body = self.body()
        text = json.dumps(body)
        if self._is_broken():
            text = self._broken_text(text)
        elif body.get("type") != "event_callback":
            told = {"payload": text} if "command" not in body else {name: str(value) for name, value in body.items()}
            text = urlencode(told, errors="surrogatepass")
        return Posted(text.encode("utf-8", "surrogatepass"))

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = copy.deepcopy(self._chance.choice(self._recorded))
        for _ in range(self._chance.randint(1, 4)):
            if body:
                self._spoil(body)
        return body

    def _is_broken(self) -> bool:
        return self._chance.randrange(100) < _BROKEN

    def _broken_text(self, text: str) -> str:
        match self._chance.randrange(4):
            case 0:
                return text[: self._chance.randrange(len(text))]
            case 1:
                return "[" * 100_000
            case 2:
                return "".join(chr(self._chance.randrange(32, 256)) for _ in range(200))
            case _:
                return f'{{"type": {"9" * 9000}}}'


def envelope_of(number: int, body: dict[str, Any]) -> dict[str, object]:
    kind = "events_api" if body.get("type") == "event_callback" else "interactive"
    return {
        "envelope_id": f"envelope-{number}",
        "type": kind,
        "payload": body,
        "accepts_response_payload": kind != "events_api",
        "retry_attempt": 0,
    }


def sound_body(text: str, number: int) -> dict[str, Any]:
    """Of a message that must not get lost."""
    return _moved(happenings.said_alone(text, f"1796{number:06d}.000100", channel="D0ANNA"))


def recorded_bodies() -> list[str]:
    """Events and interactions of one app in one workspace."""
    interactions = [
        acted.press("made-for-C0GENERAL:good"),
        acted.press("elsewhere:bad"),
        acted.command("ask why is grass green?"),
        acted.command("new"),
        acted.shortcut(),
        acted.opened("app_home_opened", tab="home"),
        acted.opened("assistant_thread_started"),
        acted.home_press(HomeAction.FORGET_ME),
        acted.home_press(HomeAction.FORGET, acted.key(thread=acted.ROOT)),
        acted.submission({"type": "modal", "callback_id": "ask", "private_metadata": ""}, {"q": acted.written("why?")}),
    ]
    return [json.dumps(body) for body in [*map(_moved, happenings.all_bodies()), *interactions]]


def _moved(body: dict[str, Any]) -> dict[str, Any]:
    """Into the app and workspace of the interactions."""
    text = json.dumps(body)
    for old, new in (
        (happenings.APP, APP),
        (happenings.TEAM, WORKSPACE.id),
        (happenings.BOT_USER, WORKSPACE.bot_user_id),
        (happenings.BOT, WORKSPACE.bot_id),
    ):
        text = text.replace(old, new)
    moved: dict[str, Any] = json.loads(text)
    return moved
