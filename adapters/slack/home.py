"""App Home: a person's own dialogues, what can be chosen for each, and how all of it is forgotten. Pure.

Nobody but the person sees it, and its buttons are sealed for that person.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from adapters.seals import Purpose, Seals
from adapters.slack.block_kit import (
    Block,
    actions,
    button,
    confirmation,
    context,
    divider,
    header,
    section,
)
from adapters.slack.labels import HomeLabels
from adapters.slack.places import facts_of
from core.dialogue import Person, SessionKey

#: Three blocks each, of the 100 that a view may have.
_MOST_DIALOGUES = 25
_TITLE_CHARS = 120
_CHANNEL = re.compile(r"[CG][A-Z0-9]+")


class HomeAction(StrEnum):
    """The `action_id`s of its buttons, and what their values are sealed for."""

    SETTINGS = "home.settings"
    FORGET = "home.forget"
    FORGET_ME = "home.forget_me"


@dataclass(frozen=True, slots=True)
class HomeDialogue:
    key: SessionKey
    #: Untrusted text; "" where it has none.
    title: str
    last_active: datetime
    persona: str
    #: A tag; "" is the place's own.
    language: str = ""
    streaming: bool = True
    #: Whether settings and erasure are this person's to decide.
    may_decide: bool = True


@dataclass(frozen=True, slots=True)
class Home:
    """What a person can see and choose."""

    #: The last active first.
    dialogues: tuple[HomeDialogue, ...] = ()
    personas: tuple[str, ...] = ()
    #: Each language's tag, and what its speakers call it.
    languages: Mapping[str, str] = field(default_factory=dict)

    def without(self, key: SessionKey) -> "Home":
        return replace(self, dialogues=tuple(one for one in self.dialogues if one.key != key))

    def dialogue(self, key: SessionKey) -> HomeDialogue | None:
        return next((one for one in self.dialogues if one.key == key), None)


class HomeBook(Protocol):
    """What is remembered, as far as people are shown it."""

    async def of(self, person: Person) -> Home:
        """The name of the person may be unknown. Raises StorageError."""
        ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who opened App Home."""

    workspace: str
    person: str
    #: Where the person and the bot write to each other.
    direct_messages: str

    def purpose(self, action: HomeAction) -> Purpose:
        return Purpose(action.value, self.workspace, self.person)


def home_view(home: Home, visitor: Visitor, seals: Seals, labels: HomeLabels, notice: str = "") -> Block:
    """As `views.publish` takes it; `notice` says what was just done."""
    blocks = [header(labels.title), section(labels.hint)]
    if notice:
        blocks.append(section(notice))
    if not home.dialogues:
        blocks.append(section(labels.empty))
    for dialogue in home.dialogues[:_MOST_DIALOGUES]:
        blocks += _dialogue_blocks(dialogue, visitor, seals, labels)
    return {"type": "home", "blocks": [*blocks, divider(), _forget_me(visitor, seals, labels)]}


def _dialogue_blocks(dialogue: HomeDialogue, visitor: Visitor, seals: Seals, labels: HomeLabels) -> Iterator[Block]:
    yield section(dialogue.title or labels.untitled, _TITLE_CHARS)
    yield context(f"{_where(dialogue.key, labels)} · {_when(dialogue.last_active)}")
    if not dialogue.may_decide:
        return
    facts = facts_of(dialogue.key) | {"direct_messages": visitor.direct_messages}
    sure = confirmation(labels.forget_sure, labels.forget_hint, labels.yes, labels.no)
    yield actions(
        [
            button(
                labels.settings, HomeAction.SETTINGS.value, seals.sealed(visitor.purpose(HomeAction.SETTINGS), facts)
            ),
            button(
                labels.forget, HomeAction.FORGET.value, seals.sealed(visitor.purpose(HomeAction.FORGET), facts), sure
            ),
        ]
    )


def _forget_me(visitor: Visitor, seals: Seals, labels: HomeLabels) -> Block:
    facts = {"direct_messages": visitor.direct_messages}
    sure = confirmation(labels.forget_me_sure, labels.forget_me_hint, labels.yes, labels.no)
    value = seals.sealed(visitor.purpose(HomeAction.FORGET_ME), facts)
    return actions([button(labels.forget_me, HomeAction.FORGET_ME.value, value, sure)])


def _where(key: SessionKey, labels: HomeLabels) -> str:
    """Slack shows a channel's name to those alone who may know it."""
    if _CHANNEL.fullmatch(key.channel):
        return f"<#{key.channel}>"
    return " ".join(labels.direct_message.replace("<", "").replace(">", "").split())


def _when(moment: datetime) -> str:
    """Each reader's own time."""
    fallback = moment.strftime("%Y-%m-%d %H:%M")
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"
