"""/settings: what people choose for a dialogue, and /stats: its numbers."""

from collections.abc import Awaitable, Callable

from core.commands.asked import Asked
from core.commands.command import CommandReply
from core.commands.dialogue import shortened
from core.commands.speaking import use_model, use_persona
from core.memory.statistics import Statistics
from core.texts import marked

_ON, _OFF = ("on", "yes", "true", "1"), ("off", "no", "false", "0")
#: Gives the choice back to the place.
_DEFAULT = "default"


async def settings(asked: Asked) -> CommandReply:
    if not asked.argument:
        return asked.answer(_shown(asked))
    name, *rest = asked.argument.split(maxsplit=1)
    choose = _CHOICES.get(name.casefold())
    if choose is None:
        told = asked.tell("There is no setting '{name}'; there are {names}.", name=shortened(name), names=_NAMES)
        return asked.answer(told)
    if not asked.may_decide:
        return asked.refuse()
    return await choose(asked, "".join(rest).strip())


def _shown(asked: Asked) -> str:
    session = asked.session
    language = session.language or asked.asker.language
    named = f"{asked.known.texts.languages.get(language, language)} ({language})"
    streaming = asked.tell("on") if session.streaming else asked.tell("off")
    return "\n".join(
        [
            f"language: {named}",
            f"model: {session.model}",
            f"persona: {session.persona}",
            f"streaming: {streaming}",
            asked.tell("/settings NAME VALUE changes one."),
        ]
    )


async def _choose_language(asked: Asked, value: str) -> CommandReply:
    languages = asked.known.texts.languages
    language = "" if value == _DEFAULT else value.casefold()
    if language and language not in languages:
        names = ", ".join(f"{tag} ({name})" for tag, name in languages.items())
        return asked.answer(asked.tell("I know these languages: {names}.", names=names))
    changed = asked.go_on_in(await asked.steps.set_language(asked.session.id, language))
    return changed.answer(changed.tell("I speak English with you from now on, as far as the words are mine."))


async def _choose_streaming(asked: Asked, value: str) -> CommandReply:
    said = value.casefold()
    if said not in (*_ON, *_OFF, _DEFAULT):
        return asked.answer(asked.tell("streaming is on or off."))
    streaming = said not in _OFF
    changed = asked.go_on_in(await asked.steps.set_streaming(asked.session.id, streaming))
    if streaming:
        return changed.answer(asked.tell("Replies are shown while they are written."))
    return changed.answer(asked.tell("Replies are shown when they are whole."))


_CHOICES: dict[str, Callable[[Asked, str], Awaitable[CommandReply]]] = {
    "language": _choose_language,
    "model": use_model,
    "persona": use_persona,
    "streaming": _choose_streaming,
}
_NAMES = ", ".join(_CHOICES)


async def show_statistics(asked: Asked) -> CommandReply:
    """In front of others, a person's numbers are those of this dialogue alone."""
    of_session = await asked.steps.session_statistics(asked.session.id)
    only_here = None if asked.asker.is_alone else asked.session.id
    of_person = await asked.steps.person_statistics(asked.asker.person, only_here)
    return asked.answer(
        "\n".join(
            [
                asked.tell("This dialogue:"),
                *_numbers(asked, of_session),
                asked.tell("You:"),
                *_numbers(asked, of_person),
            ]
        )
    )


def _numbers(asked: Asked, told: Statistics) -> list[str]:
    lines = [
        asked.tell("- messages: {questions}, replies: {replies}", questions=told.questions, replies=told.replies),
        asked.tell("- tokens read: {read}, written: {written}", read=told.tokens_read, written=told.tokens_written),
    ]
    if told.total_s is not None:
        queue, first, whole = (_seconds(one) for one in (told.queue_s, told.first_token_s, told.total_s))
        words = marked("- mean wait: {queue} s in the queue, {first} s to the first word, {whole} s in all")
        lines.append(asked.tell(words, queue=queue, first=first, whole=whole))
    return lines


def _seconds(seconds: float | None) -> str:
    return f"{seconds or 0.0:.2f}"
