"""Every call that was made, when, by whom, and what it was answered with. The token is in none of them."""

from collections import deque
from dataclasses import asdict, dataclass, field

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.parameters import Parameters

_MOST = 100_000
_SECRET = {"token", "client_secret", "code"}


@dataclass(slots=True)
class Call:
    method: str
    #: Whose token it was: a workspace, an organisation, an app; "" for nobody's.
    install: str
    parameters: JsonObject
    #: `time.monotonic()`
    began: float
    ended: float | None = None
    #: 0 while it is not answered, and where the connection was dropped.
    status: int = 0
    answer: JsonObject = field(default_factory=dict)
    #: The fault that it met.
    fault: str = ""

    def to_json(self) -> JsonObject:
        return asdict(self)


class Calls:
    """The newest ones, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_MOST)

    def begin(self, method: str, install: str, parameters: Parameters, now: float) -> Call:
        call = Call(
            method, install, {name: value for name, value in parameters.values.items() if name not in _SECRET}, now
        )
        self._calls.append(call)
        return call

    def to_json(self, method: str, since: float) -> list[JsonObject]:
        return [call.to_json() for call in self._calls if call.began >= since and method in {"", call.method}]
