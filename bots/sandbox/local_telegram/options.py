"""How a local server is to be; it goes through JSON to a process of its own."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter

from bots.sandbox.local_telegram.account import BotOptions
from bots.sandbox.local_telegram.limits import Limits, Rates, Window


@dataclass(frozen=True, slots=True)
class Options:
    bot: BotOptions = field(default_factory=BotOptions)
    limits: Limits = field(default_factory=Limits)
    rates: Rates = field(default_factory=Rates)
    #: What a webhook waits after its second failure; Telegram takes about two seconds.
    webhook_wait_s: float = 2.0
    #: How far Telegram's clock is ahead of this machine's.
    clock_skew_s: float = 0.0
    #: 0: the system chooses.
    port: int = 0
    #: Of the control interface.
    control_port: int = 0

    def to_json(self) -> str:
        return _OPTIONS.dump_json(self).decode()


#: For trials that are not about rates.
NO_RATES = Rates(Window(1_000_000, 1.0), Window(1_000_000, 1.0), Window(1_000_000, 1.0))
_OPTIONS = TypeAdapter(Options)


def options_from(given: str) -> Options:
    """What `to_json` made. Raises ValueError."""
    return _OPTIONS.validate_json(given)
