"""Updates as the Bot API's server sends them, written after its public description (Bot API 10.1)."""

import json
from pathlib import Path

from telegram import Update

from adapters.telegram.account import TelegramAccount
from adapters.telegram.inbound import to_inbound
from core.dialogue import Called, Inbound, InboundMessage, Opinion, Platform, SessionKey

_FOLDER = Path(__file__).parent / "updates"
ACCOUNT = TelegramAccount("7000000001", "banter_bot")
ANNA, OMAR = "5001", "5002"
CONNECTION = "Ab3dEfGhIjKlMnOp"
GROUP, SUPERGROUP, FORUM = "-4000001", "-1001000000001", "-1001000000002"
CHANNEL, DISCUSSION, DIRECT_MESSAGES = "-1001000000003", "-1001000000004", "-1001000000005"
DIRECTLY = Called(directly=True)


class PlainButtons:
    """Buttons whose data says what they mean, where this program made it."""

    def opinion(self, data: str, chat_id: str) -> Opinion | None:
        maker, _, said = data.partition(":")
        return Opinion(said) if maker == "made-here" else None


def recorded(name: str) -> str:
    """Its JSON."""
    return (_FOLDER / f"{name}.json").read_text(encoding="utf-8")


def all_recorded() -> list[str]:
    return [file.read_text(encoding="utf-8") for file in sorted(_FOLDER.glob("*.json"))]


def understood(name: str, account: TelegramAccount = ACCOUNT) -> list[Inbound]:
    return to_inbound(Update.de_json(json.loads(recorded(name))), account, PlainButtons())


def message_of(name: str) -> InboundMessage:
    [inbound] = understood(name)
    assert isinstance(inbound, InboundMessage)
    return inbound


def key(channel: str, thread: str = "", connection: str = "") -> SessionKey:
    return SessionKey(Platform.TELEGRAM, ACCOUNT.id, connection, channel, thread)
