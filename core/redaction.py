"""Secrets are cut from what platforms send before it is stored or logged."""

import json
import re

_CUT = "[cut]"
#: A text without any of these has neither a name nor a key below, however it is escaped; most texts have none.
_HINTS = (
    *("token", "secret", "password", "authorization", "apikey", "api_key", "response_url", "cookie", "signature"),
    *("trigger_id", "ticket"),
    *("xox", "xapp-", "sk-", "hooks.slack.com", "wss://", "\\u"),
)
#: Telegram's and Discord's keys have these.
_TAILS = (re.compile(r":[\w-]{30}"), re.compile(r"\.[\w-]{6,7}\.[\w-]{27}"))
_SECRET_NAMES = re.compile(
    r"token|secret|password|authorization|api_?key|response_url|cookie|signature|trigger_id|ticket", re.IGNORECASE
)
#: Slack, Telegram, Discord and API keys, wherever they stand in a text.
_SECRETS = re.compile(
    r"\bxox[a-z]-[\w-]{10,}|\bxapp-[\w-]{10,}|(?<!\d)\d{6,}:[\w-]{30,}|\b[MNO][\w-]{23,27}\.[\w-]{6,7}\.[\w-]{27,}"
    r"|\bsk-[\w-]{20,}|https://hooks\.slack\.com/\S+|wss://\S+"
)


def without_secrets(raw: str) -> str:
    """JSON without the values of fields that are named like secrets, and any text without what looks like one."""
    if not _may_hold_secrets(raw):
        return raw
    try:
        return json.dumps(_cut(json.loads(raw)), ensure_ascii=False)
    except RecursionError:  # its fields can't be told apart, so none of it is kept
        return f"{_CUT} {len(raw)} characters, nested too deep"
    except ValueError:
        return _SECRETS.sub(_CUT, raw)


def _may_hold_secrets(raw: str) -> bool:
    lowered = raw.lower()
    return any(hint in lowered for hint in _HINTS) or any(tail.search(raw) for tail in _TAILS)


def _cut(content: object) -> object:
    if isinstance(content, dict):
        return {name: _CUT if value and _is_secret(name, value) else _cut(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_cut(value) for value in content]
    return _SECRETS.sub(_CUT, content) if isinstance(content, str) else content


def _is_secret(name: str, value: object) -> bool:
    return isinstance(value, str) and _SECRET_NAMES.search(name) is not None
