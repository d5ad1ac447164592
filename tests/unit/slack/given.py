"""Two people, and everything of Slack's own that they can do: what each was given is theirs alone."""

from adapters.slack.buttons import Buttons
from adapters.slack.home import Home, HomeAction, Visitor, home_view
from adapters.slack.labels import HomeLabels, ModalLabels
from adapters.slack.modals import ask_modal, settings_modal
from core.dialogue import SessionKey
from tests.unit.slack.acted import (
    ANNA,
    CHANNEL,
    DIRECT,
    OMAR,
    ROOT,
    SEALS,
    TEAM,
    Body,
    command,
    dialogue_in,
    home_press,
    key,
    picked,
    press,
    shortcut,
    submission,
    written,
)
from tests.unit.slack.views import buttons_in

BUTTONS = Buttons(b"the database's own")
#: What each of them was given buttons and modals for.
GIVEN = {ANNA: (CHANNEL, DIRECT), OMAR: ("C0SECRET", "D0OMAR")}
#: What each of them sees.
HOMES = {
    person: Home((dialogue_in(key(channel, ROOT), f"What {person} said"),), ("banter", "pirate"), {"de": "Deutsch"})
    for person, (channel, _) in GIVEN.items()
}


def _everything_given_to(person: str) -> list[Body]:
    channel, direct = GIVEN[person]
    place = key(channel, ROOT)
    [dialogue] = HOMES[person].dialogues
    home = home_view(HOMES[person], Visitor(TEAM, person, direct), SEALS, HomeLabels())
    pressed = [
        home_press(action, value=button["value"]) for action in HomeAction for button in buttons_in(home, action.value)
    ]
    asked = submission(ask_modal(place, "rain", person, SEALS, ModalLabels()), {"question": written("why?")})
    settings = settings_modal(dialogue, HOMES[person], person, SEALS, ModalLabels())
    chosen = submission(settings, {"persona": picked("pirate"), "language": picked("de"), "streaming": picked("on")})
    bodies = [*pressed, asked, chosen, *(press(value) for value in _values_below_a_reply(place)), shortcut()]
    for body in bodies:
        body["user"]["id"] = person
        if "channel" in body:
            body["channel"]["id"] = body.get("container", {})["channel_id"] = channel
    return [*bodies, command("ask why?", channel, user_id=person)]


def _values_below_a_reply(place: SessionKey) -> list[str]:
    context, again = BUTTONS.below(place, "0123456789abcdef0123")
    feedback = context["elements"][0]
    return [feedback["positive_button"]["value"], feedback["negative_button"]["value"], again["elements"][0]["value"]]


#: Nobody has spoilt it.
WHOLE = [body for person in GIVEN for body in _everything_given_to(person)]
