"""Everything that this program raises on purpose.

A message is one line that says what is wrong and what to do about it.

BanterError
├── SettingsError            start-up stops; the message names the key, the value and what would be right
├── StorageError             the database could not be read or written; nothing of the transaction was kept
│   ├── DatabaseTooNew       the database was made by a newer program; it is left untouched
│   ├── DatabaseAway         it can't be reached, or is busy; what was meant to be written is written later
│   ├── ChannelMoved         the channel has another id by now; what came for the old one is answered there
│   └── LeaseLost            another process answers there by now; this one stops, and sends nothing more
├── PlatformError            the reply stays in the outbox and is tried again
│   ├── RateLimited          too much was sent; the platform says for how long to wait
│   ├── PlatformAway         it can't be reached, or is broken; nothing was sent
│   ├── SendUnclear          the connection ended before the answer: it may have been sent, and is looked for
│   └── PlatformRefused      for good: blocked, kicked, no permission, archived, gone; the message ends as `failed`
│       ├── MessageGone      only what was to be changed is gone: a reply's part is sent anew
│       └── TooLate          only that message can be answered no more: what else is said there is answered
├── ModelError               the model can't be used; the message names the way out
│   ├── ModelNotFound        no such name, folder or file
│   ├── HubUnreachable       the hub or the package index did not answer
│   ├── ModelBroken          a file is damaged or of another kind than its name says
│   ├── NoChatFormat         neither a chat template nor end-of-text joined turns are known for it
│   └── ModelTooLarge        its weights don't fit the memory that is free
├── PromptTooLong            what must be in the prompt (persona, reply budget) outgrows the context window
└── GenerationError          no reply was made; the person may ask again
    ├── EngineUnavailable    the engine could not be started, or was lost and did not come back
    ├── QueueFull            nothing was generated; try again later
    ├── DeadlineExceeded     the request outlived its deadline
    └── RequestFailed        the engine refused or failed this one request
"""


class BanterError(Exception):
    """The root: one line for people; `--debug` shows the trace."""


class SettingsError(BanterError):
    """Settings are unknown, of the wrong type or out of range; each problem is a sentence of its own."""

    def __init__(self, *problems: str) -> None:
        more = f" (and {len(problems) - 1} more: banter config check)" if len(problems) > 1 else ""
        super().__init__(problems[0] + more)
        self.problems = problems


class StorageError(BanterError):
    """The database refused: locked, full, read-only, unreachable or damaged."""


class DatabaseTooNew(StorageError):
    """The database holds a migration that this program does not know."""


class DatabaseAway(StorageError):
    """The database can't be reached now; trying again may help."""


class ChannelMoved(StorageError):
    """No dialogue begins there: the channel goes on under another id."""


class LeaseLost(StorageError):
    """Another process has taken the place over."""


class PlatformError(BanterError):
    """A platform did not do what it was asked to."""


class RateLimited(PlatformError):
    """The platform wants to be left alone for a while."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PlatformAway(PlatformError):
    """The platform can't be reached; nothing was carried out."""


class SendUnclear(PlatformError):
    """Nobody knows whether the platform carried it out."""


class PlatformRefused(PlatformError):
    """The platform will never do it."""


class MessageGone(PlatformRefused):
    """The message was deleted, or can't be changed any more; the chat is still there."""


class TooLate(PlatformRefused):
    """The platform takes no more answers to that message; the chat is still there."""


class ModelError(BanterError):
    """A model can't be used."""


class ModelNotFound(ModelError):
    """No such name in the catalogue, folder on disk or repository on the hub."""


class HubUnreachable(ModelError):
    """The hub or the package index can't be reached."""


class ModelBroken(ModelError):
    """A model's file is damaged, incomplete or of an unknown kind."""


class NoChatFormat(ModelError):
    """It is not known how turns become a prompt for this model."""


class ModelTooLarge(ModelError):
    """The weights need more memory than is free."""


class PromptTooLong(BanterError):
    """The fixed part of a prompt leaves no room for a single turn."""


class GenerationError(BanterError):
    """No reply was made."""


class EngineUnavailable(GenerationError):
    """The engine's process can't be started or reached."""


class QueueFull(GenerationError):
    """More requests wait than the limit allows."""

    def __init__(self, message: str, waiting: int = 0, expected_wait_s: float = 0.0) -> None:
        super().__init__(message)
        #: How many wait.
        self.waiting = waiting
        #: How long one more would, as far as that can be told; 0 where it can't.
        self.expected_wait_s = expected_wait_s


class DeadlineExceeded(GenerationError):
    """The request's time is over."""


class RequestFailed(GenerationError):
    """The engine could not carry out this request."""
