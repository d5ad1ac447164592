"""Updates that are brought to the bot, as Telegram does it.

One after the other for each chat, chats side by side. What is not answered with 2xx is brought again: at once the first
time, then after twice as long each time; `Retry-After` is kept to. Nothing is given up.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.local_telegram.chats import Place
from bots.sandbox.local_telegram.updates import DEFAULT_KINDS, Update, Updates

_TIMEOUT_S = 60.0
_LONGEST_WAIT_S = 60.0
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name


@dataclass(frozen=True, slots=True)
class Address:
    """Where updates are brought."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    ip_address: str = ""


class Webhook:
    """One bot's."""

    def __init__(self, updates: Updates, first_wait_s: float, changed: Callable[[], None]) -> None:
        self.address = Address()
        #: (Unix seconds, what went wrong) of the newest failure.
        self._error: tuple[int, str] | None = None
        self._updates = updates
        self._first_wait_s = first_wait_s
        self._changed = changed
        self._tasks: dict[Place, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(self.address.max_connections)
        self._client: httpx2.AsyncClient | None = None
        updates.came = self.bring

    async def move(self, address: Address) -> None:
        """What is under way is given up, and brought to the new address."""
        await self._stop()
        self.address, self._error = address, None
        self._slots = asyncio.Semaphore(address.max_connections)
        if address.url and self._client is None:
            self._client = httpx2.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False)
        self.bring()

    def bring(self) -> None:
        """Sees to it that every chat's updates are on their way."""
        if not self.address.url:
            return
        for place in self._updates.places():
            if place not in self._tasks:
                self._tasks[place] = asyncio.create_task(self._bring_all(place))

    def to_json(self) -> JsonObject:
        """As getWebhookInfo tells it."""
        told: JsonObject = {
            "url": self.address.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates),
        }
        if self.address.url:
            told |= {"max_connections": self.address.max_connections}
        if self.address.ip_address:
            told["ip_address"] = self.address.ip_address
        if self._error is not None:
            told["last_error_date"], told["last_error_message"] = self._error
        if self._updates.allowed != DEFAULT_KINDS:
            told["allowed_updates"] = list(self._updates.allowed)
        return told

    async def aclose(self) -> None:
        self._updates.came = lambda: None
        await self._stop()
        if self._client is not None:
            await self._client.aclose()

    async def _bring_all(self, place: Place) -> None:
        fails, wait_s = 0, self._first_wait_s
        try:
            while (update := self._updates.first_of(place)) is not None:
                retry_after_s = await self._brought(update)
                if retry_after_s is None:
                    self._updates.confirm(update)
                    fails, wait_s = 0, self._first_wait_s
                    continue
                fails += 1
                if retry_after_s:
                    await asyncio.sleep(retry_after_s)
                elif fails > 1:
                    await asyncio.sleep(wait_s)
                    wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        finally:
            self._tasks.pop(place, None)

    async def _brought(self, update: Update) -> float | None:
        """None when the bot took it, else how long it asked to wait."""
        assert self._client is not None  # noqa: S101 - there is an address
        headers = {"Content-Type": "application/json"}
        if self.address.secret:
            headers[_SECRET_HEADER] = self.address.secret
        async with self._slots:
            try:
                answer = await self._client.post(self.address.url, content=as_json(update.to_json()), headers=headers)
            except httpx2.HTTPError:
                return self._failed("Connection refused")
        if answer.is_success:
            return None
        wait_s = answer.headers.get("Retry-After", "")
        self._failed(f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}")
        return float(wait_s) if wait_s.isdigit() else 0.0

    def _failed(self, told: str) -> float:
        self._error = int(time.time()), told
        self._changed()
        return 0.0

    async def _stop(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
