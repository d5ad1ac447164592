"""Logs: one JSON object a line. Numbers and an `action`; never a person's text, never a secret.

Only this program's own loggers follow `log.level`: at `debug` libraries log statements with people's text in them.
A trace tells where it went wrong and by which kinds of errors, without their words: a database's error repeats the
statement's parameters, a client's its address with the token in it.
"""

import json
import logging
import sys
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path

from core.errors import SettingsError
from core.redaction import without_secrets

_OWN_LOGGERS = ("core", "bots", "adapters")
_FILE_LIMIT_BYTES = 2 * 1024 * 1024
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD_FIELDS}
        if record.exc_info and record.exc_info[1] is not None:
            fields["trace"] = _trace(record.exc_info[1])
        return json.dumps(fields, ensure_ascii=False, default=_without_words)


def _trace(error: BaseException) -> list[str]:
    """The newest error first, each with the places that it came through, the innermost last."""
    told: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        places = (
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(current.__traceback__)
        )
        told += [_without_words(current), *places]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return told


def _without_words(value: object) -> str:
    """Of what is no number and no text: its kind. An error's words may be anybody's."""
    if isinstance(value, Path):
        return str(value)
    return f"{type(value).__module__}.{type(value).__qualname__}"


def log_to_file(file: Path, level: str) -> None:
    """For programs that talk on the terminal. Raises SettingsError where the file can't be written."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = RotatingFileHandler(file, maxBytes=_FILE_LIMIT_BYTES, backupCount=2, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}; set paths.data to a folder that can be written") from None
    _install(handler, level)


def log_to_stderr(level: str) -> None:
    """For services: whoever started them keeps the lines."""
    _install(logging.StreamHandler(sys.stderr), level)


def _install(handler: logging.Handler, level: str) -> None:
    handler.setFormatter(JsonFormatter())
    logging.raiseExceptions = False  # a log that can't be written is no reason to show a trace to a person who chats
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _OWN_LOGGERS:
        logging.getLogger(name).setLevel(level.upper())
