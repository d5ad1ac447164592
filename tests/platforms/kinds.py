"""What the platforms for tests can do: each like a real one in what matters to a reply's life."""

from dataclasses import dataclass

from core.dialogue import Platform
from core.ports import Capabilities

#: How a part looks that has no text yet.
PLACEHOLDER = "…"


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    platform: Platform
    capabilities: Capabilities
    #: Of one message, in characters; small, so that replies have several parts.
    limit_chars: int = 80
    #: Sending the same nonce again within so long gives the first message back.
    nonce_window_s: float = 0.0
    #: A stream takes nothing more after so long, or beyond so many characters.
    stream_age_s: float = 0.0
    stream_limit_chars: int = 0


#: A nonce with a window, edits, and a history in which one's own replies are found by the message that they reply to.
DISCORD = Kind(
    "discord",
    Platform.DISCORD,
    Capabilities(
        edits=True,
        idempotent_send=True,
        read_back=True,
        edit_interval_s=0.05,
        typing_interval_s=5.0,
        send_timeout_s=0.5,
    ),
    nonce_window_s=60.0,
)

#: Streams that are appended to and end after a while; a history in which finished messages carry what was put there.
SLACK = Kind(
    "slack",
    Platform.SLACK,
    Capabilities(
        native_stream=True,
        read_back=True,
        edit_interval_s=0.05,
        stream_age_s=240.0,
        typing_interval_s=5.0,
        shows_work=True,
        send_timeout_s=0.5,
    ),
    stream_age_s=300.0,
    stream_limit_chars=100,
)

#: Edits alone: nobody can ask what was sent.
TELEGRAM = Kind(
    "telegram",
    Platform.TELEGRAM,
    Capabilities(edits=True, edit_interval_s=0.05, typing_interval_s=5.0, send_timeout_s=0.5),
)

#: A message is sent once and never changes; the nonce is all there is against a second one.
POST_ONLY = Kind(
    "post_only",
    Platform.SLACK,
    Capabilities(idempotent_send=True, send_timeout_s=0.5),
    nonce_window_s=3600.0,
)

KINDS = {kind.name: kind for kind in (DISCORD, SLACK, TELEGRAM, POST_ONLY)}
