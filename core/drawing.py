"""Draws a reply, and draws again what a small model got wrong.

It stands between the responder and the backend, and knows text and requests alone.
"""

import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from core.dialogue import FinishReason
from core.errors import DeadlineExceeded, RequestFailed
from core.generation.request import Backend, Completion, GenerationRequest, Piece, Waiting
from core.guards import GuardLimits, ReplyGuard

logger = logging.getLogger(__name__)

#: At a low temperature another seed changes little, so every redraw is bolder as well.
_REDRAW_TEMPERATURE = 0.7
_REDRAW_STEP = 0.2
#: Somebody ended it: whatever was written stands.
_INTERRUPTED = (FinishReason.CANCELLED, FinishReason.DEADLINE)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The reply as a person saw it; the last event."""

    text: str
    finish_reason: FinishReason
    completion: Completion


DrawEvent = Waiting | Piece | Drawn


async def draw(
    backend: Backend, request: GenerationRequest, earlier: Sequence[str], limits: GuardLimits, shown: str = ""
) -> AsyncGenerator[DrawEvent, None]:
    """Streams a reply that is neither blank nor one of `earlier`, as far as `limits.redraws` draws allow.

    A reply of which `shown` was seen already goes on after the request's prefix, whatever comes.

    Raises RequestFailed when every draw was blank, DeadlineExceeded when the time was over before the first word, and
    what `Backend.submit` raises.
    """
    deadline = time.monotonic() + request.timeout_s
    for attempt in range(limits.redraws + 1):
        last = attempt == limits.redraws
        guard = ReplyGuard(() if last else earlier, limits.loop_repeats, shown)
        asked = _bolder(request, attempt, deadline) if attempt else request
        async with contextlib.aclosing(_draw_once(backend, asked, guard)) as events:
            async for event in events:
                if not isinstance(event, Drawn):
                    yield event
                elif event.finish_reason is FinishReason.DEADLINE and not event.text:
                    raise DeadlineExceeded(f"no word came within {request.timeout_s:g} s; ask again")
                elif guard.flaw is None or event.finish_reason in _INTERRUPTED:
                    yield event
                    return
        logger.info("drawn again", extra={"action": "redraw", "flaw": guard.flaw, "attempt": attempt + 1})
    raise RequestFailed(f"the model drew a blank {limits.redraws + 1} times; say it in other words")


async def _draw_once(
    backend: Backend, request: GenerationRequest, guard: ReplyGuard
) -> AsyncGenerator[DrawEvent, None]:
    looped = False
    held_ids: tuple[int, ...] = ()
    async with contextlib.aclosing(backend.submit(request)) as events:
        async for event in events:
            if isinstance(event, Waiting):
                yield event
            elif isinstance(event, Piece):
                shown, held_ids = guard.push(event.text), held_ids + event.token_ids
                if shown:
                    yield Piece(shown, held_ids)
                    held_ids = ()
                if guard.loops and not looped:
                    looped = True
                    logger.info("a loop was cut", extra={"action": "cut_loop", "chars": len(guard.text)})
                    await backend.cancel(request.id)
            else:
                rest = guard.finish()
                if rest:
                    yield Piece(rest, held_ids)
                reason = FinishReason.LOOP if looped else event.best.finish_reason
                yield Drawn(guard.shown.rstrip(), reason, event)


def _bolder(request: GenerationRequest, attempt: int, deadline: float) -> GenerationRequest:
    """Another draw, in what is left of the time."""
    sampling = request.sampling
    seed = None if sampling.seed is None else sampling.seed + attempt
    temperature = max(sampling.temperature, _REDRAW_TEMPERATURE) + _REDRAW_STEP * (attempt - 1)
    bolder = replace(sampling, seed=seed, temperature=temperature)
    return replace(request, sampling=bolder, timeout_s=max(deadline - time.monotonic(), 0.0))
