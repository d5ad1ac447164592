"""The engine: token ids in, token ids out, every model's replies in batches.

It knows nothing of text, turns, people or platforms, and runs in the engine's own process only.
"""

import time
from collections.abc import Callable, Collection
from functools import partial

from core.dialogue import FinishReason
from core.errors import BanterError, QueueFull, RequestFailed
from core.generation.loaded_models import EngineLimits, LoadedModel, LoadedModels
from core.generation.messages import (
    Answer,
    Failed,
    Finished,
    Hypothesis,
    Load,
    Loaded,
    ModelStatistics,
    Score,
    Submit,
    Tokens,
)
from core.generation.request import ModelSpec, Timings

Job = Load | Submit | Score


class Engine:
    """Owns the device. Its methods block; one thread calls them."""

    def __init__(self, limits: EngineLimits) -> None:
        self.models = LoadedModels(limits)
        self.most_running = limits.batch.running
        #: Hears how much of a model is loaded, 0 to 1.
        self.loading: Callable[[ModelSpec, float], None] = lambda _spec, _fraction: None
        #: Jobs of models that are not loaded yet, in the order of their arrival.
        self._early: dict[str, Job] = {}
        self._answers: list[Answer] = []
        #: Jobs that are held, also while their model is not loaded.
        self._held: set[str] = set()

    @property
    def device(self) -> str:
        return str(self.models.device)

    @property
    def busy(self) -> bool:
        """Something was submitted and has not ended."""
        return bool(self._early or self._answers) or any(model.busy for model in self.models)

    @property
    def can_step(self) -> bool:
        """A step would do something: a request that is held gives nothing to do."""
        return bool(self._early or self._answers) or any(model.can_step for model in self.models)

    def submit(self, job: Job) -> None:
        """Its answers come with the steps; the last one is Loaded, Scores, Finished or Failed."""
        model = self.models.get(job.model)
        if model is None:
            self._early[job.id] = job
        else:
            self._hand_over(job, model)

    def end(self, job_id: str, reason: FinishReason) -> None:
        """Ends a job in any state; its last answer comes with the next step."""
        job = self._early.pop(job_id, None)
        self._held.discard(job_id)
        if job is not None:
            self._answers.append(never_begun(job, reason))
        for model in self.models:
            self._answers.extend(model.runner.end(job_id, reason))
            self._answers.extend(model.scoring.end(job_id, reason))

    def hold(self, job_id: str, *, held: bool) -> None:
        """Nothing is drawn for a held request; what it has read is kept while nobody needs the place."""
        known = [job_id in self._early, *(model.runner.hold(job_id, held=held) for model in self.models)]
        # It may have ended while the word was on its way.
        (self._held.add if held and any(known) else self._held.discard)(job_id)

    def forget(self, sessions: Collection[str]) -> int:
        """See `Forget`. How many slots held something."""
        for job_id, job in self._early.items():
            if isinstance(job, Submit):
                self._early[job_id] = job.forgotten(sessions)
        return sum(model.runner.forget_sessions(sessions) for model in self.models)

    def step(self) -> list[Answer]:
        """Loads a model that is waited for, then takes one step with each that has something to do."""
        self._load_next()
        answers, self._answers = self._answers, []
        for model in self.models:
            if model.can_step:
                answers.extend(model.step())
                model.used_at = time.monotonic()
        self._held.difference_update(answer.id for answer in answers if not isinstance(answer, Tokens))
        return answers

    def statistics(self) -> tuple[ModelStatistics, ...]:
        return tuple(model.statistics() for model in self.models)

    def _load_next(self) -> None:
        for spec in dict.fromkeys(job.model for job in self._early.values()):
            try:
                model = self.models.load(spec, partial(self.loading, spec))
            except BanterError as error:
                self._answers.extend(failed(job.id, error) for job in self._take_early(spec))
                continue
            if model is not None:
                for job in self._take_early(spec):
                    self._hand_over(job, model)
                return
        for model in self.models:
            if model.leaving:
                self._early.update((job.id, job) for job in model.runner.withdraw())

    def _take_early(self, spec: ModelSpec) -> list[Job]:
        taken = [job for job in self._early.values() if job.model == spec]
        for job in taken:
            del self._early[job.id]
        return taken

    def _hand_over(self, job: Job, model: LoadedModel) -> None:
        model.touch(job.model.adapter)
        try:
            match job:
                case Load():
                    self._answers.append(Loaded(id=job.id, way=model.way))
                case Score():
                    model.scoring.submit(job)
                case Submit():
                    _check_room(job, model.window)
                    model.network.check_tokens([*job.prompt_ids, *job.prefix_ids])
                    if len(job.prefix_ids) >= job.sampling.max_new_tokens:
                        self._answers.append(_finished_already(job))
                    else:
                        model.runner.submit(job)
                        model.runner.hold(job.id, held=job.id in self._held)
        except RequestFailed as error:
            self._answers.append(failed(job.id, error))


def failed(job_id: str, error: BanterError) -> Failed:
    waiting, wait_s = (error.waiting, error.expected_wait_s) if isinstance(error, QueueFull) else (0, 0.0)
    return Failed(id=job_id, error=type(error).__name__, reason=str(error), waiting=waiting, expected_wait_s=wait_s)


def never_begun(job: Job, reason: FinishReason) -> Answer:
    """The last answer to a job that did not run."""
    if not isinstance(job, Submit):
        return failed(job.id, RequestFailed(f"{reason.value} while it waited"))
    nothing = Hypothesis(token_ids=job.prefix_ids, finish_reason=reason, log_probability=0.0)
    return Finished(id=job.id, hypotheses=(nothing,) * job.sampling.candidates, timings=Timings())


def _finished_already(job: Submit) -> Finished:
    """The prefix is a whole reply: only the word that it is finished was lost."""
    whole = Hypothesis(token_ids=job.prefix_ids, finish_reason=FinishReason.LENGTH, log_probability=0.0)
    return Finished(id=job.id, hypotheses=(whole,) * job.sampling.candidates, timings=Timings())


def _check_room(job: Submit, window: int) -> None:
    wanted = len(job.prompt_ids) + job.sampling.max_new_tokens
    if not job.prompt_ids:
        raise RequestFailed("the prompt is empty")
    if wanted > window:
        raise RequestFailed(
            f"{len(job.prompt_ids)} tokens of prompt and {job.sampling.max_new_tokens} of reply outgrow the "
            f"{window} that {job.model.name} has here; lower max_new_tokens or raise generation.context_window"
        )
