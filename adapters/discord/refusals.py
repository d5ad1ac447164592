"""What Discord's error codes mean for the core.

A code that is not listed is a refusal for good: the same words would be refused again.
"""

from collections.abc import Mapping

from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, SendUnclear


class Refused(PlatformRefused):
    """Discord's answer was a code that means no."""

    def __init__(self, code: int, status: int, meaning: str = "") -> None:
        super().__init__(f"{meaning} ({code or status})" if meaning else f"Discord refuses it: {code or status}")
        self.code = code
        self.status = status


class Gone(MessageGone):
    """The message is not there any more."""

    code = 10008

    def __init__(self) -> None:
        super().__init__("the message was deleted (10008)")


class WrongToken(PlatformAway):
    """Nothing is lost: with the right token all of it goes on."""

    def __init__(self) -> None:
        super().__init__("Discord does not know the token; set BANTER_DISCORD_TOKEN to the bot's own")


UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
#: An interaction can be answered no more: too late, or answered by another program.
INTERACTION_OVER = frozenset({10015, 10062, 50027})
#: It was answered before; its answer can be changed.
INTERACTION_ANSWERED = 40060
#: A thread was made of that message already.
THREAD_IS_THERE = 160004
#: No thread can be made there.
NO_THREAD = frozenset({50001, 50013, 50024, 50035, 50068, 160006, 160007})
#: Nothing can be replied to where the bot may not read what was said before.
NO_HISTORY = 160002
#: There is no such channel, or the bot is not let in.
NOT_SEEN = frozenset({10003, 50001})
#: The bot may write nothing there.
MAY_NOT_WRITE = frozenset({50001, 50013})
#: A forum: only its posts hold messages.
NO_TEXT_CHANNEL = 50008
#: A thread is asleep: a message wakes it, a change does not.
ARCHIVED = 50083
LOCKED = 160005

_MEANINGS: Mapping[int, str] = {
    10003: "the channel is gone, or the bot was taken out of it",
    10004: "the server is gone, or the bot was taken out of it",
    10015: "the interaction is too old to be answered",
    10062: "the interaction is too old to be answered",
    50001: "the bot may not see the channel",
    50007: "the person takes no direct messages from the bot",
    50013: "the bot lacks a permission there",
    50027: "the interaction is too old to be answered",
    50083: "the thread is archived, and the bot may not open it again",
    40005: "the file is too large",
    160005: "the thread is locked",
}
#: Passing troubles of Discord's, told as codes. 40062: a resource is being rate limited; 130000: overloaded.
_AWAY = frozenset({40062, 130000})


def meaning(status: int, code: int) -> PlatformError:
    """Of an answer that is neither 2xx nor 429."""
    if status == 401 and code not in INTERACTION_OVER:
        return WrongToken()
    if code == UNKNOWN_MESSAGE:
        return Gone()
    if code in _AWAY or status == 408:
        return PlatformAway(f"Discord can't do it now ({code or status})")
    if status >= 500:
        return SendUnclear(f"Discord's server failed (HTTP {status})")
    return Refused(code, status, _MEANINGS.get(code, ""))
