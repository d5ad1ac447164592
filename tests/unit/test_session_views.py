"""Dialogues on an operator's screen: names and words are shown, never obeyed."""

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from bots.session_views import session_table, transcript_lines
from core.dialogue import Platform, Role, SessionKey, Turn, TurnState
from core.memory.sessions import Session
from core.memory.store import SessionSummary
from core.memory.transcript import TranscriptTurn

ESCAPE = "\x1b]0;owned\x07"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def shown(*things: object) -> str:
    console = Console(file=StringIO(), width=200)
    console.print(*things)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def told(text: str, speaker: str, model: str | None = None) -> TranscriptTurn:
    turn = Turn(1, Role.PERSON, text, speaker)
    return TranscriptTurn(turn, TurnState.ANSWERED, NOW, None, model, None, None, None, None, None, None, None)


def test_a_name_in_a_transcript_gives_the_terminal_no_orders() -> None:
    lines = shown(*transcript_lines([told(f"hi{ESCAPE}", f"Ann{ESCAPE}", f"tiny{ESCAPE}")]))

    assert "\x1b" not in lines
    assert "\x07" not in lines
    assert "Ann]0;owned: hi]0;owned" in lines


def test_a_cell_of_the_table_is_text_and_nothing_else() -> None:
    key = SessionKey(Platform.TERMINAL, "banter", "", f"here{ESCAPE}")
    session = Session(7, key, f"[bold]pirate{ESCAPE}", f"tiny{ESCAPE}", False, None, NOW, NOW)

    table = shown(session_table([SessionSummary(session, 3)]))

    assert "\x1b" not in table
    assert "[bold]pirate" in table
    assert "7 (ended)" in table
