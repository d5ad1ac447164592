"""What Telegram knows of the bot, for `banter doctor`. It is asked, and nothing is changed there."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from adapters.telegram.line import Address, Line, TokenRefused, open_line, told_in
from bots.doctor import Finding
from bots.telegram_chatbot import token_of
from core.errors import BanterError
from core.settings.settings import Settings
from core.settings.telegram import TelegramSettings

_ASK_S = 10.0
#: What is said without calling the bot → the rule by which it is for the bot all the same; "" where there is none.
_UNCALLED = {"group_context": "", "names": "name", "prefixes": "prefix"}
#: Telegram changes it for a group when the bot enters.
_PRIVACY_OFF = (
    "turn privacy mode off (/setprivacy at @BotFather), and remove the bot from its groups and add it again, "
    "or make it an administrator there"
)

_Told = Mapping[str, object]


async def examine_telegram(settings: Settings) -> list[Finding]:
    """Where it is known at all, what stands between people and the bot."""
    told = settings.telegram
    try:
        async with open_line(Address(token_of(told), told.api_url)) as line:
            me, webhook = await _asked(line, "getMe"), await _asked(line, "getWebhookInfo")
    except TokenRefused:
        line_about_it = (
            "BANTER_TELEGRAM_TOKEN: Telegram knows no bot by it; set the one that @BotFather shows (/token, or /revoke)"
        )
        return [Finding("Telegram", False, line_about_it)]
    except BanterError as error:
        where = urlsplit(told.api_url).netloc
        return [Finding("Telegram", False, str(error) if "BANTER_" in str(error) else f"{where}: {error}")]
    return [_bot(me), _way(told, webhook), _groups(settings, me)]


async def _asked(line: Line, method: str) -> _Told:
    """Raises PlatformError."""
    found = told_in(await line.ask(method, {}, _ASK_S)).get("result")
    return found if isinstance(found, Mapping) else {}


def _bot(me: _Told) -> Finding:
    topics = "private chats have topics" if me.get("has_topics_enabled") else "private chats have no topics"
    return Finding("Telegram", True, f"@{me.get('username')}, bot {me.get('id')}; {topics}")


def _way(told: TelegramSettings, webhook: _Told) -> Finding:
    """How what is said comes here."""
    url, waiting = str(webhook.get("url", "")), f"{webhook.get('pending_update_count', 0)} waiting"
    if told.receive == "polling":
        if not url:
            return Finding("Telegram's messages", True, f"asked for by polling; {waiting}")
        told_so = (
            f"they are brought to {_host(url)} by a webhook, which is taken away when this bot starts; where another "
            'program needs it, make a bot for each, or set telegram.receive = "webhook"'
        )
        return Finding("Telegram's messages", False, told_so)
    if not url:
        return Finding("Telegram's messages", True, f"no webhook yet; it is set when the bot starts; {waiting}")
    if url != told.webhook_url:
        told_so = f"they are brought to {_host(url)}, not to telegram.webhook_url, until the bot starts here"
        return Finding(
            "Telegram's messages", False, f"{told_so}; where another program needs them, make a bot for each"
        )
    if error := webhook.get("last_error_message"):
        reached = f"telegram.webhook_url has to lead to [web] on this machine ({waiting})"
        return Finding("Telegram's messages", False, f"Telegram could not bring them: {error}; {reached}")
    return Finding("Telegram's messages", True, f"brought to {_host(url)} by a webhook; {waiting}")


def _groups(settings: Settings, me: _Told) -> Finding:
    name = "Telegram's groups"
    if me.get("can_read_all_group_messages"):
        return Finding(name, True, "it hears everything there; what is not for it is not stored")
    heard = "it hears commands, mentions and replies to it there, and nothing else (privacy mode)"
    wanting = list(_wanting_all(settings))
    if not wanting:
        return Finding(name, True, heard)
    return Finding(name, False, f"{heard}, but {' and '.join(wanting)} wants more: {_PRIVACY_OFF}")


def _wanting_all(settings: Settings) -> Iterator[str]:
    """The settings that say something of messages which don't call the bot in Telegram's own ways."""
    usual = settings.answering.answer_to
    if "always" in usual:
        yield "answering.answer_to"
    for key, rule in _UNCALLED.items():
        if getattr(settings.answering, key) and (not rule or rule in usual):
            yield f"answering.{key}"
    for place, said in settings.places.items():
        if place.partition("/")[0] == "telegram" and "always" in (said.answer_to or ()):
            yield f'places."{place}".answer_to'
        for key, rule in _UNCALLED.items():
            is_there = place.partition("/")[0] == "telegram" and getattr(said, key)
            if is_there and (not rule or rule in (usual if said.answer_to is None else said.answer_to)):
                yield f'places."{place}".{key}'


def _host(url: str) -> str:
    """Alone: the rest of an address may be a secret, or the token of whoever set it."""
    return urlsplit(url).netloc
