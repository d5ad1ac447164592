"""HTTP delivery: events, interactions and commands are posted to the app's request URLs, signed with its secret."""

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp

from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.local_slack.bringing import Answer, Kind, Parcel
from bots.sandbox.local_slack.ids import secret_text
from bots.sandbox.local_slack.world import World

_FORM = "application/x-www-form-urlencoded"
_REASONS = {"timeout": "http_timeout", "http_error": "http_error", "connection_failed": "connection_failed"}
#: Slack follows so many.
_REDIRECTS = 2
_OK = range(200, 300)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """As `X-Slack-Signature` has it."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


@dataclass(slots=True)
class RequestUrls:
    """One app's."""

    world: World
    events: str = ""
    #: "": the same as for events.
    interactions: str = ""
    commands: str = ""
    #: How far the timestamps of requests are from this machine's clock.
    skew_s: float = 0.0
    _session: aiohttp.ClientSession | None = field(default=None, repr=False)

    async def verify(self, url: str) -> bool:
        """The challenge that a URL has to answer before it is used."""
        challenge = secret_text()
        body: JsonObject = {"token": "local-verification-token", "challenge": challenge, "type": "url_verification"}
        answer = await self._posted(url, as_json(body), "application/json", {})
        told = answer.response or {}
        return answer.is_ack and challenge in {told.get("challenge"), told.get("text")}

    async def bring(self, parcel: Parcel) -> Answer:
        headers = {}
        if parcel.retry:
            headers["X-Slack-Retry-Num"] = str(parcel.retry)
            headers["X-Slack-Retry-Reason"] = _REASONS.get(parcel.reason, "unknown_error")
        if parcel.kind is Kind.EVENT:
            return await self._posted(self.events, as_json(parcel.payload), "application/json", headers)
        if parcel.kind is Kind.COMMAND:
            fields = {name: str(value) for name, value in parcel.payload.items()}
            return await self._posted(self.commands or self.events, urlencode(fields).encode(), _FORM, headers)
        body = urlencode({"payload": json.dumps(parcel.payload)}).encode()
        return await self._posted(self.interactions or self.events, body, _FORM, headers)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _posted(self, url: str, body: bytes, content_type: str, headers: dict[str, str]) -> Answer:
        timestamp = str(int(time.time() + self.skew_s))
        signed = {
            **headers,
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.world.options.app.signing_secret, timestamp, body),
        }
        posting = asyncio.ensure_future(self._answer(url, body, signed))
        waiting = asyncio.ensure_future(
            self.world.clock.until(self.world.clock.now() + self.world.options.limits.ack_s)
        )
        try:
            await asyncio.wait({posting, waiting}, return_when=asyncio.FIRST_COMPLETED)
            return posting.result() if posting.done() else Answer(is_ack=False, reason="timeout", over=url)
        finally:
            waiting.cancel()
            posting.cancel()
            await asyncio.gather(posting, waiting, return_exceptions=True)

    async def _answer(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        try:
            async with self._session.post(url, data=body, headers=headers, max_redirects=_REDIRECTS) as said:
                text = await said.text()
                is_final = said.headers.get("X-Slack-No-Retry") == "1"
                if said.status not in _OK:
                    return Answer(is_ack=False, reason="http_error", status=said.status, is_final=is_final, over=url)
                return Answer(is_ack=True, status=said.status, response=_understood(text), over=url)
        except (aiohttp.ClientError, OSError):
            return Answer(is_ack=False, reason="connection_failed", over=url)


def _understood(text: str) -> JsonObject | None:
    if not text:
        return None
    try:
        said = json.loads(text)
    except ValueError:
        return {"text": text}
    return said if isinstance(said, dict) else None
