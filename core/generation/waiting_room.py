"""Which job the engine gets next: in the queue's fair order, as many as it has places, some of them alone."""

from collections import Counter, deque
from itertools import chain

from core.generation.jobs import Job
from core.generation.messages import Load
from core.generation.queue import Queue, QueueLimits
from core.generation.request import ModelSpec


class WaitingRoom:
    """Jobs from their arrival until they are served. One event loop owns it."""

    def __init__(self, limits: QueueLimits, places: int) -> None:
        """`places` is how many replies of one model are written at once."""
        self._queue: Queue[Job] = Queue(limits)
        self._places = places
        #: What was running whenever an engine died; it goes before everything, and nothing beside it.
        self._alone: deque[Job] = deque()
        #: Models to be loaded: nobody's turn is taken by that.
        self._loads: deque[Job] = deque()
        self._inside: set[Job] = set()
        #: Begun, and given their places up while their readers are far behind.
        self._paused: set[Job] = set()
        #: Those of them that came through the queue.
        self._queued: set[Job] = set()
        #: Places, by the model and the priority of those who have them.
        self._taken: Counter[tuple[ModelSpec, int]] = Counter()

    def __len__(self) -> int:
        return len(self._queue) + len(self._alone)

    def enter(self, job: Job) -> int:
        """Its position. Raises QueueFull."""
        if isinstance(job.message, Load):
            self._loads.append(job)
            return 0
        if job.alone:
            self._alone.append(job)
            return len(self._alone) - 1
        return self._queue.put(job, job.message.owner, cost=job.cost, priority=job.priority) + len(self._alone)

    def next(self) -> Job | None:
        """Leaves the room for the engine; None where nobody may."""
        job = self._loads.popleft() if self._loads else self._next_to_run()
        if job is not None:
            self._inside.add(job)
            self._taken[job.model, job.priority] += job.places
        return job

    def holds(self, job: Job) -> bool:
        """It waits for a place."""
        return job not in self._inside and job not in self._paused

    def pause(self, job: Job) -> None:
        """Gives its place up, to come back for one later."""
        if job in self._inside:
            self._give_up(job)
        elif not self.leave(job):
            return
        self._paused.add(job)

    def resume(self, job: Job) -> None:
        """Waits for a place again, before those who had none yet."""
        if job in self._paused and not isinstance(job.message, Load):
            self._paused.remove(job)
            self._queued.discard(job)
            if job.alone:
                self._alone.appendleft(job)
            else:
                self._queue.put_back(job, job.message.owner, cost=job.cost, priority=job.priority)

    def leave(self, job: Job) -> bool:
        """Gives up waiting; False when it does not wait (any more)."""
        for line in (self._alone, self._loads):
            if job in line:
                line.remove(job)
                return True
        return self._queue.remove(job)

    def served(self, job: Job) -> None:
        """The engine has done with it, wherever it is."""
        if job in self._inside:
            self._give_up(job)
        elif job in self._paused:
            self._paused.remove(job)
        else:
            self.leave(job)
        if job in self._queued:
            self._queued.remove(job)
            self._queue.served(job.cost)

    def positions(self) -> list[tuple[int, Job]]:
        """(jobs before it, job) of all that wait."""
        return list(enumerate(chain(self._alone, (job for _, job in self._queue.positions()))))

    def expected_wait_s(self, position: int) -> float:
        """Until the job at this position starts; 0 where it can't be told."""
        return self._queue.expected_wait_s(position)

    def _give_up(self, job: Job) -> None:
        self._inside.remove(job)
        place = (job.model, job.priority)
        self._taken[place] -= job.places
        if not self._taken[place]:
            del self._taken[place]

    def _next_to_run(self) -> Job | None:
        running = [job for job in self._inside if not isinstance(job.message, Load)]
        if self._alone:
            return None if running else self._alone.popleft()
        if any(job.alone for job in running):
            return None
        job = self._queue.take(self._has_place)
        if job is not None:
            self._queued.add(job)
        return job

    def _has_place(self, job: Job) -> bool:
        """Those of lower priority give theirs up to it."""
        mine = job.model
        taken = sum(n for (model, priority), n in self._taken.items() if model == mine and priority >= job.priority)
        return taken == 0 or taken + job.places <= self._places
