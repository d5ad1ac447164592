"""Whether Slack sent it: https://docs.slack.dev/authentication/verifying-requests-from-slack

Slack signs the time and the body's bytes with a secret that only the app knows too. A request that is older than five
minutes, or from as far ahead, is refused whoever made it. Within them it may be made again by somebody who overheard
it: it is known as a copy by its event.
"""

import hmac
import re
from hashlib import sha256

TIME_HEADER = "X-Slack-Request-Timestamp"
SIGNATURE_HEADER = "X-Slack-Signature"

_WINDOW_S = 300
_TIME = re.compile(r"\d{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


def is_fresh(told: str, now: float) -> bool:
    return _TIME.fullmatch(told) is not None and abs(now - int(told)) <= _WINDOW_S


def looks_signed(signature: str) -> bool:
    return _SIGNATURE.fullmatch(signature) is not None


def is_signed(secret: bytes, told: str, body: bytes, signature: str) -> bool:
    """`told` is a fresh time, and `signature` looks like one."""
    made = hmac.digest(secret, b"v0:" + told.encode() + b":" + body, sha256).hex()
    return hmac.compare_digest(f"v0={made}".encode(), signature.encode())
