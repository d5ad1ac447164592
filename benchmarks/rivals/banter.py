"""This engine, in the rival's own process: no socket, no queue of people."""

from collections.abc import Sequence
from typing import Protocol

from benchmarks.crowd import Ask, Crowd
from benchmarks.rivals.rival import Setting
from core.generation.engine import Engine
from core.generation.loaded_models import EngineLimits
from core.generation.messages import Answer, Failed, Finished, Load, Loaded, Submit, Tokens
from core.generation.request import ModelSpec, SamplingParams

_TIMEOUT_S = 3600.0


class SteppingEngine(Protocol):
    """What is used of `core.generation.engine.Engine`."""

    @property
    def busy(self) -> bool: ...

    def submit(self, job: Submit, /) -> None: ...

    def step(self) -> Sequence[Answer]: ...


class Banter:
    def __init__(self, engine: SteppingEngine, model: ModelSpec) -> None:
        self._engine = engine
        self._model = model
        #: Rounds repeat the same sessions: what an earlier one read is not to be known.
        self._served = 0

    def serve(self, crowd: Crowd) -> None:
        self._served += 1
        while not crowd.done:
            for ask in crowd.asking():
                self._engine.submit(self._job(ask))
            if not self._engine.busy:
                crowd.wait()
                continue
            for answer in self._engine.step():
                pass_on(answer, crowd)

    def _job(self, ask: Ask) -> Submit:
        return Submit(
            id=ask.id,
            model=self._model,
            prompt_ids=ask.prompt_ids,
            sampling=SamplingParams(temperature=0.0, max_new_tokens=ask.reply_tokens),
            seed=0,
            stop_ids=frozenset(),
            timeout_s=_TIMEOUT_S,
            session=f"{self._served}/{ask.session}",
            persona_tokens=ask.persona_tokens,
        )


def pass_on(answer: Answer, crowd: Crowd) -> None:
    """Raises RuntimeError where the engine could not answer."""
    match answer:
        case Tokens(id=ask_id, token_ids=token_ids):
            crowd.hears(ask_id, token_ids)
        case Finished(id=ask_id, timings=timings):
            crowd.hears_prefill(ask_id, timings.prefilled_tokens)
        case Failed(error=error, reason=reason):
            raise RuntimeError(f"{error}: {reason}")


def load_banter(setting: Setting) -> Banter:
    """Raises RuntimeError where the engine would not batch the model."""
    engine = Engine(EngineLimits(device="cpu", threads=setting.threads, context_window=setting.window))
    model = ModelSpec("benchmark", setting.folder, dtype="float32")
    engine.submit(Load(id="load", model=model))
    while engine.busy:
        for answer in engine.step():
            if not isinstance(answer, Loaded) or answer.way != "batched":
                raise RuntimeError(f"the model was not loaded for batches: {answer}")
    return Banter(engine, model)
