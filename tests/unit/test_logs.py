"""Logs: this program's own words, never what a library lets slip about people."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.logs import log_to_file

OWN = ("core", "bots", "adapters")


@pytest.fixture(autouse=True)
def logging_stays_as_it_was() -> Iterator[None]:
    root, raises = logging.getLogger(), logging.raiseExceptions
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("", *OWN)}
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers, logging.raiseExceptions = handlers, raises
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_line_is_json_with_the_numbers_that_were_given(tmp_path: Path) -> None:
    log_to_file(tmp_path / "logs" / "banter.log", "debug")

    logging.getLogger("core.x").debug("drawn", extra={"action": "draw", "tokens": 12})

    line = json.loads((tmp_path / "logs" / "banter.log").read_text())
    assert (line["level"], line["logger"], line["message"]) == ("debug", "core.x", "drawn")
    assert (line["action"], line["tokens"]) == ("draw", 12)


def test_a_library_never_logs_its_statements(tmp_path: Path) -> None:
    log_to_file(tmp_path / "banter.log", "debug")

    for library in ("aiosqlite", "sqlalchemy.engine", "asyncio"):
        logging.getLogger(library).debug("INSERT INTO turns VALUES ('my secret')")

    assert (tmp_path / "banter.log").read_text() == ""


@pytest.mark.parametrize("name", OWN)
def test_below_the_level_nothing_is_written(tmp_path: Path, name: str) -> None:
    log_to_file(tmp_path / "banter.log", "error")

    logging.getLogger(f"{name}.x").warning("hm")

    assert (tmp_path / "banter.log").read_text() == ""


def test_a_trace_tells_where_and_never_what(tmp_path: Path) -> None:
    log_to_file(tmp_path / "banter.log", "info")

    try:
        try:
            dict[str, str]()["my secret"]
        except KeyError as error:
            raise ValueError("it was: my secret") from error
    except ValueError:
        logging.getLogger("core.x").exception("it failed", extra={"error": ValueError("my secret")})

    text = (tmp_path / "banter.log").read_text()
    line = json.loads(text)
    assert "my secret" not in text
    kinds = [place for place in line["trace"] if ":" not in place]
    assert kinds == ["builtins.ValueError", "builtins.KeyError"]
    assert any(Path(__file__).name in place and "test_a_trace_tells" in place for place in line["trace"])
    assert line["error"] == "builtins.ValueError"


def test_an_error_that_is_its_own_cause_is_told_once(tmp_path: Path) -> None:
    log_to_file(tmp_path / "banter.log", "info")
    error = ValueError("round and round")
    error.__cause__ = error

    logging.getLogger("core.x").error("it failed", exc_info=error)

    assert json.loads((tmp_path / "banter.log").read_text())["trace"] == ["builtins.ValueError"]


@pytest.mark.parametrize(
    "text",
    [
        "https://api.telegram.org/bot{}/sendMessage failed".format("123456789:abcdefghijklmnopqrstuvwxyzABCDEF"),
        "https://slack.com/api/chat.postMessage?token={} failed".format("xoxb-1234567890-abcdefghij"),
        "Bearer {} was refused".format("sk-abcdefghijklmnopqrstuv"),
    ],
)
def test_what_looks_like_a_key_is_cut_from_a_message(tmp_path: Path, text: str) -> None:
    log_to_file(tmp_path / "banter.log", "info")

    logging.getLogger("adapters.x").warning("%s", text)

    message = json.loads((tmp_path / "banter.log").read_text())["message"]
    assert "abcdefghij" not in message
    assert "[cut]" in message
