"""Commands about the dialogue itself: a new one, a step back, another reply, more of the last one."""

from core.commands.asked import Asked
from core.commands.command import CommandReply
from core.dialogue import FinishReason

#: These replies could have gone on.
_CUT = (FinishReason.LENGTH, FinishReason.CANCELLED, FinishReason.DEADLINE)
_SHOWN_CHARS = 60


async def begin_new(asked: Asked) -> CommandReply:
    earlier = asked.session
    fresh = await asked.steps.begin_session(earlier.key, earlier.persona, earlier.model)
    return asked.go_on_in(fresh).answer(asked.tell("A new dialogue begins."))


async def undo(asked: Asked) -> CommandReply:
    question = await asked.steps.last_question(asked.session.id)
    if question is None:
        return asked.answer(asked.tell("There is nothing to take back."))
    if not await asked.may_change(question):
        return asked.answer(asked.tell("The last message is somebody else's; moderators can take it back."))
    await asked.steps.undo(asked.session.id)
    return asked.answer(asked.tell("Taken back: {text}", text=shortened(question.text)))


async def regenerate(asked: Asked) -> CommandReply:
    question = await asked.steps.last_question(asked.session.id)
    if question is None:
        return asked.answer(asked.tell("There is no message to answer again."))
    return CommandReply("", asked.session, answer_again=question)


async def go_on(asked: Asked) -> CommandReply:
    last = await asked.steps.last_reply(asked.session.id)
    if last is None:
        return asked.answer(asked.tell("There is no reply to go on with."))
    if last.finish_reason not in _CUT:
        return asked.answer(asked.tell("My last reply was not cut; there is nothing to go on with."))
    return CommandReply("", asked.session, answer_again=last.question, continues=last.reply)


async def stop(asked: Asked) -> CommandReply:
    """While a reply is written, /stop does not wait for its turn and never comes here."""
    return asked.answer(asked.tell("There is nothing to stop."))


def shortened(text: str, limit_chars: int = _SHOWN_CHARS) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit_chars else line[: limit_chars - 1] + "…"
