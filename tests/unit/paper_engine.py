"""A scheduler over slots of token ids, with a "model" whose next token depends on all that its slot holds."""

from collections.abc import Sequence

from core.dialogue import FinishReason
from core.generation.messages import Finished, Submit
from core.generation.request import ModelSpec, SamplingParams
from core.generation.scheduler import BatchLimits, Chunk, Scheduler
from core.generation.slots import SlotTable
from core.generation.writing import Choice
from tests.unit.token_slots import TokenSlots

POSITIONS = 256
MODEL = ModelSpec("paper", "")


def next_token(held: Sequence[int], candidate: int = 0) -> int:
    return (sum(place * token for place, token in enumerate(held, 3)) + candidate) % 97


def text(prompt_ids: Sequence[int], new_tokens: int, candidate: int = 0) -> tuple[int, ...]:
    """What the paper engine has to write."""
    ids = list(prompt_ids)
    for _ in range(new_tokens):
        ids.append(next_token(ids, candidate))
    return tuple(ids[len(prompt_ids) :])


def job(name: str, prompt: int | Sequence[int] = 5, new_tokens: int = 4, **changes: object) -> Submit:
    """`prompt` is its tokens, or how many there are."""
    prompt_ids = tuple(range(1, prompt + 1)) if isinstance(prompt, int) else tuple(prompt)
    sampling = SamplingParams(max_new_tokens=new_tokens, candidates=int(str(changes.pop("candidates", 1))))
    wanted: dict[str, object] = {"id": name, "model": MODEL, "prompt_ids": prompt_ids, "sampling": sampling}
    wanted |= {"seed": 0, "stop_ids": frozenset(), "timeout_s": 60.0}
    return Submit.model_validate(wanted | changes)


class PaperEngine:
    def __init__(self, slots: int = 4, limits: BatchLimits | None = None) -> None:
        self.key_values = TokenSlots(slots, POSITIONS)
        self.table = SlotTable(slots, self.key_values)
        self.scheduler = Scheduler(limits or BatchLimits(running=slots), self.table)
        self.finished: dict[str, Finished] = {}
        self.chunks: list[Chunk] = []

    def submit(self, *jobs: Submit) -> None:
        for submitted in jobs:
            self.scheduler.submit(submitted)

    def step(self) -> list[tuple[str, int]]:
        """Whose tokens were read, and how many."""
        self.chunks = self.scheduler.schedule()
        self.key_values.read(self.chunks)
        for chunk in self.chunks:
            self.scheduler.read(chunk)
        self.scheduler.succeeded()
        for chunk in self.chunks:
            self._draw(chunk)
        return [(chunk.request.job.id, len(chunk.token_ids)) for chunk in self.chunks]

    def short_of_memory(self) -> bool:
        """A step that had no room."""
        self.scheduler.schedule()
        return self.scheduler.halve()

    def end(self, name: str, *, broken: bool = False) -> None:
        request = self.scheduler.end(name, broken=broken)
        assert request is not None
        assert name not in self.finished
        self.finished[name] = request.finished(FinishReason.CANCELLED)

    def run(self, steps: int = 500) -> None:
        """Until nothing is left to do."""
        while self.scheduler.can_run:
            self.step()
            steps -= 1
            assert steps, "it does not come to an end"

    def texts(self, name: str) -> list[tuple[int, ...]]:
        return [hypothesis.token_ids for hypothesis in self.finished[name].hypotheses]

    @property
    def running(self) -> list[str]:
        return [request.job.id for request in self.scheduler.running]

    def hold(self, name: str, *, held: bool) -> None:
        """As the batcher does."""
        request = self.scheduler.find(name)
        assert request is not None
        request.held = held
        if held:
            self.scheduler.preempt(request)

    def _draw(self, chunk: Chunk) -> None:
        request = chunk.request
        if not chunk.draws:
            return
        for writing in chunk.draws:
            assert writing.slot is not None
            held = self.key_values.held(writing.slot)
            assert held == writing.token_ids
        choices = {w: Choice(next_token(w.token_ids, w.row.candidate), -1.0) for w in chunk.draws}
        request.take(choices)
        if self.scheduler.retire(request):
            assert request.job.id not in self.finished
            self.finished[request.job.id] = request.finished(FinishReason.CANCELLED)
