"""Every call that was made, when, and what it was answered with. The token is in none of them."""

from collections import deque
from dataclasses import dataclass, field

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.parameters import Parameters

_MOST = 100_000


@dataclass(slots=True)
class Call:
    #: In Telegram's own spelling where it is known, else as it came.
    method: str
    parameters: dict[str, str]
    #: `time.monotonic()`
    began: float
    #: Names and sizes of what was uploaded.
    files: dict[str, JsonObject] = field(default_factory=dict)
    ended: float | None = None
    #: 0 while it is not answered, and where the connection was dropped.
    status: int = 0
    answer: JsonObject = field(default_factory=dict)
    #: The fault that it met.
    fault: str = ""

    def to_json(self) -> JsonObject:
        return {
            "method": self.method,
            "parameters": self.parameters,
            "files": self.files,
            "began": self.began,
            "ended": self.ended,
            "status": self.status,
            "answer": self.answer,
            "fault": self.fault,
        }


class Calls:
    """The newest ones, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_MOST)

    def begin(self, method: str, parameters: Parameters, now: float) -> Call:
        files: dict[str, JsonObject] = {
            name: {"name": file.name, "size": len(file.content)} for name, file in parameters.files.items()
        }
        call = Call(method, dict(parameters.values), now, files)
        self._calls.append(call)
        return call

    def to_json(self, method: str, since: float) -> list[JsonObject]:
        asked = [call for call in self._calls if call.began >= since]
        return [call.to_json() for call in asked if method.lower() in {"", call.method.lower()}]
