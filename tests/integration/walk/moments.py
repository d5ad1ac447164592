"""A step of the walk that is held where a test wants to see what comes in meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest


@dataclass
class Moment:
    """A step of the walk stops there once, before it is done or after."""

    monkeypatch: pytest.MonkeyPatch
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    going: asyncio.Event = field(default_factory=asyncio.Event)

    def before(self, owner: type[object], name: str) -> None:
        self._stop_at(owner, name, lambda step: self._paused(None, step))

    def after(self, owner: type[object], name: str) -> None:
        self._stop_at(owner, name, lambda step: self._paused(step, None))

    def _stop_at(
        self, owner: type[object], name: str, around: Callable[[Awaitable[object]], Awaitable[object]]
    ) -> None:
        step: Callable[..., Awaitable[object]] = getattr(owner, name)

        async def stopped(*words: object) -> object:
            return await around(step(*words))

        self.monkeypatch.setattr(owner, name, stopped)

    async def _paused(self, first: Awaitable[object] | None, then: Awaitable[object] | None) -> object:
        result = None if first is None else await first
        if not self.reached.is_set():
            self.reached.set()
            await self.going.wait()
        return result if then is None else await then
