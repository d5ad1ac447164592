"""Orders for what people do with what the app shows them: buttons, commands, modals, files, consent."""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.accounts import Install, User
from bots.sandbox.local_slack.bringing import Answer
from bots.sandbox.local_slack.files import StoredFile
from bots.sandbox.local_slack.interactions import Interactions
from bots.sandbox.local_slack.oauth import Oauth
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.views import View
from bots.sandbox.local_slack.world import World

Order = Callable[[Parameters], Awaitable[object]]


class Doings:
    """Each order is answered when the app has acknowledged it, or did not in time."""

    def __init__(self, world: World, interactions: Interactions, oauth: Oauth) -> None:
        self._world = world
        self._interactions = interactions
        self._oauth = oauth

    def orders(self) -> dict[str, Order]:
        return {
            "press": self._press,
            "press_in_view": self._press_in_view,
            "command": self._command,
            "shortcut": self._shortcut,
            "submit": self._submit,
            "close_modal": self._close_modal,
            "view": self._view,
            "upload": self._upload,
            "consent": self._consent,
        }

    async def _press(self, given: Parameters) -> object:
        channel = self._world.channel(given.text("channel"))
        message = channel.messages.get(given.text("ts"))
        if message is None or message.deleted_at is not None or not message.install:
            raise Refused("message_not_found")
        forged = given.text("forged") if given.has("forged") else None
        where = self._person(given), channel, message, given.text("wanted"), forged
        return _answered(await self._interactions.press(*where))

    async def _press_in_view(self, given: Parameters) -> object:
        person = self._person(given)
        if given.flag("is_home"):
            view = self._world.views.homes.get((given.text("install"), person.id))
        else:
            view = self._world.views.top(person.id)
        if view is None:
            raise Refused("nothing was published")
        return _answered(await self._interactions.press_in_view(person, view, given.text("wanted")))

    async def _command(self, given: Parameters) -> object:
        channel, install = self._world.channel(given.text("channel")), self._installed(given)
        said = given.text("command"), given.text("text")
        return _answered(await self._interactions.command(self._person(given), install, channel, *said))

    async def _shortcut(self, given: Parameters) -> object:
        channel, install = self._world.channel(given.text("channel")), self._installed(given)
        message = self._world.message(channel, given.text("ts"))
        where = self._person(given), channel, message, install
        return _answered(await self._interactions.shortcut(*where, given.text("callback_id")))

    async def _submit(self, given: Parameters) -> object:
        return _answered(await self._interactions.submit(self._person(given), given.mapping("values") or {}))

    async def _close_modal(self, given: Parameters) -> object:
        return _answered(await self._interactions.close(self._person(given)))

    async def _view(self, given: Parameters) -> object:
        """The modal on top, or the home; nothing where there is none."""
        person = given.text("person")
        if given.flag("is_home"):
            view = self._world.views.homes.get((given.text("install"), person))
        else:
            view = next(reversed(self._world.views.modals.get(person, [])), None)
        return {"version": self._world.changes.version, "view": _shown(view) if view else None}

    async def _upload(self, given: Parameters) -> object:
        """A file of a person's, as messages carry it."""
        person, content = self._person(given), base64.b64decode(given.text("content"))
        file = StoredFile(self._world.ids.next("F"), given.text("name"), given.text("type"), person.id, person.team_id)
        file.content, file.mode = content, given.text("mode") or "hosted"
        file.size = given.integer("size", len(content))
        return self._world.files.keep(file).to_json(self._world.url)

    async def _consent(self, given: Parameters) -> object:
        """Where the person's browser goes then."""
        where = given.text("url"), given.text("place"), given.text("person")
        return self._oauth.consent(*where, is_denied=given.flag("is_denied"))

    def _person(self, given: Parameters) -> User:
        return self._world.user(given.text("person"))

    def _installed(self, given: Parameters) -> Install:
        """Raises Refused."""
        install = self._world.installs.get(given.text("install"))
        if install is None:
            raise Refused("the app is not installed there")
        return install


def _answered(answer: Answer) -> JsonObject:
    return asdict(answer)


def _shown(view: View) -> JsonObject:
    return {"id": view.id, "hash": view.hash, "view": view.given, "times": view.times}
