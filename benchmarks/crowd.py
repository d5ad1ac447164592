"""The people of a workload: they ask in real time, hear the replies, and note when. Standard library alone.

Every rival serves the same crowd, so all are measured by one clock and nobody knows more of the future than another.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.workloads import Session, Workload

#: Of the history's room, after turns were dropped; as in core/prompt.py.
KEPT_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    id: str
    session: str
    prompt_ids: tuple[int, ...]
    reply_tokens: int
    #: So many at the prompt's start are the persona's.
    persona_tokens: int


@dataclass(slots=True)
class Heard:
    """What came back for one request; seconds since the first of all requests."""

    ask: Ask
    arrived_s: float
    first_s: float = 0.0
    finished_s: float = 0.0
    #: Tokens of the prompt that were really read; None where the rival does not tell.
    prefilled_tokens: int | None = None
    #: The reply so far.
    token_ids: list[int] | None = None


class Dialogue:
    """One session's memory: its next prompt, trimmed in steps as the core trims it."""

    def __init__(self, session: Session, window: int) -> None:
        self._session = session
        self._room = window - max(exchange.reply_tokens for exchange in session.exchanges)
        self._kept: list[tuple[int, ...]] = []
        self._answered = 0

    @property
    def finished(self) -> bool:
        return self._answered == len(self._session.exchanges)

    def next_ask(self) -> Ask:
        """Drops the oldest exchanges until the history takes 60 % of its room, where it has outgrown it."""
        exchange = self._session.exchanges[self._answered]
        fixed = len(self._session.persona_ids) + len(exchange.said_ids)
        if fixed + self._kept_tokens() > self._room:
            while self._kept and self._kept_tokens() > KEPT_SHARE * (self._room - fixed):
                del self._kept[0]
        told = [token_id for kept in self._kept for token_id in kept]
        return Ask(
            id=f"{self._session.id}.{self._answered}",
            session=self._session.id,
            prompt_ids=(*self._session.persona_ids, *told, *exchange.said_ids),
            reply_tokens=exchange.reply_tokens,
            persona_tokens=len(self._session.persona_ids),
        )

    def answer(self, token_ids: Sequence[int]) -> None:
        self._kept.append((*self._session.exchanges[self._answered].said_ids, *token_ids))
        self._answered += 1

    def _kept_tokens(self) -> int:
        return sum(map(len, self._kept))


class Crowd:
    """One thread owns it. Its clock starts when it is first asked who is `asking`."""

    def __init__(
        self,
        workload: Workload,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._begin: float | None = None
        self._last_arrival_s = workload.last_arrival_s
        self._to_come = deque(sorted(workload.sessions, key=lambda session: session.arrives_s))
        self._dialogues = {session.id: Dialogue(session, workload.window) for session in workload.sessions}
        self._due: list[Ask] = []
        self._open: dict[str, Heard] = {}
        #: In the order of their ends.
        self.answered: list[Heard] = []
        #: Until the last session has arrived.
        self.tokens_while_arriving = 0

    @property
    def done(self) -> bool:
        return not (self._to_come or self._due or self._open)

    def asking(self) -> list[Ask]:
        """Who has come since the last call, in order."""
        now = self._now()
        while self._to_come and self._to_come[0].arrives_s <= now:
            session = self._to_come.popleft()
            self._ask(self._dialogues[session.id], session.arrives_s)
        due, self._due = self._due, []
        return due

    def hears(self, ask_id: str, token_ids: Sequence[int]) -> None:
        """More tokens of a reply; after the last of them its session asks again."""
        heard, now = self._open[ask_id], self._now()
        reply = heard.token_ids = heard.token_ids or []
        heard.first_s = heard.first_s or now
        reply.extend(token_ids)
        if now <= self._last_arrival_s:
            self.tokens_while_arriving += len(token_ids)
        if len(reply) > heard.ask.reply_tokens:
            raise ValueError(f"{ask_id} asked for {heard.ask.reply_tokens} tokens and got {len(reply)}")
        if len(reply) == heard.ask.reply_tokens:
            self._finish(heard, now)

    def hears_prefill(self, ask_id: str, tokens: int) -> None:
        """So many tokens were read for an answered request."""
        next(heard for heard in reversed(self.answered) if heard.ask.id == ask_id).prefilled_tokens = tokens

    def until_next_s(self) -> float | None:
        """Seconds to the next arrival; None where nobody comes unless somebody is answered."""
        if self._due:
            return 0.0
        return max(self._to_come[0].arrives_s - self._now(), 0.0) if self._to_come else None

    def wait(self) -> None:
        """Sleeps until the next arrival."""
        pause_s = self.until_next_s()
        if pause_s is None:
            raise RuntimeError(f"{len(self._open)} requests were left without an answer")
        self._sleep(pause_s)

    def _now(self) -> float:
        if self._begin is None:
            self._begin = self._clock()
        return self._clock() - self._begin

    def _ask(self, dialogue: Dialogue, arrived_s: float) -> None:
        ask = dialogue.next_ask()
        self._open[ask.id] = Heard(ask, arrived_s)
        self._due.append(ask)

    def _finish(self, heard: Heard, now: float) -> None:
        heard.finished_s = now
        self.answered.append(self._open.pop(heard.ask.id))
        dialogue = self._dialogues[heard.ask.session]
        dialogue.answer(heard.token_ids or ())
        if not dialogue.finished:
            self._ask(dialogue, now)
