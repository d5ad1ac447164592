"""Which installation of the app something is for.

An event names the team that it is delivered for, and installations that may see it. Where two companies share a channel
and both have the app, Slack delivers a message once or twice, for either of them: it is for the one whose bot it calls.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters.payloads import NotUnderstood
from adapters.slack.happening import is_shared
from adapters.slack.texts import mentioned_in
from adapters.slack.workspaces import Workspace, Workspaces
from core.errors import PlatformRefused

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Place:
    team_id: str
    enterprise_id: str
    is_enterprise_install: bool


async def workspace_for(body: Fields, workspaces: Workspaces) -> Workspace:
    """Raises NotUnderstood, PlatformRefused where the app is not installed there, and PlatformAway."""
    called = _called_in(body)
    places = dict.fromkeys(_installs(body))
    if not places:
        raise NotUnderstood("it names no workspace")
    first: Workspace | None = None
    for place in places:
        try:
            found = await workspaces.serving(
                place.team_id, place.enterprise_id, is_enterprise_install=place.is_enterprise_install
            )
        except PlatformRefused:
            continue
        if not is_shared(body) or found.bot_user_id in called:
            return found
        first = first or found
    if first is None:
        raise PlatformRefused("the app is not installed there")
    return first


def _installs(body: Fields) -> Iterator[_Place]:
    """The likeliest first."""
    view = _fields(body.get("view"))
    if view.get("app_installed_team_id"):  # a modal that was opened in another company's workspace
        yield _Place(_id(view["app_installed_team_id"]), "", False)
    listed = body.get("authorizations")
    for one in listed if isinstance(listed, list) else ():
        yield from _install(one, "")
    team, enterprise = _fields(body.get("team")), _fields(body.get("enterprise"))
    yield from _install(
        {
            "team_id": team.get("id") or body.get("team_id") or _fields(body.get("user")).get("team_id"),
            "enterprise_id": enterprise.get("id") or team.get("enterprise_id") or body.get("enterprise_id"),
            "is_enterprise_install": body.get("is_enterprise_install"),
        },
        "",
    )
    yield from _install(body, "context_")


def _install(told: object, prefix: str) -> Iterator[_Place]:
    found = _fields(told)
    team, enterprise = _id(found.get(f"{prefix}team_id")), _id(found.get(f"{prefix}enterprise_id"))
    if team or enterprise:  # slash commands tell it as a word
        yield _Place(team, enterprise, found.get("is_enterprise_install") in (True, "true"))


def _called_in(body: Fields) -> set[str]:
    """User ids; those of an edited message as it is now."""
    event = _fields(body.get("event"))
    told = (event.get("text"), _fields(event.get("message")).get("text"))
    return {one for text in told if isinstance(text, str) for one in mentioned_in(text)}


def _fields(value: object) -> Fields:
    return value if isinstance(value, Mapping) else {}


def _id(value: object) -> str:
    return value if isinstance(value, str) else ""
