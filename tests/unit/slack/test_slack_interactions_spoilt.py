"""Whatever comes instead of an interaction: it is understood or it is not, and nobody does what is not theirs."""

from collections import Counter

import pytest

from adapters.payloads import NotUnderstood
from adapters.slack.api import Clients
from adapters.slack.interactions import Known
from adapters.slack.labels import NativeLabels
from adapters.slack.native import Native
from core.dialogue import Feedback, Inbound, InboundMessage
from tests.fuzz.spoilt import spoilt
from tests.unit.slack.acted import APP, ROOT, SEALS, TEAM, WORKSPACE, PaperBook, key
from tests.unit.slack.given import BUTTONS, GIVEN, WHOLE

SPOILT = 10_000
NATIVE = Native(Known(APP, BUTTONS, SEALS), Clients(), PaperBook(), NativeLabels())


@pytest.fixture(autouse=True, scope="module")
def _everything_that_was_given_works() -> None:
    assert [len(NATIVE.understand(body, WORKSPACE)) for body in WHOLE] == [0, 1, 1, 1, 2, 1, 1, 1, 0, 1] * 2


def test_nothing_is_raised_and_nothing_forged_gets_through() -> None:
    came_to: Counter[str] = Counter()
    for body in spoilt(WHOLE, SPOILT, 20_261_122):
        NATIVE.ack_of(body)
        try:
            found = NATIVE.understand(body, WORKSPACE)
        except NotUnderstood:
            came_to["not understood"] += 1
            continue
        came_to[type(found[0]).__name__ if found else "nothing"] += 1
        for one in found:
            assert (one.session_key.bot, one.session_key.workspace) == (APP, TEAM)
            assert is_allowed(one, is_slash="command" in body), (one, body)
    # spoilt indeed, and not all of it beyond understanding
    assert min(came_to[kind] for kind in ("not understood", "nothing", "Feedback", "InboundMessage")) > SPOILT / 50


def is_allowed(one: Inbound, *, is_slash: bool) -> bool:
    """Buttons of a reply are for all in its channel; the rest is for whom it was made."""
    place = one.session_key
    if isinstance(one, Feedback):
        return place.channel in {channel for channel, _ in GIVEN.values()}
    assert isinstance(one, InboundMessage)
    if is_slash:
        return place.person == one.person.platform_id and place.thread == ""
    if one.person.platform_id not in GIVEN:
        return False
    channel, direct = GIVEN[one.person.platform_id]
    if one.text.startswith("/forget me"):
        return place == key(direct)
    return place == key(channel, ROOT)
