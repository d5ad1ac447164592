"""Commands about one's own identities: joining them over platforms, and parting them again.

A code is a key to everything that was said, so it is given and taken only where nobody else reads.
"""

from core.commands.asked import Asked
from core.commands.command import CommandReply
from core.commands.dialogue import shortened
from core.dialogue import Person
from core.memory.linking import CODE_LIFETIME, TRY_WINDOW, LinkRefusal


async def link(asked: Asked) -> CommandReply:
    if not asked.asker.is_alone:
        return asked.answer(asked.tell("Please say that to me in private."))
    if not asked.argument:
        return await _give_code(asked)
    found = await asked.steps.link(asked.asker.person, asked.argument, asked.at)
    if isinstance(found, Person):
        told = asked.tell(
            "You and {name} on {platform} are one person for me now: /export and /forget are about both. "
            "/unlink parts them.",
            name=shortened(found.name),
            platform=found.platform.value,
        )
        return asked.answer(told)
    return asked.answer(_refusal(asked, found))


async def unlink(asked: Asked) -> CommandReply:
    if not asked.asker.is_alone:
        return asked.answer(asked.tell("Please say that to me in private."))
    if await asked.steps.unlink(asked.asker.person):
        return asked.answer(asked.tell("You are a person of your own again."))
    return asked.answer(asked.tell("You are not linked with anybody."))


async def _give_code(asked: Asked) -> CommandReply:
    code = await asked.steps.new_link_code(asked.asker.person, asked.at)
    told = asked.tell(
        "Say this to me on the other platform, in private, within {minutes} minutes: /link {code}\n"
        "Give it to nobody: whoever says it can read and erase what you said.",
        minutes=int(CODE_LIFETIME.total_seconds() // 60),
        code=code,
    )
    others = [one for one in await asked.steps.identities(asked.asker.person) if one != asked.asker.person]
    if others:
        names = ", ".join(f"{shortened(one.name)} ({one.platform.value})" for one in others)
        told += "\n" + asked.tell("You are linked with {names}.", names=names)
    return asked.answer(told)


def _refusal(asked: Asked, refusal: LinkRefusal) -> str:
    if refusal is LinkRefusal.OWN_CODE:
        return asked.tell("That is your own code; say it on the other platform.")
    if refusal is LinkRefusal.TOO_MANY_TRIES:
        minutes = int(TRY_WINDOW.total_seconds() // 60)
        return asked.tell("Too many wrong codes; try again in {minutes} minutes.", minutes=minutes)
    return asked.tell("That code is not valid, or no longer. /link gives you a new one on the other platform.")
