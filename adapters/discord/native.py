"""Discord's own means: what people do with them is taken in, and answered within the three seconds that Discord allows.

Nothing is acknowledged before it is stored: where that does not work in time, the person is told to try again. The
token that an interaction can be answered with is kept before what it says is, so whoever answers finds it. Whoever is
shut out is told so, since nobody would ever end the waiting that Discord shows.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from adapters.discord.acked_tokens import AckedTokens
from adapters.discord.autocomplete import suggested
from adapters.discord.callback import call_back
from adapters.discord.choices import Choices
from adapters.discord.commands import CommandKind, CommandName, OptionName, What
from adapters.discord.components import Component
from adapters.discord.interaction import Interaction, Kind, read_interaction
from adapters.discord.interactions import (
    Opinions,
    Seen,
    acknowledged,
    completed,
    notice,
    opened,
    options_in,
    settings_of,
    to_inbound,
)
from adapters.discord.kept import raw_of
from adapters.discord.labels import LabelBook, NativeLabels
from adapters.discord.modals import ask_window, forget_window, settings_window, target_in
from adapters.discord.rest import Rest
from adapters.discord.targets import Targets
from adapters.handing_over import hand_over
from adapters.payloads import NotUnderstood, Payload, found_in, text_in
from adapters.seals import Seals
from core.errors import PlatformError, StorageError
from core.ports import Accept, Arrival

logger = logging.getLogger(__name__)

#: Of the three seconds that Discord waits; what is left is for the answer's way.
_ACCEPT_S = 1.8
#: Of that, for what a message can go without.
_LOOK_S = 0.8
#: Who shall answer.
_WISHES = frozenset({OptionName.PERSONA.value, OptionName.MODEL.value})

_Answer = dict[str, object]


@dataclass(frozen=True, slots=True)
class Known:
    """What interactions are held against."""

    bot_id: str
    opinions: Opinions
    seals: Seals
    #: Whether the bot is in a server.
    is_member: Callable[[str], bool]


class Native:
    """Of one bot."""

    def __init__(self, known: Known, rest: Rest, tokens: AckedTokens, choices: Choices, labels: LabelBook) -> None:
        self._known = known
        self._rest = rest
        self._tokens = tokens
        self._choices = choices
        self._labels = labels
        self._targets = Targets(rest, known.bot_id)

    async def receive(self, payload: Payload, accept: Accept) -> None:
        """Of an INTERACTION_CREATE. It ends within some seconds, and raises nothing."""
        came_at = time.monotonic()
        try:
            answer = await self._taken(payload, accept)
            if answer is not None:
                await call_back(self._rest, payload, answer, came_at)
        except (PlatformError, StorageError, TimeoutError) as error:
            logger.warning("an interaction was not answered: %s", error, extra={"action": "interaction"})
        except Exception as error:  # noqa: BLE001 - one interaction's trouble; its words may be a person's
            logger.error("an interaction was not answered: %s", type(error).__name__, extra={"action": "interaction"})
        finally:
            self._tokens.acked(text_in(payload, "id"))

    async def _taken(self, payload: Payload, accept: Accept) -> _Answer | None:
        """The answer; None where there is none to be given."""
        try:
            interaction = read_interaction(payload, self._known.bot_id, self._known.is_member)
        except NotUnderstood as error:
            await hand_over(accept, [Arrival(raw_of(payload), None, f"an interaction was not understood: {error}")])
            return None
        labels = self._labels.of(interaction.locale)
        if interaction.kind is Kind.AUTOCOMPLETE:
            return completed(suggested(interaction, self._choices))
        try:
            async with asyncio.timeout(_ACCEPT_S):
                return await self._answer(interaction, payload, accept, labels)
        except (StorageError, TimeoutError) as error:
            logger.warning("an interaction was not taken in: %s", error, extra={"action": "interaction"})
            return notice(labels.notices.try_again)

    async def _answer(
        self, interaction: Interaction, payload: Payload, accept: Accept, labels: NativeLabels
    ) -> _Answer:
        is_button = interaction.kind is Kind.BUTTON
        if not is_button and not self._choices.admits(settings_of(interaction)):
            return notice(labels.notices.not_here)
        window = None if is_button else await self._window(interaction, labels)
        if window is not None:
            return opened(window)
        said = to_inbound(interaction, await self._seen(interaction))
        if said and not is_button:
            await self._tokens.keep(interaction.id, text_in(payload, "token"))
        if said:
            raw = raw_of(payload)
            await hand_over(accept, [Arrival(raw, one) for one in said])
        return acknowledged(interaction, said, labels.notices)

    async def _window(self, interaction: Interaction, labels: NativeLabels) -> Component | None:
        """What is opened before anything is said; None where nothing is. Raises StorageError."""
        if interaction.kind is not Kind.COMMAND:
            return None
        if found_in(interaction.data, "type") == CommandKind.MESSAGE:
            return self._about_target(interaction, labels)
        match text_in(interaction.data, "name"):
            case CommandName.SETTINGS:
                chosen = await self._choices.at(settings_of(interaction))
                # who may not decide is shown what is chosen, as an answer
                return settings_window(chosen, self._choices, labels.modals) if chosen.may_decide else None
            case CommandName.FORGET if (what := options_in(interaction).get(OptionName.WHAT)) in list(What):
                return forget_window(What(what), labels.modals)
        return None

    def _about_target(self, interaction: Interaction, labels: NativeLabels) -> Component | None:
        target_id = text_in(interaction.data, "target_id")
        shown = found_in(interaction.data, "resolved", "messages", target_id)
        if not isinstance(shown, Mapping):
            return None
        target = self._targets.show(shown, interaction.channel, target_id)
        return ask_window(target_id, target.text, interaction, self._known.seals, labels.modals)

    async def _seen(self, interaction: Interaction) -> Seen:
        """What is not there in time is done without."""
        seen = Seen(self._known.opinions, self._known.seals)
        with contextlib.suppress(TimeoutError, StorageError):
            async with asyncio.timeout(_LOOK_S):
                if interaction.kind is Kind.COMMAND and {OptionName.PERSONA, OptionName.MODEL} & {
                    *options_in(interaction)
                }:
                    return replace(seen, chosen=await self._choices.at(settings_of(interaction)))
                if target_id := target_in(interaction, self._known.seals):
                    return replace(seen, target=await self._targets.of(interaction.channel, target_id))
        return seen
