"""Replies of a model that the slots can't hold: transformers' own `generate()`, one token at a time.

Each request's `generate()` runs in a thread of its own that waits after every token until the engine lets it go on; so
only one of them computes at any time, and each can be ended, held and streamed as in a batch.
"""

import logging
import queue
import threading
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from core.dialogue import FinishReason
from core.errors import RequestFailed
from core.generation.failures import is_out_of_memory, raise_if_device_is_lost
from core.generation.messages import Answer, Failed, Submit, Tokens
from core.generation.network import Network
from core.generation.running_request import Request, TokenCounts
from core.generation.sampler import choose
from core.generation.writing import Choice, Writing

logger = logging.getLogger(__name__)

#: Requests whose `generate()` is under way; each has keys and values of its own.
_RUNNING = 4


class SteppedGenerate:
    """Runs the requests of one model; see `Runner`."""

    def __init__(self, network: Network) -> None:
        self._network = network
        # Of the model's own settings none but this: its stop token would end a reply that goes on.
        start = network.module.generation_config.decoder_start_token_id
        network.module.generation_config = GenerationConfig(decoder_start_token_id=start)
        self._requests: dict[str, Request] = {}
        self._generations: dict[str, Generation] = {}
        self._submitted = 0
        #: Lower once the memory did not hold so many.
        self._most_running = _RUNNING
        self.counts = TokenCounts()

    @property
    def busy(self) -> bool:
        return bool(self._requests)

    @property
    def can_run(self) -> bool:
        return any(not request.held for request in self._requests.values())

    @property
    def running(self) -> int:
        return len(self._generations)

    def submit(self, job: Submit) -> None:
        self._submitted += 1
        writings = [Writing.of(job, candidate) for candidate in range(job.sampling.candidates)]
        self._requests[job.id] = Request(job, self._submitted, writings)

    def end(self, request_id: str, reason: FinishReason) -> list[Answer]:
        request = self._requests.pop(request_id, None)
        if request is None:
            return []
        self._stop(request_id)
        return [request.finished(reason)]

    def hold(self, request_id: str, *, held: bool) -> bool:
        if request_id in self._requests:
            self._requests[request_id].held = held
        return request_id in self._requests

    def uses(self, adapter: str) -> bool:
        return any(request.job.model.adapter == adapter for request in self._requests.values())

    def forget(self, adapter: str) -> None:
        """Nothing is kept from one request to the next."""

    def forget_sessions(self, sessions: Collection[str]) -> int:  # noqa: ARG002 - as `Runner` has it
        """Nothing is kept from one request to the next."""
        return 0

    def withdraw(self) -> list[Submit]:
        """See `Runner`."""
        resting = [name for name in self._requests if name not in self._generations or self._may_stop(name)]
        for name in resting:
            self._stop(name)
        return [self._requests.pop(name).remainder() for name in resting]

    def close(self) -> None:
        for request_id in list(self._generations):
            self._stop(request_id)

    def step(self) -> list[Answer]:
        """The next token of each; at most one of them reads its prompt."""
        self._begin_next()
        running = [self._requests[name] for name in list(self._generations)]
        return [answer for request in running if not request.held for answer in self._advance(request)]

    def _begin_next(self) -> None:
        waiting = [one for name, one in self._requests.items() if name not in self._generations and not one.held]
        if not waiting or not self._make_room():
            return
        request = min(waiting, key=lambda one: one.order)
        request.start()
        prefilled = len(request.writings[0].token_ids)
        request.prefilled_tokens += prefilled
        self.counts.prefilled += prefilled
        self._generations[request.job.id] = Generation(self._network, request)

    def _make_room(self) -> bool:
        """One whose reader is far behind goes on later, from its tokens."""
        held = next(filter(self._may_stop, self._generations), None)
        if len(self._generations) >= self._most_running and held is not None:
            self._stop(held)
        return len(self._generations) < self._most_running

    def _may_stop(self, request_id: str) -> bool:
        return self._requests[request_id].held and self._can_go_on_later(request_id)

    def _can_go_on_later(self, request_id: str) -> bool:
        """From its tokens; several hypotheses could not, each being of another length."""
        return len(self._requests[request_id].writings) == 1

    def _advance(self, request: Request) -> list[Answer]:
        try:
            choices = self._generations[request.job.id].advance()
        except Exception as error:  # whatever a model's code raises fails this request alone
            raise_if_device_is_lost(error)
            if is_out_of_memory(error) and len(self._generations) > 1 and self._can_go_on_later(request.job.id):
                self._most_running = len(self._generations) - 1
                self._stop(request.job.id)
                return []
            logger.error("generate() failed", exc_info=error, extra={"action": "request_failed"})
            reason = f"the model failed with {type(error).__name__}; see engine.log"
            return [self._failed(request, reason)]
        if not request.is_sound(choices):
            return [self._failed(request, f"{self._network.spec.name} computed no number; try dtype float32")]
        tokens = request.take(choices)
        self.counts.drawn += len(choices)
        self.counts.count_forward([request])
        answers: list[Answer] = [Tokens(id=request.job.id, token_ids=tokens)] if tokens else []
        if not request.unfinished:
            answers.extend(self.end(request.job.id, FinishReason.CANCELLED))
        return answers

    def _failed(self, request: Request, reason: str) -> Answer:
        self.end(request.job.id, FinishReason.CANCELLED)
        return Failed(id=request.job.id, error=RequestFailed.__name__, reason=reason)

    def _stop(self, request_id: str) -> None:
        generation = self._generations.pop(request_id, None)
        if generation is not None:
            generation.stop()


class Generation:
    """One `generate()` in its thread."""

    def __init__(self, network: Network, request: Request) -> None:
        self._network = network
        self._writings = request.writings
        self._job = request.job
        self._may_go_on: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._drawn: queue.SimpleQueue[dict[Writing, Choice] | Exception] = queue.SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="generate", daemon=True)
        self._thread.start()

    def advance(self) -> dict[Writing, Choice]:
        """The next token of each hypothesis that is not finished. Raises what the model's code raised."""
        self._network.let_read(self._job.model.adapter)
        self._may_go_on.put(True)
        drawn = self._drawn.get()
        if isinstance(drawn, Exception):
            raise drawn
        return drawn

    def stop(self) -> None:
        self._may_go_on.put(False)
        self._thread.join()

    def draw(self, scores: Tensor) -> Tensor:
        """[hypothesis, vocabulary] → the same with the drawn token alone; waits until the engine wants the next one."""
        choices = choose(scores, [writing.row for writing in self._writings])
        unfinished = {w: c for w, c in zip(self._writings, choices, strict=True) if w.finish_reason is None}
        self._drawn.put(unfinished)
        self._stopped = not self._may_go_on.get()
        drawn = torch.tensor([[choice.token_id] for choice in choices], device=scores.device)
        return torch.full_like(scores, float("-inf")).scatter(1, drawn, 0.0)

    def is_at_end(self) -> bool:
        return self._stopped or all(writing.finish_reason for writing in self._writings)

    def _run(self) -> None:
        if not self._may_go_on.get():
            return
        try:
            with torch.inference_mode():
                self._network.module.generate(
                    **self._inputs(),
                    generation_config=GenerationConfig(
                        max_new_tokens=self._job.sampling.max_new_tokens + 1, do_sample=False, pad_token_id=0
                    ),
                    logits_processor=LogitsProcessorList([_Draws(self)]),
                    stopping_criteria=StoppingCriteriaList([_Ends(self)]),
                )
        except Exception as error:  # noqa: BLE001 - whatever a model's code raises; the engine's thread hears it
            self._drawn.put(error)
        else:
            self._drawn.put(RuntimeError("generate() ended before its time"))  # unheard where it was stopped

    def _inputs(self) -> dict[str, Tensor]:
        config, rows = self._network.module.config, len(self._writings)
        prompt = list(self._job.prompt_ids)
        prefix = self._writings[0].token_ids[len(prompt) :]
        if not config.is_encoder_decoder:
            return self._whole_rows([*prompt, *prefix], rows)
        start = self._network.module.generation_config.decoder_start_token_id
        return {**self._whole_rows(prompt, rows), "decoder_input_ids": self._rows([start, *prefix], rows)}

    def _whole_rows(self, ids: Sequence[int], rows: int) -> dict[str, Tensor]:
        """None of the tokens is padding, whatever the model's configuration takes for it."""
        input_ids = self._rows(ids, rows)
        return {"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids)}

    def _rows(self, ids: Sequence[int], rows: int) -> Tensor:
        return torch.tensor([ids] * rows, device=self._network.device)


class _Draws(LogitsProcessor):
    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002 - theirs
        return self._generation.draw(scores)


class _Ends(StoppingCriteria):
    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    def __call__(self, input_ids: Tensor, scores: Tensor, **_options: Any) -> Tensor:  # noqa: ARG002 - theirs
        return torch.full((input_ids.shape[0],), self._generation.is_at_end(), device=input_ids.device)
