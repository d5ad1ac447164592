"""What Discord answers instead of a result: a status, a code of its own, and words."""

from bots.sandbox.json_values import JsonObject

#: Code → words, as Discord documents them.
_WORDS = {
    0: "401: Unauthorized",
    10003: "Unknown Channel",
    10004: "Unknown Guild",
    10008: "Unknown Message",
    10013: "Unknown User",
    10014: "Unknown Emoji",
    10015: "Unknown Webhook",
    10062: "Unknown interaction",
    10063: "Unknown application command",
    20026: "This bot has been verified and cannot join any more guilds.",
    30046: "Maximum number of edits to messages older than 1 hour reached. Try again later",
    40005: "Request entity too large. Try sending something smaller in size",
    40060: "Interaction has already been acknowledged.",
    40094: "This interaction has already reached the maximum number of follow-up messages",
    50001: "Missing Access",
    50003: "Cannot execute action on a DM channel",
    50005: "Cannot edit a message authored by another user",
    50006: "Cannot send an empty message",
    50007: "Cannot send messages to this user",
    50008: "Cannot send messages in a non-text channel",
    50013: "Missing Permissions",
    50024: "Cannot execute action on this channel type",
    50027: "Invalid Webhook Token",
    50035: "Invalid Form Body",
    50083: "Thread is archived",
    50109: "The request body contains invalid JSON.",
    160002: "Cannot reply without permission to read message history",
    160004: "A thread has already been created for this message",
    160005: "Thread is locked",
    160006: "Maximum number of active threads reached",
}


class Refused(Exception):
    """`errors`: which field is wrong and why, where it is a form."""

    def __init__(self, status: int, code: int, errors: JsonObject | None = None) -> None:
        super().__init__(f"{code}: {_WORDS.get(code, '')} {errors or ''}".strip())
        self.status = status
        self.code = code
        self.errors = errors

    def to_json(self) -> JsonObject:
        told: JsonObject = {"message": _WORDS.get(self.code, "Unknown error"), "code": self.code}
        return told | ({"errors": self.errors} if self.errors else {})


class TooOften(Refused):
    """429. `scope`: user, shared or global. `code`: of some limits, as 30046."""

    def __init__(self, retry_after_s: float, scope: str = "user", code: int = 0) -> None:
        super().__init__(429, code)
        self.retry_after_s = retry_after_s
        self.scope = scope

    def to_json(self) -> JsonObject:
        is_global = self.scope == "global"
        told = "You are being rate limited." if self.scope != "shared" else "The resource is being rate limited."
        answer: JsonObject = {"message": told, "retry_after": round(self.retry_after_s, 3), "global": is_global}
        return answer | ({"code": self.code} if self.code else {})


def invalid(field: str, code: str, message: str) -> Refused:
    """50035, for one field: `content`, or `components.0.custom_id`."""
    errors: JsonObject = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(field.split(".")):
        errors = {name: errors}
    return Refused(400, 50035, errors)


def unknown_channel() -> Refused:
    return Refused(404, 10003)


def unknown_message() -> Refused:
    return Refused(404, 10008)


def missing_access() -> Refused:
    return Refused(403, 50001)


def missing_permissions() -> Refused:
    return Refused(403, 50013)
