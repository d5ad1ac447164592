"""Which messages are the bot's to answer, and as whom it answers them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.access import Access, Listed, Name
from core.dialogue import Called, Edit, Platform
from core.policy import USUAL_CALLINGS, Attention, Calling, Calls, Manner, Policy
from tests.unit.spoken import DM, GUILD, NOON, THREAD, person, said

BANTER = Manner("banter")
MENTION = Called(by_mention=True)


def policy(**changes: object) -> Policy:
    return Policy(replace(BANTER, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("called", [Called(directly=True), MENTION, Called(by_reply=True), Called(by_command=True)])
def test_whoever_calls_the_bot_is_answered(called: Called) -> None:
    assert policy().attention(said(called=called)) is Attention.ANSWER


def test_what_people_say_to_each_other_is_nobodys_business() -> None:
    assert policy().attention(said("see you tomorrow")) is Attention.IGNORE


@pytest.mark.parametrize(
    ("left_out", "called"),
    [
        (Calling.DIRECT, Called(directly=True)),
        (Calling.MENTION, MENTION),
        (Calling.REPLY, Called(by_reply=True)),
        (Calling.COMMAND, Called(by_command=True)),
    ],
)
def test_a_rule_can_be_switched_off(left_out: Calling, called: Called) -> None:
    quieter = policy(calls=Calls(USUAL_CALLINGS - {left_out}))

    assert quieter.attention(said(called=called)) is Attention.IGNORE


@pytest.mark.parametrize(
    ("text", "is_for_the_bot"),
    [
        ("!b what now", True),
        ("!B what now", True),
        ("bot what now", True),
        ("bottle of wine", False),
        ("what now !b", False),
        ("!b", False),
        ("b what now", False),
    ],
)
def test_a_prefix_calls_the_bot(text: str, is_for_the_bot: bool) -> None:
    prefixed = policy(calls=Calls(prefixes=("!b", "bot")))

    assert (prefixed.attention(said(text)) is Attention.ANSWER) == is_for_the_bot


def test_a_prefix_is_not_part_of_what_was_said() -> None:
    prefixed = policy(calls=Calls(prefixes=("!b",)))

    assert prefixed.received(said("!B  what now")).text == "what now"
    assert prefixed.received(said("what !b now")).text == "what !b now"
    assert prefixed.corrected(Edit(GUILD, person(), "m1", "2", "!b and now")).text == "and now"


def test_a_prefix_that_is_switched_off_stays_part_of_what_was_said() -> None:
    deaf = policy(calls=Calls(USUAL_CALLINGS - {Calling.PREFIX}, prefixes=("!b",)))

    assert deaf.attention(said("!b what now")) is Attention.IGNORE
    assert deaf.received(said("!b what now", called=MENTION)).text == "!b what now"


@pytest.mark.parametrize(
    ("text", "is_for_the_bot"),
    [
        ("Banter, are you there?", True),
        ("ask BANTER", True),
        ("friendly banters", False),
        ("_banter_", False),
        ("¿Qué dices, Bänter?", False),
        ("what does R2.D2 say", True),
        ("what does R2xD2 say", False),
    ],
)
def test_a_name_calls_the_bot_as_a_word_of_its_own(text: str, is_for_the_bot: bool) -> None:
    named = policy(calls=Calls(names=("Banter", "R2.D2")))

    assert (named.attention(said(text)) is Attention.ANSWER) == is_for_the_bot


def test_a_thread_is_followed_where_a_dialogue_is_going_on() -> None:
    assert policy().attention(said(key=THREAD)) is Attention.FOLLOW_UP
    assert policy(calls=Calls(frozenset({Calling.MENTION}))).attention(said(key=THREAD)) is Attention.IGNORE


def test_bots_are_not_answered_and_least_of_all_itself() -> None:
    assert policy().attention(replace(said(called=MENTION), is_from_bot=True)) is Attention.IGNORE
    assert policy().attention(said(by="banter", called=MENTION)) is Attention.IGNORE


def test_nothing_is_not_answered() -> None:
    assert policy().attention(said("", called=MENTION)) is Attention.IGNORE


def test_a_group_is_overheard_only_where_that_is_switched_on() -> None:
    here, elsewhere = said("see you"), said("see you", key=replace(GUILD, channel="other"))
    listening = Policy(BANTER, {(Platform.DISCORD, "guild", "general"): replace(BANTER, overhears=True)})

    assert listening.attention(here) is Attention.OVERHEAR
    assert listening.attention(elsewhere) is Attention.IGNORE
    assert listening.attention(replace(here, is_from_bot=True)) is Attention.IGNORE
    assert listening.aside(said(key=THREAD)) is Attention.OVERHEAR


def test_what_a_person_who_is_shut_out_says_is_not_overheard() -> None:
    denied = Access(denied=Listed(people=frozenset({Name(Platform.DISCORD, "guild", "anna")})))

    assert Policy(replace(BANTER, overhears=True), access=denied).attention(said("see you")) is Attention.IGNORE


def test_a_channel_goes_before_its_workspace_and_that_before_everything_else() -> None:
    places = {
        (Platform.DISCORD, "guild", "general"): Manner("pirate"),
        (Platform.DISCORD, "guild", ""): Manner("clerk"),
    }
    several = Policy(BANTER, places)

    assert several.manner(GUILD).persona == several.manner(THREAD).persona == "pirate"
    assert several.manner(replace(GUILD, channel="other")).persona == "clerk"
    assert several.manner(replace(GUILD, workspace="other")).persona == "banter"
    assert several.manner(replace(GUILD, platform=Platform.SLACK)).persona == "banter"


def test_a_group_shares_a_dialogue_or_each_has_their_own() -> None:
    assert policy().received(said(by="ben")).session_key == GUILD
    assert policy(each_alone=True).received(said(by="ben")).session_key == replace(GUILD, person="ben")


def test_a_private_chat_has_one_person_anyway() -> None:
    alone = said(key=DM, called=Called(directly=True))

    assert policy(each_alone=True).received(alone).session_key == DM


def test_a_dialogue_is_over_when_nobody_spoke_for_long() -> None:
    assert policy().expires_before(GUILD, NOON) is None
    assert policy(idle_s=3600.0).expires_before(GUILD, NOON) == NOON - timedelta(hours=1)


def test_a_place_where_everything_is_for_the_bot() -> None:
    everything = policy(calls=Calls(frozenset({Calling.ALWAYS})))

    assert everything.attention(said()) is Attention.ANSWER
    assert everything.attention(replace(said(), is_from_bot=True)) is Attention.IGNORE
    assert policy().attention(said()) is Attention.IGNORE


def test_pointing_at_something_says_enough() -> None:
    mention = replace(said(text="", called=Called(by_mention=True)))

    assert policy().attention(mention) is Attention.IGNORE
    assert policy().attention(replace(mention, quotes="What is rain?")) is Attention.ANSWER
