"""Raw answers are taken apart, and each update is understood by itself or kept as a dead letter."""

import json

import pytest

from adapters.telegram.updates import KINDS, Answer, Understood, Updates, read_answer, read_broken_answer
from core.dialogue import InboundMessage
from core.ports import Arrival
from tests.unit.telegram.recorded import ACCOUNT, PlainButtons, recorded


@pytest.fixture
def updates() -> Updates:
    return Updates(ACCOUNT, PlainButtons())


def message_in(understood: Understood) -> InboundMessage:
    [arrival] = understood.arrivals
    assert isinstance(arrival.inbound, InboundMessage)
    return arrival.inbound


def test_an_answer_is_the_updates_and_the_offset_that_confirms_them() -> None:
    body = b'{"ok": true, "result": [{"update_id": 7, "a": "\xc3\xa9"}, {"update_id": 9}]}'

    assert read_answer(body) == Answer(('{"update_id": 7, "a": "é"}', '{"update_id": 9}'), 10)


def test_an_empty_answer_confirms_nothing() -> None:
    assert read_answer(b'{"ok": true, "result": []}') == Answer((), None)


@pytest.mark.parametrize("update_id", ["true", "-5", '"7"', "null", "1e3", "9" * 30, "[7]"])
def test_what_is_no_id_confirms_nothing(update_id: str) -> None:
    body = f'{{"ok": true, "result": [{{"update_id": {update_id}}}, {{"update_id": 3}}]}}'

    assert read_answer(body.encode()).next_offset == 4


def test_a_number_that_is_too_long_for_a_computer_spoils_nothing() -> None:
    answer = read_answer(b'{"result": [{"update_id": 3, "message": {"date": ' + b"9" * 9000 + b"}}]}")

    assert answer.next_offset == 4


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"ok": true}',
        b'{"result": 5}',
        b'{"result": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
    ],
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"it|Expecting|char"):
        read_answer(body)


def test_an_update_that_spoils_its_answer_is_known_by_its_id_alone() -> None:
    body = b'{"ok": true, "result": [{"update_id": 41, "message": ' + b"[" * 100_000

    broken = read_broken_answer(body)

    assert broken.next_offset == 42
    assert body.decode().startswith(broken.updates[0])
    assert 1000 < len(broken.updates[0]) < len(body)  # enough to see what it was


def test_what_has_no_id_is_no_update() -> None:
    with pytest.raises(ValueError, match="no update"):
        read_broken_answer(b"<html>")


def test_an_update_is_kept_as_it_came(updates: Updates) -> None:
    raw = recorded("private_text")

    assert updates.understand(raw).arrivals[0].raw == raw


def test_a_press_waits_for_an_answer_whoever_made_its_data(updates: Updates) -> None:
    assert updates.understand(recorded("press")).query_id == "4382bfdwdsb323b2d9"
    assert updates.understand(recorded("press_forged")) == Understood((), "4382bfdwdsb323b2e1")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "null",
        "[]",
        '"text"',
        "{",
        '{"message": 5}',
        '{"update_id": 1, "message": {}}',
        '{"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": 5}}',
        '{"update_id": 1, "message": {"message_id": "x", "date": 1, "chat": {"id": 1, "type": "group"}, "text": "a"}}',
        '{"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "group"}, "text": "a"}}',
        "[" * 100_000,
        '{"update_id": 1, "edited_message": ' + '{"reply_to_message": ' * 5000 + "{}" + "}" * 5001,
    ],
)
def test_what_can_not_be_understood_is_a_dead_letter(updates: Updates, raw: str) -> None:
    [arrival] = updates.understand(raw).arrivals

    assert (arrival.raw, arrival.inbound) == (raw, None)
    assert arrival.error.startswith("an update was not understood: ")


def test_a_dead_letters_reason_repeats_nothing_of_it(updates: Updates) -> None:
    update = json.loads(recorded("private_text"))
    update["message"]["text"] = ["a secret"]
    update["message"]["date"] = "a secret"

    [arrival] = updates.understand(json.dumps(update)).arrivals

    assert arrival.error
    assert "secret" not in arrival.error


def test_fields_that_are_not_known_yet_spoil_nothing(updates: Updates) -> None:
    update = json.loads(recorded("private_text"))
    update["message"]["something_new"] = {"deep": [1]}

    assert message_in(updates.understand(json.dumps(update))).text == "What is rain?"


def test_kinds_that_are_not_known_yet_say_nothing(updates: Updates) -> None:
    assert updates.understand('{"update_id": 1, "something_new": {"id": 5}}') == Understood()


def test_the_first_question_of_a_new_topic_names_it_however_telegram_tells_that(updates: Updates) -> None:
    updates.understand(recorded("private_topic_created"))

    first = message_in(updates.understand(recorded("private_topic_unlinked")))
    second = message_in(updates.understand(recorded("private_topic_unlinked")))

    assert (first.wants_title, second.wants_title) == (True, False)


def test_what_the_core_hears_of_is_asked_for() -> None:
    assert "message_reaction" in KINDS
    assert "my_chat_member" not in KINDS


def test_a_deletion_of_many_messages_is_as_many_arrivals(updates: Updates) -> None:
    raw = recorded("business_deleted")

    assert [type(one) for one in updates.understand(raw).arrivals] == [Arrival, Arrival]
