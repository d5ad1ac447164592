"""The walk's middle over real memory and a real tokenizer: what is asked, recorded, and in the next prompt."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.commands.asked import Known
from core.commands.command import Asker, Command, parse
from core.commands.commands import Commands
from core.dialogue import FinishReason, InboundMessage, Person, Platform, Role, SessionKey, Turn
from core.errors import RequestFailed, SettingsError, StorageError
from core.generation.models import Models
from core.generation.request import Owner, Piece
from core.guards import GuardLimits
from core.memory.database import Database
from core.memory.sessions import Session
from core.memory.store import Memory
from core.memory.upgrade import prepare
from core.responder import Answered, Responder
from core.texts import Texts
from core.voice import Persona, Voices
from tests.integration.tiny_networks import save_tiny_network
from tests.unit.scripted_backend import ScriptedBackend

KEY = SessionKey(Platform.TERMINAL, "banter", "", "me")
ME = Person(Platform.TERMINAL, "", "me", "Me")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_network("llama", tmp_path_factory.mktemp("llama")))


class Dialogue:
    """A person, a session, and a model that says what it is told to."""

    def __init__(self, memory: Memory, session: Session, voices: Voices, *replies: str) -> None:
        self.memory = memory
        self.session = session
        self.backend = ScriptedBackend(*replies)
        self.responder = Responder(memory, self.backend, voices, GuardLimits())
        self.commands = Commands(Known(voices, Texts()))
        self._messages = 0

    async def say(self, text: str) -> str:
        self._messages += 1
        message = InboundMessage(KEY, ME, f"m{self._messages}", text, datetime.now(UTC))
        return await self.hear(await self.memory.record_message(self.session.id, message))

    async def hear(self, question: Turn, continues: Turn | None = None) -> str:
        events = [event async for event in self.responder.answer(self.session, question, continues)]
        assert isinstance(events[-1], Answered)
        return "".join(event.text for event in events if isinstance(event, Piece))

    async def command(self, line: str) -> str:
        said = parse(line)
        assert isinstance(said, Command)
        async with self.memory.transaction() as steps:
            reply = await self.commands.run(steps, self.session, said, Asker(ME, is_alone=True))
        self.session = reply.session
        return reply.text if reply.answer_again is None else await self.hear(reply.answer_again, reply.continues)

    @property
    def asked(self) -> list[str]:
        """The words of the last prompt."""
        return [message.content for message in self.backend.requests[-1].prompt.messages]

    async def remembered(self) -> list[str]:
        return [told.turn.text for told in await self.memory.transcript(self.session.id, 100)]


class Table:
    """Where dialogues are opened."""

    def __init__(self, memory: Memory, voices: Voices) -> None:
        self.memory = memory
        self.voices = voices

    async def dialogue(self, *replies: str) -> Dialogue:
        return Dialogue(self.memory, await self.memory.open_session(KEY, "banter", "tiny"), self.voices, *replies)


@pytest.fixture
async def table(tmp_path: Path, model: str) -> AsyncIterator[Table]:
    personas = {
        name: Persona(name, prompt, model, lambda sampling: replace(sampling, max_new_tokens=16))
        for name, prompt in (("banter", "Be kind."), ("pirate", "Say arr."))
    }
    voices = Voices(personas, Models(tmp_path / "cache"), context_window=200)
    async with Database(f"sqlite:///{tmp_path}/banter.db") as database:
        await prepare(database)
        yield Table(Memory(database), voices)


async def test_a_reply_is_recorded_and_the_next_prompt_holds_it(table: Table) -> None:
    dialogue = await table.dialogue("I am fine.", "You asked how I am.")

    assert await dialogue.say("How are you?") == "I am fine."
    assert await dialogue.say("What did I ask?") == "You asked how I am."

    assert dialogue.asked == ["Be kind.", "How are you?", "I am fine.", "What did I ask?"]
    assert await dialogue.remembered() == ["How are you?", "I am fine.", "What did I ask?", "You asked how I am."]


async def test_a_persona_speaks_with_its_adapter(table: Table, model: str, tmp_path: Path) -> None:
    adapted = replace(table.voices.persona("banter"), adapter="/srv/kind")
    voices = Voices({"banter": adapted}, Models(tmp_path / "cache"), context_window=200)
    dialogue = Dialogue(table.memory, await table.memory.open_session(KEY, "banter", "tiny"), voices, "Fine.")

    await dialogue.say("How are you?")

    asked = dialogue.backend.requests[0].model
    assert (asked.folder, asked.adapter) == (model, "/srv/kind")
    assert voices.tokenizer_of(asked) is voices.of("banter").tokenizer


async def test_a_dialogue_goes_on_after_a_restart(table: Table) -> None:
    await (await table.dialogue("I am fine.")).say("How are you?")

    restarted = await table.dialogue("Good.")
    restarted._messages = 9
    await restarted.say("And now?")

    assert restarted.asked == ["Be kind.", "How are you?", "I am fine.", "And now?"]


async def test_a_new_dialogue_knows_nothing_of_the_old_one(table: Table) -> None:
    dialogue = await table.dialogue("I am fine.", "Who knows.")
    await dialogue.say("How are you?")

    assert await dialogue.command("/new") == "A new dialogue begins."
    await dialogue.say("What did I ask?")

    assert dialogue.asked == ["Be kind.", "What did I ask?"]


async def test_regenerate_draws_another_reply_and_only_that_one_counts(table: Table) -> None:
    dialogue = await table.dialogue("Blue.", "Red.", "Fine.")
    await dialogue.say("A colour?")

    assert await dialogue.command("/regenerate") == "Red."
    await dialogue.say("Good.")

    assert dialogue.asked == ["Be kind.", "A colour?", "Red.", "Good."]


async def test_a_regenerated_reply_is_not_the_old_one(table: Table) -> None:
    dialogue = await table.dialogue("Blue.", "blue.", "Red.")
    await dialogue.say("A colour?")

    assert await dialogue.command("/regenerate") == "Red."


async def test_undo_takes_the_last_exchange_back(table: Table) -> None:
    dialogue = await table.dialogue("Hello.", "Never mind.", "Fine.")
    await dialogue.say("Hi.")
    await dialogue.say("This is a mistake.")

    assert await dialogue.command("/undo") == "Taken back: This is a mistake."
    await dialogue.say("How are you?")

    assert dialogue.asked == ["Be kind.", "Hi.", "Hello.", "How are you?"]


async def test_another_persona_speaks_with_its_own_prompt(table: Table) -> None:
    dialogue = await table.dialogue("Arr.")

    assert (await dialogue.command("/persona use pirate")).startswith("You talk to pirate now")
    await dialogue.say("Hi.")

    assert dialogue.asked == ["Say arr.", "Hi."]
    assert "* pirate" in await dialogue.command("/persona list")
    assert "Be kind." in await dialogue.command("/persona show banter")
    assert await dialogue.command("/persona use nobody") == "There is no persona 'nobody'; there are banter, pirate."


async def test_a_stopped_reply_is_kept_as_far_as_it_was_said(table: Table) -> None:
    dialogue = await table.dialogue("One two three four five.")
    message = InboundMessage(KEY, ME, "m1", "Count.", datetime.now(UTC))
    question = await dialogue.memory.record_message(dialogue.session.id, message)

    async for event in dialogue.responder.answer(dialogue.session, question):
        if isinstance(event, Piece):
            await dialogue.responder.stop(dialogue.session.id)

    assert isinstance(event, Answered)
    assert event.written.finish_reason is FinishReason.CANCELLED
    assert await dialogue.remembered() == ["Count.", "One"]


async def test_a_reply_that_is_stopped_before_it_is_asked_for_is_never_drawn(table: Table) -> None:
    dialogue = await table.dialogue("Never said.")
    message = InboundMessage(KEY, ME, "m1", "Count.", datetime.now(UTC))
    question = await dialogue.memory.record_message(dialogue.session.id, message)
    answering = asyncio.create_task(dialogue.hear(question))
    await asyncio.sleep(0)

    await dialogue.responder.stop(dialogue.session.id)

    assert await answering == ""
    assert dialogue.backend.requests == []
    assert await dialogue.remembered() == ["Count."]


async def test_a_reply_that_fails_leaves_the_question_to_be_answered(table: Table) -> None:
    dialogue = await table.dialogue("", "", "", "Here I am.")

    with pytest.raises(RequestFailed):
        await dialogue.say("Are you there?")

    assert await dialogue.remembered() == ["Are you there?"]
    assert await dialogue.command("/regenerate") == "Here I am."


async def test_a_long_dialogue_keeps_its_prompt_within_the_window(table: Table) -> None:
    dialogue = await table.dialogue(*[f"Yes, {n}." for n in range(40)])
    starts = []
    for n in range(40):
        await dialogue.say(f"Is it {n}?")
        prompt = dialogue.backend.requests[-1].prompt
        assert len(prompt.token_ids) <= 200 - 16
        starts.append(prompt.start_turn_id)

    assert starts[0] != starts[-1]
    assert len(set(starts)) < len(starts) / 2  # it is trimmed in steps


async def test_a_persona_that_is_not_there_is_an_error_that_names_the_others(table: Table) -> None:
    with pytest.raises(SettingsError, match="there are banter, pirate"):
        table.voices.persona("nobody")


async def test_who_speaks_is_remembered(table: Table) -> None:
    dialogue = await table.dialogue("Hi.")
    await dialogue.say("Hello.")

    turns = [told.turn for told in await table.memory.transcript(dialogue.session.id, 10)]

    assert [(turn.role, turn.speaker) for turn in turns] == [(Role.PERSON, "Me"), (Role.ASSISTANT, "")]


async def test_a_request_is_owned_by_the_person_who_asks(table: Table) -> None:
    dialogue = await table.dialogue("Hi.")
    await dialogue.say("Hello.")

    assert dialogue.backend.requests[0].owner == Owner("terminal", "", ME.platform_id)


async def test_a_session_has_one_name_for_the_engine_that_no_other_one_has(table: Table, tmp_path: Path) -> None:
    dialogue = await table.dialogue("Blue.", "blue.", "Red.", "Fine.")
    await dialogue.say("A colour?")
    await dialogue.command("/regenerate")
    async with Database(f"sqlite:///{tmp_path}/another.db") as database:
        await prepare(database)
        elsewhere = await Table(Memory(database), table.voices).dialogue("Hi.")
        await elsewhere.say("Hello.")
    await dialogue.command("/new")
    await dialogue.say("Hello.")

    first, *redrawn, new = [request.session for request in dialogue.backend.requests]
    assert redrawn == [first, first]
    assert len({first, new, elsewhere.backend.requests[0].session}) == 3


async def test_a_question_that_is_no_longer_there_is_not_answered(table: Table) -> None:
    dialogue = await table.dialogue("never said")
    gone = Turn(4711, Role.PERSON, "hello")

    with pytest.raises(StorageError, match="no longer in session"):
        await dialogue.hear(gone)

    assert dialogue.backend.requests == []
