"""Installing the app: a person consents on Slack's page, the app exchanges the code for a token."""

import base64
import hmac
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.ids import secret_text
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.world import World

_CODE_AGE_S = 600.0
_BASIC = "Basic "


@dataclass(frozen=True, slots=True)
class Consent:
    #: The workspace's id, or the organisation's.
    place: str
    user: str
    scopes: tuple[str, ...]
    redirect_uri: str
    expires: float


@dataclass(slots=True)
class Oauth:
    world: World
    _codes: dict[str, Consent] = field(default_factory=dict)

    def consent(self, authorize_url: str, place: str, user: str, *, is_denied: bool = False) -> str:
        """Where the person's browser goes then. Raises Refused where Slack would show an error."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
        if asked.get("client_id") != self.world.options.app.client_id:
            raise Refused("invalid_client_id")
        if not asked.get("scope"):
            raise Refused("no_scopes")
        told = {"state": asked.get("state", "")}
        if is_denied:
            told["error"] = "access_denied"
        else:
            told["code"] = secret_text()
            scopes = tuple(one.strip() for one in asked["scope"].split(",") if one.strip())
            expires = self.world.clock.now() + _CODE_AGE_S
            self._codes[told["code"]] = Consent(place, user, scopes, asked.get("redirect_uri", ""), expires)
        redirect = asked.get("redirect_uri", "http://127.0.0.1/slack/oauth_redirect")
        return f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(told)}"

    def access(self, request: web.Request, given: Parameters) -> JsonObject:
        """oauth.v2.access. Raises Refused."""
        self._check_client(request, given)
        consent = self._codes.pop(given.text("code"), None)
        if consent is None or consent.expires < self.world.clock.now():
            raise Refused("invalid_code")
        if given.text("redirect_uri") not in {"", consent.redirect_uri}:
            raise Refused("bad_redirect_uri")
        team = self.world.teams.get(consent.place)
        install = self.world.install(team or consent.place, consent.scopes)
        enterprise = {"id": install.enterprise_id, "name": install.enterprise_id} if install.enterprise_id else None
        return {
            "access_token": install.token,
            "token_type": "bot",
            "scope": ",".join(install.scopes),
            "bot_user_id": install.bot.id,
            "app_id": self.world.options.app.id,
            "team": {"id": team.id, "name": team.name} if team else None,
            "enterprise": enterprise,
            "is_enterprise_install": install.is_enterprise,
            "authed_user": {"id": consent.user},
        }

    def _check_client(self, request: web.Request, given: Parameters) -> None:
        """Raises Refused."""
        app, header = self.world.options.app, request.headers.get("Authorization", "")
        client_id, secret = given.text("client_id"), given.text("client_secret")
        if header.startswith(_BASIC):
            client_id, _, secret = _decoded(header.removeprefix(_BASIC)).partition(":")
        if client_id != app.client_id:
            raise Refused("invalid_client_id")
        if not hmac.compare_digest(secret.encode(), app.client_secret.encode()):
            raise Refused("bad_client_secret")


def _decoded(credentials: str) -> str:
    """ "" where it can't be understood."""
    try:
        return base64.b64decode(credentials).decode()
    except ValueError:
        return ""
