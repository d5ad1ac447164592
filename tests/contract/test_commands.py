"""What every command does to what is remembered, and who may say it where."""

from dataclasses import replace

import pytest

from core.access import Rank
from core.commands.command import Asker
from core.commands.commands import COMMANDS
from core.dialogue import FinishReason, Person, Platform, SessionKey
from core.memory.recording import ReplyRecord
from core.memory.sessions import Session
from core.memory.store import Memory
from tests.contract.commanding import RememberedPrivacy, Table, alone, in_company
from tests.contract.speaking import ANNA, KEY, exchange, message, reply, say, texts

BERT = Person(Platform.DISCORD, workspace="guild", platform_id="18", name="Bert")


@pytest.fixture
async def table(memory: Memory) -> Table:
    return await Table.laid(memory)


async def cut(memory: Memory, session: Session, reason: FinishReason) -> None:
    asked = await say(memory, session, "Count.")
    await memory.record_reply(session.id, asked.id, replace(reply("one two", 1, 2), finish_reason=reason))


class TestDialogue:
    async def test_a_new_dialogue_keeps_who_speaks_and_what_was_chosen(self, table: Table) -> None:
        await table.hears("/persona use pirate")
        await table.hears("/settings language es")
        await table.hears("/settings streaming off")
        earlier = table.session

        assert await table.answers("/new") == "Empieza un nuevo diálogo."

        fresh = table.session
        assert fresh.id != earlier.id
        assert (fresh.persona, fresh.model, fresh.language, fresh.streaming) == ("pirate", "big", "es", False)
        assert await table.memory.find_session(KEY) == fresh

    async def test_undo_takes_one_exchange_back(self, table: Table) -> None:
        await exchange(table.memory, table.session, "one", "1")
        await exchange(table.memory, table.session, "two", "2")

        assert await table.answers("/undo") == "Taken back: two"
        assert await texts(table.memory, table.session) == ["one", "1"]

    async def test_only_moderators_take_somebody_elses_message_back(self, table: Table) -> None:
        await exchange(table.memory, table.session, "one", "1")

        refused = await table.answers("/undo", in_company(BERT))
        kept = await texts(table.memory, table.session)
        carried_out = await table.answers("/undo", in_company(BERT, Rank.MODERATOR))

        assert refused == "The last message is somebody else's; moderators can take it back."
        assert kept == ["one", "1"]
        assert carried_out == "Taken back: one"

    async def test_everybody_takes_their_own_message_back(self, table: Table) -> None:
        await exchange(table.memory, table.session, "one", "1")

        assert await table.answers("/undo", in_company(ANNA)) == "Taken back: one"

    @pytest.mark.parametrize("reason", [FinishReason.LENGTH, FinishReason.CANCELLED, FinishReason.DEADLINE])
    async def test_a_reply_that_was_cut_is_gone_on_with(self, table: Table, reason: FinishReason) -> None:
        await cut(table.memory, table.session, reason)

        told = await table.hears("/continue")

        assert told.text == ""
        assert told.answer_again is not None
        assert told.answer_again.text == "Count."
        assert told.continues is not None
        assert told.continues.text == "one two"
        assert told.continues.tokens is not None
        assert told.continues.tokens.ids == (1, 2)

    @pytest.mark.parametrize("reason", [FinishReason.STOP, FinishReason.LOOP])
    async def test_a_reply_that_came_to_its_end_is_not(self, table: Table, reason: FinishReason) -> None:
        await cut(table.memory, table.session, reason)

        told = await table.hears("/continue")

        assert told.text == "My last reply was not cut; there is nothing to go on with."
        assert told.answer_again is None

    async def test_without_a_reply_there_is_nothing_to_go_on_with(self, table: Table) -> None:
        assert await table.answers("/continue") == "There is no reply to go on with."
        await say(table.memory, table.session, "Are you there?")
        assert await table.answers("/continue") == "There is no reply to go on with."

    async def test_stop_without_a_reply_stops_nothing(self, table: Table) -> None:
        assert await table.answers("/stop") == "There is nothing to stop."


class TestSpeaking:
    async def test_a_model_speaks_from_now_on(self, table: Table) -> None:
        assert await table.answers("/model") == "  big\n  other\n* tiny\n/model use NAME changes it."
        assert await table.answers("/model use other") == "other speaks from now on."
        assert await table.answers("/model show") == "other speaks."
        assert (await table.memory.session(table.session.id)) == table.session
        assert (table.session.persona, table.session.model) == ("banter", "other")

    async def test_a_model_that_is_not_configured_is_not_used(self, table: Table) -> None:
        told = await table.answers("/model use /etc/passwd")

        assert told == "There is no model '/etc/passwd' here; there are big, other, tiny."
        assert table.session.model == "tiny"

    async def test_a_persona_brings_its_model(self, table: Table) -> None:
        assert await table.answers("/persona use pirate") == "You talk to pirate now, with big."
        assert (table.session.persona, table.session.model) == ("pirate", "big")

    async def test_a_persona_is_shown(self, table: Table) -> None:
        assert await table.answers("/persona show pirate") == "pirate, with big: Say arr."
        assert await table.answers("/persona show mute") == "mute, with tiny: (no system prompt)"

    async def test_a_name_that_is_far_too_long_is_not_repeated(self, table: Table) -> None:
        assert len(await table.answers(f"/persona use {'x' * 100_000}")) < 200
        assert len(await table.answers(f"/{'x' * 100_000}")) < 200


class TestSettings:
    async def test_they_are_shown(self, table: Table) -> None:
        assert await table.answers("/settings") == (
            "language: English (en)\nmodel: tiny\npersona: banter\nstreaming: on\n/settings NAME VALUE changes one."
        )

    async def test_the_program_speaks_the_chosen_language_at_once(self, table: Table) -> None:
        assert (await table.answers("/settings language ar")).startswith("سأتحدث")
        assert await table.answers("/undo") == "لا شيء لسحبه."
        assert await table.answers("/settings language default") == (
            "I speak English with you from now on, as far as the words are mine."
        )
        assert table.session.language == ""

    async def test_the_places_language_is_spoken_where_nobody_chose(self, table: Table) -> None:
        spanish = Asker(ANNA, language="es-MX")

        assert await table.answers("/undo", spanish) == "No hay nada que retirar."

    async def test_streaming_goes_off_and_on(self, table: Table) -> None:
        assert await table.answers("/settings streaming off") == "Replies are shown when they are whole."
        assert not table.session.streaming
        assert await table.answers("/settings streaming maybe") == "streaming is on or off."
        assert not table.session.streaming
        assert await table.answers("/settings STREAMING On") == "Replies are shown while they are written."
        assert table.session.streaming

    async def test_persona_and_model_are_settings_too(self, table: Table) -> None:
        await table.hears("/settings persona pirate")
        await table.hears("/settings model other")

        assert (table.session.persona, table.session.model) == ("pirate", "other")

    async def test_what_there_is_not_is_told(self, table: Table) -> None:
        assert await table.answers("/settings colour red") == (
            "There is no setting 'colour'; there are language, model, persona, streaming."
        )
        assert await table.answers("/settings language tlh") == (
            "I know these languages: en (English), ar (العربية), es (español)."
        )


class TestWhoMay:
    @pytest.mark.parametrize(
        "line",
        ["/persona use pirate", "/model use other", "/settings streaming off", "/settings language es"],
    )
    async def test_in_company_only_moderators_change_what_concerns_all(self, table: Table, line: str) -> None:
        before = table.session

        assert await table.answers(line, in_company()) == "Only moderators may do that here."
        assert await table.memory.session(before.id) == before
        await table.hears(line, in_company(rank=Rank.MODERATOR))
        assert replace(table.session, last_active_at=before.last_active_at) != before

    async def test_in_a_dialogue_of_their_own_everybody_decides(self, memory: Memory) -> None:
        own = SessionKey(Platform.DISCORD, "banter", "guild", "general", person=ANNA.platform_id)
        table = Table(memory, await memory.open_session(own, "banter", "tiny"))

        assert await table.answers("/persona use pirate", in_company(BERT)) == "Only moderators may do that here."
        assert await table.answers("/persona use pirate", in_company(ANNA)) == "You talk to pirate now, with big."

    @pytest.mark.parametrize("line", ["/link", "/link ABCD", "/unlink", "/export", "/export me"])
    async def test_what_is_somebodys_own_is_not_said_in_company(self, memory: Memory, line: str) -> None:
        table = await Table.laid(memory, RememberedPrivacy())

        assert await table.answers(line, in_company(rank=Rank.OPERATOR)) == "Please say that to me in private."

    async def test_help_lists_every_command_with_what_it_does(self, table: Table) -> None:
        lines = (await table.answers("/help")).splitlines()

        assert [line.split()[0] for line in lines] == [f"/{name}" for name in COMMANDS]
        assert lines[0] == "/new                                    begin a new dialogue"

    async def test_an_unknown_command_is_answered(self, table: Table) -> None:
        assert await table.answers("/dance now") == "There is no /dance. /help lists what there is."


class TestStatistics:
    async def test_they_are_of_the_dialogue_and_of_the_person(self, table: Table) -> None:
        memory, session = table.memory, table.session
        asked = await memory.record_message(session.id, message("one"))
        await memory.record_reply(session.id, asked.id, measured(prompt_tokens=10, queue_s=0.5, total_s=2.0))
        others = await memory.record_message(session.id, message("two", person=BERT))
        await memory.record_reply(session.id, others.id, measured(prompt_tokens=30, queue_s=1.5, total_s=4.0))

        assert (await table.answers("/stats")).splitlines() == [
            "This dialogue:",
            "- messages: 2, replies: 2",
            "- tokens read: 40, written: 6",
            "- mean wait: 1.00 s in the queue, 0.25 s to the first word, 3.00 s in all",
            "You:",
            "- messages: 1, replies: 1",
            "- tokens read: 10, written: 3",
            "- mean wait: 0.50 s in the queue, 0.25 s to the first word, 2.00 s in all",
        ]

    async def test_in_company_nothing_is_told_of_other_dialogues(self, table: Table) -> None:
        elsewhere = await table.memory.open_session(replace(KEY, channel="secret"), "banter", "tiny")
        await exchange(table.memory, elsewhere, "one", "1")

        assert "- messages: 1, replies: 1" in await table.answers("/stats", alone())
        assert "- messages: 1, replies: 1" not in await table.answers("/stats", in_company())

    async def test_without_a_reply_there_are_no_waits(self, table: Table) -> None:
        assert "wait" not in await table.answers("/stats")


def measured(prompt_tokens: int, queue_s: float, total_s: float) -> ReplyRecord:
    return replace(
        reply("yes", 1, 2, 3), prompt_tokens=prompt_tokens, queue_s=queue_s, first_token_s=0.25, total_s=total_s
    )
