"""What people ask in a benchmark: token ids, lengths and times of arrival. Seeded; standard library alone.

It knows nothing of those who answer. A rival's process in another environment reads it too.
"""

import json
import random
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

#: The smaller ids are a vocabulary's special tokens.
_FIRST_ID = 5
_PERSONA_TOKENS = 48


@dataclass(frozen=True, slots=True)
class Exchange:
    """A person's turn, and how long the reply to it is."""

    said_ids: tuple[int, ...]
    reply_tokens: int


@dataclass(frozen=True, slots=True)
class Session:
    """Each exchange after the first is asked as soon as the last one was answered."""

    id: str
    exchanges: tuple[Exchange, ...]
    arrives_s: float = 0.0
    #: At the start of every prompt.
    persona_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    name: str
    sessions: tuple[Session, ...]
    #: Most tokens of a prompt and its reply together; a session that outgrows it is trimmed.
    window: int

    @property
    def last_arrival_s(self) -> float:
        return max(session.arrives_s for session in self.sessions)

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a model can be asked."""

    size: int
    window: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens; both ends are drawn too."""

    said: tuple[int, int]
    reply: tuple[int, int]

    def within(self, window: int) -> "Lengths":
        """For a model with a small window: at most half of it is said, at most a quarter replied."""
        said, reply = window // 2, window // 4
        return Lengths(
            (min(self.said[0], said), min(self.said[1], said)),
            (min(self.reply[0], reply), min(self.reply[1], reply)),
        )


STORM = Lengths(said=(20, 400), reply=(8, 128))
SESSIONS = Lengths(said=(10, 40), reply=(16, 32))


def equal(vocabulary: Vocabulary, requests: int, prompt_tokens: int, reply_tokens: int, seed: int = 0) -> Workload:
    """Requests of one length that all come at once."""
    lengths = Lengths((prompt_tokens, prompt_tokens), (reply_tokens, reply_tokens))
    chance = random.Random(seed)
    sessions = tuple(Session(f"r{n}", (_exchange(chance, vocabulary, lengths),)) for n in range(requests))
    return Workload(f"equal-{requests}", sessions, vocabulary.window)


def storm(vocabulary: Vocabulary, requests: int, per_s: float, lengths: Lengths = STORM, seed: int = 0) -> Workload:
    """Poisson arrivals. The same seed asks the same at every rate; at `math.inf` all come at once."""
    chance = random.Random(seed)
    lengths = lengths.within(vocabulary.window)
    exchanges = [_exchange(chance, vocabulary, lengths) for _ in range(requests)]
    arrivals = accumulate((chance.expovariate(1.0) / per_s for _ in range(requests - 1)), initial=0.0)
    sessions = (Session(f"r{n}", (asked,), at) for n, (asked, at) in enumerate(zip(exchanges, arrivals, strict=True)))
    return Workload("storm", tuple(sessions), vocabulary.window)


def sessions(
    vocabulary: Vocabulary, count: int, exchanges: int, lengths: Lengths = SESSIONS, seed: int = 0
) -> Workload:
    """Dialogues with one persona, all at the same time."""
    chance = random.Random(seed)
    lengths = lengths.within(vocabulary.window)
    persona_ids = _ids(chance, vocabulary, min(_PERSONA_TOKENS, vocabulary.window // 8))
    told = (
        Session(
            f"s{n}",
            tuple(_exchange(chance, vocabulary, lengths) for _ in range(exchanges)),
            persona_ids=persona_ids,
        )
        for n in range(count)
    )
    return Workload(f"sessions-{count}x{exchanges}", tuple(told), vocabulary.window)


def parse(line: str) -> Workload:
    """What `Workload.to_json` wrote."""
    content = json.loads(line)
    return Workload(content["name"], tuple(map(_session, content["sessions"])), content["window"])


def _session(content: dict[str, Any]) -> Session:
    exchanges = tuple(Exchange(tuple(one["said_ids"]), one["reply_tokens"]) for one in content["exchanges"])
    return Session(content["id"], exchanges, content["arrives_s"], tuple(content["persona_ids"]))


def _exchange(chance: random.Random, vocabulary: Vocabulary, lengths: Lengths) -> Exchange:
    return Exchange(_ids(chance, vocabulary, chance.randint(*lengths.said)), chance.randint(*lengths.reply))


def _ids(chance: random.Random, vocabulary: Vocabulary, count: int) -> tuple[int, ...]:
    return tuple(chance.randrange(_FIRST_ID, vocabulary.size) for _ in range(count))
