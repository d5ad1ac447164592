"""What an OpenAI-compatible server says when it can't answer → errors of this program. Pure.

BanterError as it is raised   nothing would change if it were tried again
TryAgain                      it may pass: an overloaded server, a lost connection
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from core.clean_text import printable
from core.errors import BanterError, EngineUnavailable, ModelNotFound, QueueFull, RequestFailed

#: Of what a server says.
_QUOTED_CHARS = 200
_TOO_MANY_REQUESTS = 429
_MAY_PASS = (408, 425, _TOO_MANY_REQUESTS, 500, 502, 503, 504)
_TOO_LONG = re.compile(r"context|too (long|large|many tokens)|maximum.*(length|tokens)|exceed", re.IGNORECASE)


class TryAgain(Exception):
    """What failed may go well the next time; `error` says so to people when there is no next time."""

    def __init__(self, error: BanterError, after_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        #: When the server wants to be asked again; None where it did not say.
        self.after_s = after_s


def lost(where: str, told: str) -> TryAgain:
    return TryAgain(EngineUnavailable(f"the connection to {where} was lost ({told}); look at the server's log"))


def refusal(where: str, model: str, status: int, words: str, after_s: float | None = None) -> BanterError | TryAgain:
    """`words` are the server's own, already freed of secrets."""
    told = f": {quoted(words)}" if words.strip() else ""
    if status in (401, 403):
        return EngineUnavailable(
            f"{where} refused the API key (HTTP {status}); set BANTER_OPENAI__API_KEY to one that it knows"
        )
    if status == 404 and "model" in words.casefold():
        return ModelNotFound(
            f"{where} has no model {model!r}; `banter doctor` lists what it has: set `openai.model` to one of them"
        )
    if status == 404 or 300 <= status < 400:
        return EngineUnavailable(
            f"{where} speaks no OpenAI API there (HTTP {status}); correct `openai.base_url`, which usually ends in /v1"
        )
    if status in (400, 413, 422) and _TOO_LONG.search(words):
        return RequestFailed(f"the prompt is too long for {where}; lower `generation.context_window`{told}")
    if status == _TOO_MANY_REQUESTS:
        return TryAgain(QueueFull(f"{where} is busy (HTTP 429); ask again later{told}"), after_s)
    if status in _MAY_PASS:
        return TryAgain(EngineUnavailable(f"{where} failed (HTTP {status}); look at its log{told}"), after_s)
    return RequestFailed(
        f"{where} refused the request (HTTP {status}){told}; if it names a field, take it out of `openai.extensions`"
    )


def quoted(words: str) -> str:
    """On one line, and not too much of it."""
    return printable(" ".join(words.split()))[:_QUOTED_CHARS]


def retry_after_s(header: str, now: datetime | None = None) -> float | None:
    """Seconds or a date; None where it is neither."""
    if header.strip().isdecimal():
        return float(header)
    try:
        then = parsedate_to_datetime(header)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max((then - (now or datetime.now(UTC))).total_seconds(), 0.0)
