"""What a person's act gives the app for a short while: a trigger for a modal, a URL to answer at."""

from dataclasses import dataclass, field

from bots.sandbox.local_slack.clock import Clock
from bots.sandbox.local_slack.ids import secret_text
from bots.sandbox.local_slack.limits import Limits
from bots.sandbox.local_slack.refusals import Refused

#: Older ones are forgotten.
_MOST = 100_000


@dataclass(slots=True)
class ResponseUrl:
    """Where an answer to one interaction can be posted."""

    install: str
    channel: str
    user: str
    expires: float
    #: The message that the interaction was with; "" for a command.
    message_ts: str = ""
    uses: int = 0


@dataclass(slots=True)
class Triggers:
    clock: Clock
    limits: Limits
    #: id → (when it expires, whose act it was).
    _triggers: dict[str, tuple[float, str]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _count: int = 0
    _urls: dict[str, ResponseUrl] = field(default_factory=dict)

    def new_id(self, user: str) -> str:
        self._count += 1
        trigger_id = f"{self._count}.{int(self.clock.now())}.{secret_text().lower()}"
        self._triggers[trigger_id] = self.clock.now() + self.limits.trigger_age_s, user
        if len(self._triggers) > _MOST:
            oldest = next(iter(self._triggers))
            del self._triggers[oldest]
            self._used.discard(oldest)
        return trigger_id

    def use(self, trigger_id: str) -> str:
        """Whose it is. Raises Refused."""
        if trigger_id not in self._triggers:
            raise Refused("invalid_trigger_id")
        expires, user = self._triggers[trigger_id]
        if trigger_id in self._used:
            raise Refused("exchanged_trigger_id")
        if expires < self.clock.now():
            raise Refused("expired_trigger_id")
        self._used.add(trigger_id)
        return user

    def new_url(self, base: str, install: str, channel: str, user: str, message_ts: str = "") -> str:
        name = secret_text()
        expires = self.clock.now() + self.limits.response_url_age_s
        self._urls[name] = ResponseUrl(install, channel, user, expires, message_ts)
        if len(self._urls) > _MOST:
            del self._urls[next(iter(self._urls))]
        return f"{base}/response/{name}"

    def answer_at(self, name: str) -> ResponseUrl:
        """Once more. Raises Refused."""
        url = self._urls.get(name)
        if url is None:
            raise Refused("invalid_url")
        if url.expires < self.clock.now() or url.uses >= self.limits.response_url_uses:
            raise Refused("used_url" if url.uses >= self.limits.response_url_uses else "expired_url")
        url.uses += 1
        return url
