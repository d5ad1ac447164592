"""Whatever happens in whatever order, every request ends once, with its own text, and no slot is lost."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.dialogue import FinishReason
from core.generation.messages import Submit
from core.generation.scheduler import BatchLimits
from tests.unit.paper_engine import PaperEngine, job, text

LIMITS = BatchLimits(running=3, prefill_tokens=3, prefill_tokens_alone=6)
PERSONA = tuple(range(50, 60))


class Crowd(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = PaperEngine(slots=5, limits=LIMITS)
        self.jobs: dict[str, Submit] = {}

    @property
    def open(self) -> list[str]:
        return [name for name in self.jobs if name not in self.engine.finished]

    def one_of_them(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(self.open))

    @rule(
        prompt=st.lists(st.integers(0, 2), min_size=1, max_size=9),
        new_tokens=st.integers(1, 5),
        candidates=st.integers(1, 3),
        priority=st.integers(0, 2),
        session=st.sampled_from(["", "s", "t"]),
        persona=st.booleans(),
    )
    def submit(
        self, prompt: list[int], new_tokens: int, candidates: int, priority: int, session: str, persona: bool
    ) -> None:
        name = str(len(self.jobs))
        self.jobs[name] = job(
            name,
            [*PERSONA, *prompt] if persona else prompt,
            new_tokens,
            candidates=candidates,
            priority=priority,
            session=session,
            persona_tokens=len(PERSONA) if persona else 0,
        )
        self.engine.submit(self.jobs[name])

    @precondition(lambda self: self.engine.scheduler.can_run)
    @rule(steps=st.integers(1, 4))
    def step(self, steps: int) -> None:
        for _ in range(steps):
            self.engine.step()

    @precondition(lambda self: self.engine.running)
    @rule()
    def run_out_of_memory(self) -> None:
        self.engine.short_of_memory()

    @precondition(lambda self: self.open)
    @rule(data=st.data(), broken=st.booleans())
    def end(self, data: st.DataObject, broken: bool) -> None:
        self.engine.end(self.one_of_them(data), broken=broken)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), held=st.booleans())
    def hold(self, data: st.DataObject, held: bool) -> None:
        self.engine.hold(self.one_of_them(data), held=held)

    @rule()
    def move(self) -> None:
        """What waits leaves and comes again, as when its model is unloaded and loaded."""
        self.engine.submit(*self.engine.scheduler.withdraw())

    @invariant()
    def the_slots_in_use_are_those_of_running_hypotheses(self) -> None:
        requests = self.engine.scheduler.running
        slots = [writing.slot for request in requests for writing in request.writings if writing.slot]
        assert sorted(slot.number for slot in slots) == list(range(self.engine.table.active))
        assert all(len(request.unfinished) > 0 for request in requests)

    @invariant()
    def slots_hold_what_they_say(self) -> None:
        assert all(self.engine.key_values.held(slot) == slot.token_ids for slot in self.engine.table._slots)

    def teardown(self) -> None:
        for name in self.open:
            self.engine.hold(name, held=False)
        self.engine.run()
        assert self.open == []
        assert self.engine.table.active == 0
        for name, finished in self.engine.finished.items():
            for candidate, hypothesis in enumerate(finished.hypotheses):
                whole = text(self.jobs[name].prompt_ids, self.jobs[name].sampling.max_new_tokens, candidate)
                assert hypothesis.token_ids == whole[: len(hypothesis.token_ids)]
                assert hypothesis.finish_reason is FinishReason.CANCELLED or hypothesis.token_ids == whole


Crowd.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None, derandomize=True)
TestCrowd = Crowd.TestCase
