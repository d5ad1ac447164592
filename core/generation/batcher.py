"""One model's replies, all in the same forward: step() is admit → prefill and decode → sample → retire.

Too little memory halves the batch. What a forward fails at is found by trying its requests alone.
"""

import logging
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from core.dialogue import FinishReason
from core.errors import RequestFailed
from core.generation.failures import is_out_of_memory, raise_if_device_is_lost
from core.generation.kv_cache import SlotCache
from core.generation.messages import Answer, Failed, Submit, Tokens
from core.generation.network import Network
from core.generation.running_request import Request, TokenCounts
from core.generation.sampler import choose
from core.generation.scheduler import BatchLimits, Chunk, Scheduler
from core.generation.slots import SlotTable
from core.generation.writing import Choice, Writing

logger = logging.getLogger(__name__)

#: What each hypothesis of each request draws.
Choices = dict[Request, dict[Writing, Choice]]


class Batcher:
    """Runs the requests of one model. The engine's thread owns it."""

    def __init__(self, network: Network, cache: SlotCache, slots: int, limits: BatchLimits) -> None:
        self.network = network
        self.cache = cache
        self.scheduler = Scheduler(limits, SlotTable(slots, cache))

    @property
    def counts(self) -> TokenCounts:
        return self.scheduler.counts

    @property
    def busy(self) -> bool:
        return len(self.scheduler) > 0

    @property
    def can_run(self) -> bool:
        return self.scheduler.can_run

    @property
    def running(self) -> int:
        return self.scheduler.slots.active

    def submit(self, job: Submit) -> None:
        """Raises RequestFailed for one that could never run."""
        self.scheduler.submit(job)

    def end(self, request_id: str, reason: FinishReason) -> list[Answer]:
        """Ends a request in any state; none of that name: nothing."""
        request = self.scheduler.end(request_id)
        return [request.finished(reason)] if request else []

    def hold(self, request_id: str, *, held: bool) -> bool:
        """Nothing is drawn for a held request until its reader has caught up. False: none of that name."""
        request = self.scheduler.find(request_id)
        if request is not None:
            request.held = held
            if held:
                self.scheduler.preempt(request)
        return request is not None

    def uses(self, adapter: str) -> bool:
        """See `Runner`."""
        return self.scheduler.uses(adapter)

    def forget(self, adapter: str) -> None:
        """See `Runner`."""
        self.scheduler.slots.forget(adapter)

    def forget_sessions(self, sessions: Collection[str]) -> int:
        """See `Runner`."""
        return self.scheduler.forget(sessions)

    def withdraw(self) -> list[Submit]:
        """See `Runner`."""
        return self.scheduler.withdraw()

    def close(self) -> None:
        """Nothing is held that outlives it."""

    def step(self) -> list[Answer]:
        """admit → prefill a bounded piece of the prompts and decode one token of each reply → sample → retire"""
        chunks = self.scheduler.schedule()
        answers: list[Answer] = []
        with torch.inference_mode():
            for choices in self._forward(chunks, answers):
                self._take(choices, answers)
        return answers

    def _forward(self, chunks: Sequence[Chunk], answers: list[Answer]) -> list[Choices]:
        """What is drawn, from one forward, or from several where the requests had to be tried alone."""
        if not chunks:
            return []
        try:
            drawn = _draw(*self.network.read(chunks, self.cache))
            self._draw_unsound_again(drawn, chunks)
        except Exception as error:  # noqa: BLE001 - whatever a model's code raises; what is to blame is found by trying
            return self._after_failure(error, chunks, answers)
        for chunk in chunks:
            self.scheduler.read(chunk)
        self.counts.count_forward(chunk.request for chunk in chunks)
        self.scheduler.succeeded()
        return [drawn]

    def _draw_unsound_again(self, drawn: Choices, chunks: Sequence[Chunk]) -> None:
        """What is no number may be another's, left in the slot beyond these tokens: masked, but NaN × 0 is NaN."""
        for request in [request for request, choices in drawn.items() if not request.is_sound(choices)]:
            mine = [chunk for chunk in chunks if chunk.request is request]
            for chunk in mine:
                self.scheduler.slots.wipe(chunk.slot, chunk.start + len(chunk.token_ids))
            drawn.update(_draw(*self.network.read(mine, self.cache)))

    def _after_failure(self, error: Exception, chunks: Sequence[Chunk], answers: list[Answer]) -> list[Choices]:
        raise_if_device_is_lost(error)
        if is_out_of_memory(error):
            self._give_way(chunks, answers)
            return []
        requests = {chunk.request: [c for c in chunks if c.request is chunk.request] for chunk in chunks}
        if len(requests) > 1:
            logger.warning("a forward failed; its requests are tried alone", extra={"action": "try_alone"})
            # One of them may find that memory is short, and another has to wait.
            return [drawn for one, alone in requests.items() if one.runs for drawn in self._forward(alone, answers)]
        logger.error("a forward failed", exc_info=error, extra={"action": "request_failed"})
        self._fail(chunks[0].request, f"the model failed with {type(error).__name__}; see engine.log", answers)
        return []

    def _give_way(self, chunks: Sequence[Chunk], answers: list[Answer]) -> None:
        if self.network.device.type == "cuda":
            torch.cuda.empty_cache()
        logger.warning("memory is short; the batch is halved", extra={"action": "halve", "running": len(chunks)})
        if not self.scheduler.halve():
            for request in {chunk.request for chunk in chunks}:
                self._fail(request, "it needs more memory than the device has; lower context_window", answers)

    def _take(self, drawn: Choices, answers: list[Answer]) -> None:
        for request, choices in drawn.items():
            if not request.is_sound(choices):
                self._fail(request, f"{self.network.spec.name} computed no number; try dtype float32", answers)
                continue
            tokens = request.take(choices)
            if tokens:
                answers.append(Tokens(id=request.job.id, token_ids=tokens))
            if self.scheduler.retire(request):
                answers.append(request.finished(FinishReason.CANCELLED))
            self.counts.drawn += len(choices)

    def _fail(self, request: Request, reason: str, answers: list[Answer]) -> None:
        self.scheduler.end(request.job.id, broken=True)
        answers.append(Failed(id=request.job.id, error=RequestFailed.__name__, reason=reason))


def _draw(logits: Tensor, drawing: Sequence[Chunk]) -> Choices:
    if not drawing:
        return {}
    writings = [(chunk.request, writing) for chunk in drawing for writing in chunk.draws]
    choices = choose(_repeat(logits, drawing), [writing.row for _, writing in writings])
    drawn: Choices = {}
    for (request, writing), choice in zip(writings, choices, strict=True):
        drawn.setdefault(request, {})[writing] = choice
    return drawn


def _repeat(logits: Tensor, drawing: Sequence[Chunk]) -> Tensor:
    """A prompt that several hypotheses share gives each of them the same row."""
    if all(len(chunk.draws) == 1 for chunk in drawing):
        return logits
    return logits.repeat_interleave(torch.tensor([len(chunk.draws) for chunk in drawing], device=logits.device), dim=0)
