"""Every request that was made, when, and what it was answered with. Tokens are in none of them."""

from collections import deque
from dataclasses import asdict, dataclass, field

from bots.sandbox.json_values import JsonObject

_MOST = 200_000


@dataclass(slots=True)
class Call:
    #: create_message, edit_message …: see `table`.
    operation: str
    #: The ids in its path, by name; a token is none.
    where: dict[str, str]
    body: JsonObject
    query: dict[str, str]
    #: The names of what was sent along.
    files: list[str]
    #: `time.monotonic()`
    began: float
    ended: float | None = None
    #: 0 while it is not answered, and where the connection was dropped.
    status: int = 0
    answer: object = field(default_factory=dict)
    #: The fault that it met.
    fault: str = ""
    #: The rate limit that it counted against, and what that had left; "" where none did.
    bucket: str = ""
    of: str = ""
    remaining: int = 0
    #: user, shared, global: where it was too often.
    scope: str = ""

    def to_json(self) -> JsonObject:
        return asdict(self)


class Calls:
    """The newest ones, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_MOST)

    def begin(self, call: Call) -> Call:
        self._calls.append(call)
        return call

    def to_json(self, operation: str, since: float) -> list[JsonObject]:
        return [call.to_json() for call in self._calls if call.began >= since and operation in {"", call.operation}]
