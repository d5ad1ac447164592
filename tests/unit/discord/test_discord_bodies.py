"""What a message consists of besides its text: buttons, whom it calls, and how loudly."""

import json
from dataclasses import replace

from adapters.discord.bodies import FILE_NAME, Bodies, usual_flags
from adapters.discord.buttons import Buttons
from adapters.opinion_values import OpinionValues
from core.dialogue import Opinion, Platform, SessionKey
from core.ports import Outgoing

VALUES = OpinionValues(b"a secret")
BUTTONS = Buttons(VALUES)
BODIES = Bodies(BUTTONS)
OPEN = Outgoing(SessionKey(Platform.DISCORD, "1", "2", "3", "7"), "4", "token", 0, "hello", is_drawn=True)
WHOLE = replace(OPEN, is_closed=True)
LAST = replace(WHOLE, is_last=True)


def opinions(part: Outgoing, channel: str = "7") -> list[Opinion | None]:
    rows = json.loads(json.dumps(BUTTONS.below(part, channel)))
    return [VALUES.opinion(button["custom_id"], channel) for row in rows for button in row["components"]]


def test_a_reply_can_be_stopped_while_it_is_written_and_judged_when_it_is_whole() -> None:
    assert opinions(OPEN) == [Opinion.STOP]
    assert opinions(WHOLE) == []
    assert opinions(LAST) == [Opinion.REGENERATE, Opinion.GOOD, Opinion.BAD]
    assert opinions(replace(LAST, is_drawn=False)) == []
    assert opinions(replace(OPEN, is_drawn=False)) == []


def test_a_button_names_its_part_in_its_channel_and_fits() -> None:
    long = replace(OPEN, token="t" * 20, part=123)
    for part in (OPEN, LAST, long):
        for row in json.loads(json.dumps(BUTTONS.below(part, "7"))):
            for button in row["components"]:
                assert len(button["custom_id"]) <= 100
                assert BUTTONS.names(button["custom_id"], part, "7")
                assert not BUTTONS.names(button["custom_id"], replace(part, part=1), "7")
                assert not BUTTONS.names(button["custom_id"], part, "8")


def test_nobody_is_called_but_the_asker_and_by_the_first_part_alone() -> None:
    assert BODIES.of(OPEN, "7").json["allowed_mentions"] == {"parse": [], "replied_user": True}
    assert BODIES.of(replace(OPEN, part=1), "7").json["allowed_mentions"] == {"parse": [], "replied_user": False}


def test_addresses_show_no_pictures_and_later_parts_make_no_sound() -> None:
    assert BODIES.of(OPEN, "7", usual_flags(OPEN)).json["flags"] == 4
    later = replace(OPEN, part=1)
    assert BODIES.of(later, "7", usual_flags(later)).json["flags"] == 4 | 4096
    beside = replace(OPEN, reply_to_id="i55.0")
    assert BODIES.of(beside, "7", usual_flags(beside)).json["flags"] == 4 | 4096
    assert usual_flags(replace(OPEN, reply_to_id="i55")) == 0


def test_a_long_text_goes_along_as_a_file_once_it_is_whole() -> None:
    text = "Regen fällt. " * 400
    assert BODIES.of(replace(OPEN, markdown=text), "7").file is None

    body = BODIES.of(replace(LAST, markdown=text), "7", more={"nonce": "n"})

    assert body.file == text.encode()
    assert body.json["attachments"] == [{"id": 0, "filename": FILE_NAME}]
    assert body.json["nonce"] == "n"
    assert BODIES.of(replace(LAST, markdown="x" * 2000), "7").file is None
