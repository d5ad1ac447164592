"""Commands about what is remembered of somebody: erasing it, and handing it out."""

from collections.abc import AsyncIterator

from core.commands.asked import Asked, Privacy
from core.commands.command import CommandReply
from core.memory.sessions import NewSession

_SURE = "yes"
#: What is longer does not belong into a chat.
_EXPORT_CHARS = 20_000


async def forget(asked: Asked) -> CommandReply:
    """/forget me yes, /forget session yes; without the last word it asks first."""
    what, *sure = asked.argument.casefold().split() or [""]
    if what not in ("me", "session") or sure not in ([], [_SURE]):
        return asked.answer(asked.tell("Say /forget me or /forget session."))
    privacy = asked.known.privacy
    if privacy is None:
        return asked.answer(asked.tell("That can't be done here."))
    if what == "session" and not asked.may_decide:
        return asked.refuse()
    if not sure:
        return asked.answer(_question(asked, what))
    return await (_forget_me(asked, privacy) if what == "me" else _forget_session(asked, privacy))


def _question(asked: Asked, what: str) -> str:
    if what == "session":
        return asked.tell("This erases the whole dialogue, for good. Say /forget session yes if you are sure.")
    return asked.tell(
        "This erases everything that you ever said to me, on every platform that you linked, for good. "
        "Say /forget me yes if you are sure."
    )


async def _forget_me(asked: Asked, privacy: Privacy) -> CommandReply:
    turns = await privacy.forget_person(asked.steps, asked.asker.person, asked.session.key)
    return await _go_on(asked, asked.tell("What you said is forgotten. Turns erased: {turns}", turns=turns))


async def _forget_session(asked: Asked, privacy: Privacy) -> CommandReply:
    turns = await privacy.forget_session(asked.steps, asked.session)
    return await _go_on(asked, asked.tell("The dialogue is forgotten. Turns erased: {turns}", turns=turns))


async def _go_on(asked: Asked, told: str) -> CommandReply:
    """In the session, as far as it is still there."""
    was = asked.session
    left = await asked.steps.open_session(NewSession(was.key, was.persona, was.model, was.language, was.streaming))
    return asked.go_on_in(left).answer(told)


async def export(asked: Asked) -> CommandReply:
    what = asked.argument.casefold() or "me"
    privacy = asked.known.privacy
    if what not in ("me", "session"):
        return asked.answer(asked.tell("Say /export me or /export session."))
    if privacy is None:
        return asked.answer(asked.tell("That can't be done here."))
    if what == "session":
        if not asked.may_decide:
            return asked.refuse()
        return await _hand_out(asked, privacy.export_session(asked.steps, asked.session))
    if not asked.asker.is_alone:
        return asked.answer(asked.tell("Please say that to me in private."))
    return await _hand_out(asked, privacy.export_person(asked.steps, asked.asker.person))


async def _hand_out(asked: Asked, lines: AsyncIterator[str]) -> CommandReply:
    told: list[str] = []
    chars = 0
    async for line in lines:
        told.append(line.rstrip("\n"))
        chars += len(line) + 1
        if chars > _EXPORT_CHARS:
            return asked.answer(asked.tell("That is too long for a chat; the operator can hand it out: banter export"))
    if not told:
        return asked.answer(asked.tell("Nothing is remembered."))
    return asked.answer("\n".join(["```json", *told, "```"]))
