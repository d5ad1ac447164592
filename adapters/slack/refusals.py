"""What Slack's error codes mean for the core.

A code that is not listed is a refusal for good: the same words would be refused again.
"""

from collections.abc import Mapping

from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear

#: Where Slack says that it is too much, and not for how long.
USUAL_PAUSE_S = 30.0
_LONGEST_CODE_CHARS = 60


class Refused(PlatformRefused):
    """Slack's answer was a code that means no."""

    def __init__(self, code: str, meaning: str = "") -> None:
        super().__init__(f"{meaning} ({code})" if meaning else f"Slack refuses it: {code}")
        self.code = code


class Gone(MessageGone):
    """The message can't be changed any more."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the message was deleted, or can't be changed any more ({code})")
        self.code = code


#: The workspace, or the app in it, has no native streams.
NO_STREAMS = frozenset({"feature_not_enabled", "unknown_method", "method_deprecated", "not_allowed_token_type"})
#: This reply can't be streamed; it can be posted.
UNSUITED = frozenset(
    {
        "channel_type_not_supported",
        "missing_recipient_team_id",
        "missing_recipient_user_id",
        "user_not_found",
        "team_not_found",
        "no_text",
        "invalid_arguments",
        "invalid_chunks",
        "missing_argument",
    }
)
#: Nothing can be appended any more, nor the stream stopped; its message can be changed.
STREAM_OVER = frozenset({"message_not_in_streaming_state", "stopped_by_user", "msg_too_long", "msg_blocks_too_long"})
#: A stream's end shows, although Slack could not tell the person's workspace of it (Slack Connect).
STOPPED_ALL_THE_SAME = frozenset(
    {"user_not_found", "team_not_found", "missing_recipient_user_id", "missing_recipient_team_id"}
)
#: A stream is open still: its message can't be changed.
STREAMING = "streaming_state_conflict"
#: The text may be taken without the blocks.
BLOCKS_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "block_mismatch", "msg_blocks_too_many", "msg_blocks_too_long"}
)
#: The app is not there, or not for that person: what only one person shall read goes to a DM.
NOT_THERE = frozenset({"user_not_in_channel", "not_in_channel", "channel_not_found", "messages_tab_disabled"})

_GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "cant_delete_message",
        "edit_window_closed",
        "message_not_owned_by_app",
    }
)
_UNCLEAR = frozenset(
    {"internal_error", "fatal_error", "request_timeout", "messaging_processing_failed", "update_failed"}
)
_AWAY = frozenset(
    {
        "service_unavailable",
        "team_added_to_org",
        "external_channel_migrating",
        "channel_is_migrating",
        "org_login_required",
    }
)
_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_MEANINGS: Mapping[str, str] = {
    "channel_not_found": "the channel is gone, or the app was taken out of it",
    "not_in_channel": "the app was taken out of the channel",
    "is_archived": "the channel is archived",
    "is_inactive": "the channel is archived or frozen",
    "restricted_action": "the workspace lets the app not write there",
    "restricted_action_thread_locked": "the thread is locked",
    "account_inactive": "the app was taken out of the workspace",
    "token_revoked": "the app's token was revoked; install it again",
    "token_expired": "the app's token is too old; install it again",
    "invalid_auth": "Slack does not know the token; set BANTER_SLACK_TOKEN to the app's own, or install it again",
    "not_authed": "Slack does not know the token; set BANTER_SLACK_TOKEN to the app's own, or install it again",
    "missing_scope": "the app lacks a scope; install it again with the manifest's scopes",
    "messages_tab_disabled": "the app's Messages tab is switched off",
    "accesslimited": "the workspace lets the app in no more",
    "ekm_access_denied": "the workspace lets the app in no more",
}


def meaning(code: str, retry_after_s: float = 0.0) -> PlatformError:
    """Of the code in an answer that is not ok."""
    code = code[:_LONGEST_CODE_CHARS]
    if code in _LIMITED:
        return RateLimited("too much was sent", retry_after_s or USUAL_PAUSE_S)
    if code in _GONE:
        return Gone(code)
    if code in _UNCLEAR:
        return SendUnclear(f"Slack failed while it carried it out ({code})")
    if code in _AWAY:
        return PlatformAway(f"Slack can't do it now ({code})")
    return Refused(code, _MEANINGS.get(code, ""))
