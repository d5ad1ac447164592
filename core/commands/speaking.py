"""Commands about who speaks: the persona, and the model behind it."""

from collections.abc import Iterable

from core.commands.asked import Asked
from core.commands.command import CommandReply
from core.commands.dialogue import shortened
from core.texts import marked


async def persona(asked: Asked) -> CommandReply:
    verb, name = _verb_and_name(asked.argument)
    if verb == "list":
        more = asked.tell("/persona use NAME changes it.")
        return asked.answer("\n".join([*_marked(asked.known.voices.personas, asked.session.persona), more]))
    if verb == "show":
        return asked.answer(_show_persona(asked, name or asked.session.persona))
    return await use_persona(asked, name)


async def use_persona(asked: Asked, name: str) -> CommandReply:
    if name not in asked.known.voices.personas:
        return asked.answer(_unknown_persona(asked, name))
    if not asked.may_decide:
        return asked.refuse()
    chosen = asked.known.voices.personas[name]
    changed = await asked.steps.set_persona(asked.session.id, chosen.name, chosen.model)
    told = asked.tell("You talk to {persona} now, with {model}.", persona=chosen.name, model=chosen.model)
    return asked.go_on_in(changed).answer(told)


async def model(asked: Asked) -> CommandReply:
    verb, name = _verb_and_name(asked.argument)
    if verb == "list":
        more = asked.tell("/model use NAME changes it.")
        return asked.answer("\n".join([*_marked(asked.known.voices.models, asked.session.model), more]))
    if verb == "show" and not name:
        return asked.answer(asked.tell("{model} speaks.", model=asked.session.model))
    return await use_model(asked, name)


async def use_model(asked: Asked, name: str) -> CommandReply:
    models = asked.known.voices.models
    if name not in models:
        known = ", ".join(models)
        words = marked("There is no model '{name}' here; there are {names}.")
        return asked.answer(asked.tell(words, name=_name(name), names=known))
    if not asked.may_decide:
        return asked.refuse()
    changed = await asked.steps.set_model(asked.session.id, name)
    return asked.go_on_in(changed).answer(asked.tell("{model} speaks from now on.", model=name))


def _verb_and_name(argument: str) -> tuple[str, str]:
    """`list`, `show` or `use` and a name; a name alone is used."""
    verb, *rest = argument.split(maxsplit=1) or ["list"]
    name = "".join(rest).strip()
    return (verb, name) if verb in ("list", "show", "use") else ("use", argument)


def _show_persona(asked: Asked, name: str) -> str:
    if name not in asked.known.voices.personas:
        return _unknown_persona(asked, name)
    shown = asked.known.voices.personas[name]
    prompt = shown.system_prompt or asked.tell("(no system prompt)")
    return asked.tell("{persona}, with {model}: {prompt}", persona=shown.name, model=shown.model, prompt=prompt)


def _unknown_persona(asked: Asked, name: str) -> str:
    names = ", ".join(sorted(asked.known.voices.personas))
    return asked.tell("There is no persona '{name}'; there are {names}.", name=_name(name), names=names)


def _marked(names: Iterable[str], current: str) -> list[str]:
    return [f"{'*' if name == current else ' '} {name}" for name in sorted(names)]


def _name(said: str) -> str:
    return shortened(said, limit_chars=40)
