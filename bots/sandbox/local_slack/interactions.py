"""What people do with what the app shows: buttons, commands, shortcuts, modals. Each is brought once."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_slack.accounts import Install, User
from bots.sandbox.local_slack.blocks import elements_of
from bots.sandbox.local_slack.bringing import Answer, Kind
from bots.sandbox.local_slack.channels import Channel
from bots.sandbox.local_slack.messages import Message
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.responses import show_response
from bots.sandbox.local_slack.views import View, with_ids
from bots.sandbox.local_slack.wire import message_json
from bots.sandbox.local_slack.world import World

Bring = Callable[[Kind, JsonObject], Coroutine[object, object, Answer]]


@dataclass(frozen=True, slots=True)
class Interactions:
    world: World
    bring: Bring

    async def press(self, person: User, channel: Channel, message: Message, wanted: str, value: str | None) -> Answer:
        """`wanted`: what stands on a button, its action id or its value. `value`: a forged one. Raises Refused."""
        install = self.world.installs[message.install]
        blocks = with_ids(message.now.blocks)
        action = self._action(blocks, wanted, value)
        container: JsonObject = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
        container |= {"is_ephemeral": bool(message.only_for)}
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        url = self.world.triggers.new_url(self.world.url, install.id, channel.id, person.id, message.ts)
        told = message_json(channel, message) | {"blocks": blocks}
        more: JsonObject = {"container": container, "message": told, "actions": [action], "response_url": url}
        more |= {"channel": _channel_json(channel), "state": {"values": {}}}
        return await self._interact(install, person, "block_actions", more, channel)

    async def press_in_view(self, person: User, view: View, wanted: str) -> Answer:
        """Raises Refused."""
        action = self._action(view.blocks, wanted, None)
        container: JsonObject = {"type": "view", "view_id": view.id}
        more: JsonObject = {
            "container": container,
            "actions": [action],
            "view": view.to_json(self.world.options.app.id),
        }
        return await self._interact(view.install, person, "block_actions", more)

    async def command(self, person: User, install: Install, channel: Channel, command: str, text: str) -> Answer:
        """What the app answers with its acknowledgement is shown. Raises Refused."""
        if command not in self.world.options.app.commands:
            raise Refused(f"{command} is not a valid command")
        team = self.world.teams[person.team_id]
        payload: JsonObject = {
            "token": "local-verification-token",
            "team_id": team.id,
            "team_domain": team.domain,
            "channel_id": channel.id,
            "channel_name": channel.name or "directmessage",
            "user_id": person.id,
            "user_name": person.name.lower(),
            "command": command,
            "text": text,
            "api_app_id": self.world.options.app.id,
            "is_enterprise_install": str(install.is_enterprise).lower(),
            "response_url": self.world.triggers.new_url(self.world.url, install.id, channel.id, person.id),
            "trigger_id": self.world.triggers.new_id(person.id),
        }
        if install.enterprise_id:
            payload |= {"enterprise_id": install.enterprise_id, "enterprise_name": install.enterprise_id}
        answer = await self.bring(Kind.COMMAND, payload)
        if answer.is_ack and answer.response:
            show_response(self.world, install, channel, person.id, answer.response)
        return answer

    async def shortcut(self, person: User, channel: Channel, message: Message, install: Install, name: str) -> Answer:
        """A message's."""
        url = self.world.triggers.new_url(self.world.url, install.id, channel.id, person.id, message.ts)
        more: JsonObject = {"callback_id": name, "message_ts": message.ts, "action_ts": f"{time.time():.6f}"}
        more |= {"message": message_json(channel, message), "response_url": url, "channel": _channel_json(channel)}
        return await self._interact(install, person, "message_action", more, channel)

    async def submit(self, person: User, values: JsonObject) -> Answer:
        """The modal on top, with what is filled in, by action id. Raises Refused."""
        view = self.world.views.top(person.id)
        self._fill(view, values)
        more: JsonObject = {"view": view.to_json(self.world.options.app.id), "response_urls": []}
        answer = await self._interact(view.install, person, "view_submission", more)
        if answer.is_ack:
            self._follow(view, answer.response or {})
        return answer

    async def close(self, person: User) -> Answer:
        """The modal on top. Raises Refused."""
        view = self.world.views.top(person.id)
        is_all = bool(view.given.get("clear_on_close"))
        self.world.views.close(view, is_all=is_all)
        self.world.changes.happen()
        if not view.given.get("notify_on_close"):
            return Answer(is_ack=True)
        more: JsonObject = {"view": view.to_json(self.world.options.app.id), "is_cleared": is_all}
        return await self._interact(view.install, person, "view_closed", more)

    def _follow(self, view: View, response: JsonObject) -> None:
        """What the app wants to happen to a modal that was submitted."""
        match response.get("response_action"):
            case "errors":
                pass
            case "update":
                view.replace(object_in(response.get("view")))
            case "push":
                self.world.views.open(view.install, view.user, object_in(response.get("view")), is_upon=True)
            case "clear":
                self.world.views.close(view, is_all=True)
            case _:
                self.world.views.close(view)
        self.world.changes.happen()

    def _fill(self, view: View, values: JsonObject) -> None:
        """Raises Refused."""
        for block, element in elements_of(view.blocks):
            action_id = str(element["action_id"])
            if action_id in values:
                filled = _filled(element, values[action_id])
                view.values.setdefault(str(block["block_id"]), {})[action_id] = filled
        unknown = set(values) - {str(element["action_id"]) for _, element in elements_of(view.blocks)}
        if unknown:
            raise Refused(f"the modal has no {', '.join(sorted(unknown))}")

    def _action(self, blocks: list[JsonObject], wanted: str, value: str | None) -> JsonObject:
        """Raises Refused."""
        for block, element in elements_of(blocks):
            if element.get("type") == "feedback_buttons":
                pressed = [object_in(element.get(name)) for name in ("positive_button", "negative_button")]
            else:
                pressed = [element, *_options(element)]
            for one in pressed:
                label = object_in(one.get("text")).get("text")
                if wanted in {label, one.get("value"), one.get("action_id")}:
                    return self._pressed(block, element, one, value)
        raise Refused(f"nothing there is called {wanted}")

    def _pressed(self, block: JsonObject, element: JsonObject, one: JsonObject, value: str | None) -> JsonObject:
        told: JsonObject = {
            "type": element.get("type"),
            "action_id": element["action_id"],
            "block_id": block.get("block_id"),
            "action_ts": f"{self.world.clock.now():.6f}",
        }
        if one in _options(element):
            return told | {"selected_option": one}
        given = {"text": one.get("text"), "value": one.get("value") if value is None else value}
        return told | {name: said for name, said in given.items() if said is not None}

    async def _interact(
        self, install: Install, person: User, kind: str, more: JsonObject, channel: Channel | None = None
    ) -> Answer:
        team = self.world.teams[person.team_id if channel is None else channel.team_id]
        enterprise = {"id": install.enterprise_id, "name": install.enterprise_id} if install.enterprise_id else None
        user: JsonObject = {"id": person.id, "username": person.name.lower(), "name": person.name.lower()}
        payload: JsonObject = {
            "type": kind,
            "team": {"id": install.id if not install.is_enterprise else team.id, "domain": team.domain},
            "user": user | {"team_id": person.team_id},
            "api_app_id": self.world.options.app.id,
            "token": "local-verification-token",
            "trigger_id": self.world.triggers.new_id(person.id),
            "enterprise": enterprise,
            "is_enterprise_install": install.is_enterprise,
        }
        return await self.bring(Kind.INTERACTIVE, payload | more)


def _options(element: JsonObject) -> list[JsonObject]:
    options = element.get("options")
    return [object_in(one) for one in options] if isinstance(options, list) else []


def _filled(element: JsonObject, value: object) -> JsonObject:
    """Raises Refused."""
    kind = str(element.get("type"))
    if not _options(element):
        return {"type": kind, "value": value}
    chosen = [one for one in _options(element) if one.get("value") == value]
    if not chosen:
        raise Refused(f"there is nothing like {value} to choose")
    return {"type": kind, "selected_option": chosen[0]}


def _channel_json(channel: Channel) -> JsonObject:
    return {"id": channel.id, "name": channel.name or "directmessage"}
