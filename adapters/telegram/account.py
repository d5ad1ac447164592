"""The bot's own account, as Telegram tells it."""

from dataclasses import dataclass

from telegram import User


@dataclass(frozen=True, slots=True)
class TelegramAccount:
    #: Its user id; the same for as long as there is the bot.
    id: str
    #: Without the @; it can be changed, and is asked for at each start.
    username: str

    def is_called(self, name: str) -> bool:
        """Whether `name`, with or without its @, is the bot's. Telegram tells no case apart."""
        return bool(self.username) and name.removeprefix("@").casefold() == self.username.casefold()


def account_of(user: User) -> TelegramAccount:
    """Of what `getMe` gave."""
    return TelegramAccount(str(user.id), user.username or "")
