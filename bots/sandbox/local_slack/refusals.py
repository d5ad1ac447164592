"""What Slack answers instead of a result: `{"ok": false, "error": …}`, with status 200 but where it was too often."""


class Refused(Exception):
    """`more`: what the answer says besides: `needed`, `response_metadata`."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


class TooOften(Refused):
    """429 with `Retry-After`."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("ratelimited")
        self.retry_after_s = retry_after_s
