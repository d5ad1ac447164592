"""Who runs, and how much of each prompt is prefilled next: waiting → running → finished.

It knows tokens and slots, and neither tensors nor people.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from core.errors import RequestFailed
from core.generation.messages import Submit
from core.generation.running_request import Request, TokenCounts
from core.generation.slots import Slot, SlotTable
from core.generation.writing import Writing, kept_session

#: After so many steps without a shortage of memory twice as many may run again.
RECOVERY_STEPS = 64
#: The smallest chunk that a shortage of memory leaves.
SMALLEST_CHUNK = 16


@dataclass(frozen=True, slots=True)
class BatchLimits:
    #: Hypotheses that are written at once.
    running: int = 32
    #: Tokens of prompts that one step prefills while replies are being written: it bounds how long those wait.
    prefill_tokens: int = 128
    #: The same while nothing else runs.
    prefill_tokens_alone: int = 512


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens that the next forward reads for one slot."""

    request: Request
    slot: Slot
    token_ids: Sequence[int]
    #: Position of the first of them.
    start: int
    #: Those that draw from the logits of its last token; empty while a prompt is not wholly read.
    draws: Sequence[Writing]
    #: The adapter that reads them; "" is none.
    adapter: str = ""


class Scheduler:
    """Waiting and running requests of one model."""

    def __init__(self, limits: BatchLimits, slots: SlotTable) -> None:
        self.slots = slots
        self.counts = TokenCounts()
        self._limits = limits
        self._most_running = min(limits.running, len(slots))
        self._running_limit = self._most_running
        self._chunk_limit = limits.prefill_tokens_alone
        self._good_steps = 0
        self._numbers = count()
        self._requests: dict[str, Request] = {}

    def __len__(self) -> int:
        return len(self._requests)

    def withdraw(self) -> list[Submit]:
        """What does not run leaves, as jobs that go on from what they have."""
        waiting = [request for request in self._requests.values() if not request.runs]
        for request in waiting:
            del self._requests[request.job.id]
        return [request.remainder() for request in waiting]

    @property
    def running(self) -> list[Request]:
        return [request for request in self._requests.values() if request.runs]

    @property
    def can_run(self) -> bool:
        """A step would do something."""
        return any(request.runs or not request.held for request in self._requests.values())

    def submit(self, job: Submit) -> None:
        """Raises RequestFailed for one that could never run."""
        if job.sampling.candidates > self._most_running:
            raise RequestFailed(
                f"{job.sampling.candidates} candidates at once, but {self._most_running} replies fit the engine; "
                "ask for fewer"
            )
        self._requests[job.id] = Request(
            job, next(self._numbers), [Writing.of(job, n) for n in range(job.sampling.candidates)]
        )

    def find(self, request_id: str) -> Request | None:
        return self._requests.get(request_id)

    def uses(self, adapter: str) -> bool:
        return any(request.job.model.adapter == adapter for request in self._requests.values())

    def forget(self, sessions: Collection[str]) -> int:
        """See `Forget`: also what runs or waits leaves nothing. How many slots held something."""
        for request in self._requests.values():
            job = request.job.forgotten(sessions)
            if job is not request.job:
                request.job = job
                for writing in request.writings:
                    if not writing.keep_as.startswith("\0"):
                        writing.keep_as = ""
        return self.slots.forget_sessions(sessions)

    def schedule(self) -> list[Chunk]:
        """What the next forward reads."""
        self._admit()
        chunks = list(self._next_chunks())
        decodes = [chunk for chunk in chunks if len(chunk.token_ids) == 1]
        return decodes + self._within_budget(chunks, beside=bool(decodes))

    def read(self, chunk: Chunk) -> None:
        """The forward of this chunk is done: its slot holds it, and so do those that share it."""
        request = chunk.request
        prefilled = len(chunk.token_ids) - bool(chunk.draws and request.forked)
        request.prefilled_tokens += prefilled
        self.counts.prefilled += prefilled
        self.slots.extend(chunk.slot, chunk.token_ids, request.job.persona_tokens, chunk.adapter)
        for heir in (writing.slot for writing in chunk.draws[1:] if writing.slot):
            self.slots.fork(chunk.slot, heir)
        request.forked = request.forked or bool(chunk.draws)

    def retire(self, request: Request) -> bool:
        """Gives back the slots of what is written; True when nothing of the request is left to write."""
        for writing in request.writings:
            if writing.finish_reason is not None:
                self._release(writing, writing.keep_as)
        if request.unfinished:
            return False
        del self._requests[request.job.id]
        return True

    def end(self, request_id: str, *, broken: bool = False) -> Request | None:
        """Takes a request out in whatever state it is; None when there is none of that name.

        Of a broken one nothing is kept, not even unseen.
        """
        request = self._requests.pop(request_id, None)
        if request is not None:
            for writing in request.writings:
                if broken and writing.slot is not None:
                    self.slots.condemn(writing.slot, request.job.model.adapter)
                if writing.slot is None and writing.keep_as.startswith("\0"):
                    self.slots.hand_on(writing.keep_as, self._kept_later(request, writing))
                self._release(writing, "" if broken else writing.keep_as)
        return request

    def _kept_later(self, request: Request, writing: Writing) -> str:
        """What a preempted hypothesis' slot is kept as when it does not go on."""
        return kept_session(request.job) if writing is request.writings[0] else ""

    def preempt(self, request: Request) -> None:
        """Back to waiting; what was read stays in its slots while nobody needs them."""
        for number, writing in enumerate(request.writings):
            if writing.slot is not None:
                kept = f"\0{request.job.id}/{number}" if request.forked or number == 0 else ""
                self._release(writing, kept)

    def halve(self) -> bool:
        """Memory is short: half of what runs waits, or prompts are read in smaller pieces. False: nothing helps."""
        self._good_steps = 0
        running = sorted(self.running, key=lambda request: request.order)
        if len(running) > 1:
            self._running_limit = max(1, sum(len(request.unfinished) for request in running) // 2)
            for request in running[(len(running) + 1) // 2 :]:
                self.preempt(request)
            return True
        reading = max((writing.pending for request in running for writing in request.unfinished), default=0)
        if min(reading, self._chunk_limit) <= SMALLEST_CHUNK:
            return False
        self._chunk_limit = max(min(reading, self._chunk_limit) // 2, SMALLEST_CHUNK)
        return True

    def succeeded(self) -> None:
        """A step went well; after many of them there is room again."""
        self._good_steps += 1
        if self._good_steps >= RECOVERY_STEPS:
            self._good_steps = 0
            self._running_limit = min(self._running_limit * 2, self._most_running)
            self._chunk_limit = min(self._chunk_limit * 2, self._limits.prefill_tokens_alone)

    def _admit(self) -> None:
        waiting = sorted((r for r in self._requests.values() if not r.runs and not r.held), key=lambda r: r.order)
        for request in waiting:
            if not self._make_room(request):
                break
            self._start(request)

    def _make_room(self, request: Request) -> bool:
        """Those of lower priority wait again where that makes room."""
        wanted, active = len(request.unfinished), self.slots.active
        leaving: list[Request] = []
        less_urgent = [running for running in self.running if running.job.priority < request.job.priority]
        for lowest in sorted(less_urgent, key=lambda running: running.order, reverse=True):
            if self._fits(wanted, active):
                break
            leaving.append(lowest)
            active -= len(lowest.unfinished)
        if not self._fits(wanted, active):
            return False
        for lowest in leaving:
            self.preempt(lowest)
        return True

    def _fits(self, wanted: int, active: int) -> bool:
        return active + wanted <= len(self.slots) and (active == 0 or active + wanted <= self._running_limit)

    def _start(self, request: Request) -> None:
        request.start()
        for writing in request.unfinished:
            persona, adapter = request.job.persona_tokens, request.job.model.adapter
            shares = writing is not request.unfinished[0] and not request.forked
            # What shares another's prefill takes a slot and nothing that is in it.
            name = "" if shares else writing.keep_as
            known = writing.token_ids[:1] if shares else writing.token_ids
            writing.slot = self.slots.acquire(name, known, persona, adapter)
            self.counts.reused += len(writing.slot.token_ids)
            if writing.keep_as.startswith("\0"):
                writing.keep_as = self._kept_later(request, writing)

    def _release(self, writing: Writing, kept: str) -> None:
        if writing.slot is not None:
            self.slots.release(writing.slot, kept)
            writing.slot = None
            if kept.startswith("\0"):
                writing.keep_as = kept

    def _next_chunks(self) -> Iterator[Chunk]:
        for request in sorted(self.running, key=lambda request: request.order):
            unfinished = request.unfinished
            for writing in unfinished if request.forked else unfinished[:1]:
                if writing.slot is not None:
                    start = len(writing.slot.token_ids)
                    draws = [writing] if request.forked else unfinished
                    adapter = request.job.model.adapter
                    yield Chunk(request, writing.slot, writing.token_ids[start:], start, draws, adapter)

    def _within_budget(self, chunks: Sequence[Chunk], *, beside: bool) -> list[Chunk]:
        """The prompts' next pieces, who came first first; `beside` others that are being written."""
        budget = min(self._limits.prefill_tokens if beside else self._limits.prefill_tokens_alone, self._chunk_limit)
        pieces = []
        for chunk in chunks:
            if len(chunk.token_ids) == 1:
                continue
            if budget <= 0:
                break
            whole = len(chunk.token_ids) <= budget
            piece = chunk.token_ids[:budget]
            pieces.append(replace(chunk, token_ids=piece, draws=chunk.draws if whole else ()))
            budget -= len(piece)
        return pieces
