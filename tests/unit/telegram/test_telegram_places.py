"""Names of messages and threads, there and back."""

import pytest

from adapters.telegram.places import message_name, message_number, topic_of
from adapters.telegram.told import NotUnderstood
from core.dialogue import SessionKey
from tests.unit.telegram.recorded import ANNA, CONNECTION, key


@pytest.mark.parametrize("place", [key(ANNA), key(ANNA, "21"), key(ANNA, connection=CONNECTION)])
def test_a_messages_name_leads_back_to_its_number(place: SessionKey) -> None:
    assert message_number(message_name(place, 17)) == 17


def test_messages_of_one_person_in_two_chats_have_two_names() -> None:
    assert message_name(key(ANNA), 17) != message_name(key(ANNA, connection=CONNECTION), 17)


@pytest.mark.parametrize(("thread", "topics"), [("", (None, None)), ("21", (21, None)), ("d5002", (None, 5002))])
def test_a_thread_is_one_of_two_kinds_of_topics(thread: str, topics: tuple[int | None, int | None]) -> None:
    assert topic_of(thread) == topics


@pytest.mark.parametrize("message_id", [True, "17", None, 1.0, 1 << 63, {}])
def test_what_is_no_number_names_no_message(message_id: object) -> None:
    with pytest.raises(NotUnderstood):
        message_name(key(ANNA), message_id)
