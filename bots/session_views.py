"""Remembered dialogues, as an operator reads them. Nothing that was said reaches the terminal as an order."""

from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table
from rich.text import Text

from core.clean_text import printable
from core.dialogue import Role, SessionKey
from core.errors import StorageError
from core.memory.sessions import Session
from core.memory.store import Memory, SessionSummary
from core.memory.transcript import TranscriptTurn
from core.recollection import Recollection
from core.voice import Voices

_TURNS_LOOKED_AT = 200


def session_table(summaries: Iterable[SessionSummary]) -> Table:
    table = Table("session", "where", "persona", "model", "turns", "last active", box=None, pad_edge=False)
    for summary in summaries:
        session = summary.session
        number = f"{session.id}" if session.active else f"{session.id} (ended)"
        when = session.last_active_at.astimezone().strftime("%Y-%m-%d %H:%M")
        cells = (number, _place(session.key), session.persona, session.model, str(summary.turns), when)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def transcript_lines(turns: Iterable[TranscriptTurn]) -> Iterator[Text]:
    for told in turns:
        speaker = printable(told.turn.speaker) or told.turn.role.value
        yield Text(f"{speaker}: ", style="bold") + Text(printable(told.turn.text), style="not bold")
        figures = _figures(told)
        if figures:
            yield Text(f"  {printable(figures)}", style="dim")


async def one_session(memory: Memory, session_id: int) -> Session:
    """Raises StorageError where there is none."""
    session = await memory.session(session_id)
    if session is None:
        raise StorageError(f"there is no session {session_id}; banter sessions list shows those that there are")
    return session


async def last_prompt(memory: Memory, recollection: Recollection, voices: Voices, session_id: int) -> str:
    """The prompt of the newest reply, built again as it was built then; its special tokens are shown.

    Raises StorageError where there is no reply.
    """
    session = await one_session(memory, session_id)
    turns = await memory.transcript(session_id, _TURNS_LOOKED_AT)
    question, reply = _last_exchange(turns)
    voice = voices.of(session.persona, session.model)
    prompt = (await recollection.recollect(session, question.turn, voice)).prompt
    text = printable(voice.tokenizer.decode_visibly(prompt.token_ids))
    is_same = len(prompt.token_ids) == reply.prompt_tokens
    changed = "" if is_same else " The persona, the model or what is told of earlier turns was changed since."
    return f"{prompt.turns} turns, {len(prompt.token_ids)} tokens.{changed}\n\n{text}"


def _last_exchange(turns: Sequence[TranscriptTurn]) -> tuple[TranscriptTurn, TranscriptTurn]:
    for question, reply in zip(reversed(turns[:-1]), reversed(turns[1:]), strict=True):
        if reply.turn.role is Role.ASSISTANT:
            return question, reply
    raise StorageError("there is no reply in this dialogue yet")


def _figures(told: TranscriptTurn) -> str:
    parts = []
    if told.model:
        parts.append(told.model)
    if told.prompt_turns:
        parts.append(f"prompt of {told.prompt_turns} turns, {told.prompt_tokens} tokens")
    if told.finish_reason:
        parts.append(told.finish_reason.value)
    if told.total_s:
        parts.append(f"{told.total_s:.1f} s")
    return " · ".join(parts)


def _place(key: SessionKey) -> str:
    parts = (key.platform.value, key.workspace, key.channel, key.thread, key.person)
    return " / ".join(part for part in parts if part)
