"""Orders for what people do with what the app shows them: commands, buttons, modals.

Each is answered when the app has answered the interaction, or did not in time.
"""

from collections.abc import Awaitable, Callable

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord.accounts import User
from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.channels import Channel, Kind
from bots.sandbox.local_discord.forms import filled
from bots.sandbox.local_discord.interactions import Interactions, Type
from bots.sandbox.local_discord.messages import Message
from bots.sandbox.local_discord.refusals import unknown_message
from bots.sandbox.local_discord.sights import components_in, label_of
from bots.sandbox.local_discord.wire import message_json
from bots.sandbox.local_discord.world import World

Order = Callable[[Body], Awaitable[object]]
_CHAT, _MESSAGE = 1, 3
_BUTTON = 2
_CONTEXTS = {Kind.DM: 1, Kind.GROUP_DM: 2}


class Doings:
    """Everybody's."""

    def __init__(self, world: World, interactions: Interactions) -> None:
        self._world = world
        self._interactions = interactions

    def orders(self) -> dict[str, Order]:
        return {
            "command": self._command,
            "autocomplete": self._autocomplete,
            "use_on": self._use_on,
            "press": self._press,
            "modal": self._modal,
            "submit": self._submit,
            "interactions": self._all,
        }

    async def _command(self, given: Body) -> object:
        person, channel = self._person(given), self._place(given)
        command = self._offered(person, channel, given.text("name"), _CHAT)
        data = _called(command) | {"options": _options(command, given.mapping("options"))}
        return await self._until_answered(Type.COMMAND, person, channel, data)

    async def _autocomplete(self, given: Body) -> object:
        """What is typed into one option of a command."""
        person, channel = self._person(given), self._place(given)
        command = self._offered(person, channel, given.text("name"), _CHAT)
        typed = _options(command, {given.text("option"): given.text("typed")}, is_partial=True)
        typed[0]["focused"] = True
        return await self._until_answered(Type.AUTOCOMPLETE, person, channel, _called(command) | {"options": typed})

    async def _use_on(self, given: Body) -> object:
        """A command of a message's menu."""
        person, channel = self._person(given), self._place(given)
        command, message = self._offered(person, channel, given.text("name"), _MESSAGE), self._message(given)
        told = message_json(self._world, channel, message, sees_content=True)
        data = _called(command) | {"target_id": message.id, "resolved": {"messages": {message.id: told}}}
        return await self._until_answered(Type.COMMAND, person, channel, data)

    async def _press(self, given: Body) -> object:
        """A button, or a menu with `values`; `forged`: a custom id that it does not have."""
        person, channel, message = self._person(given), self._place(given), self._message(given)
        wanted = given.text("wanted")
        found = [one for one in components_in(message.now.components) if wanted in _called_by(one)]
        if not found:
            raise ValueError(f"nothing there is called {wanted}")
        if found[0].get("disabled"):
            raise ValueError(f"{wanted} is disabled")
        custom_id = given.text("forged") if given.has("forged") else found[0].get("custom_id")
        data: JsonObject = {"custom_id": custom_id, "component_type": found[0].get("type"), "id": 2}
        data |= {} if found[0].get("type") == _BUTTON else {"values": given.texts("values")}
        return await self._until_answered(Type.COMPONENT, person, channel, data, message)

    async def _modal(self, given: Body) -> object:
        """What is open before a person; nothing where nothing is."""
        known = self._interactions.modals.get(given.text("person"))
        return {"version": self._world.changes.version, "modal": known[0] if known else None}

    async def _submit(self, given: Body) -> object:
        person = self._person(given)
        if person.id not in self._interactions.modals:
            raise ValueError("no modal is open")
        modal, opened_by = self._interactions.modals[person.id]
        data = filled(modal, given.mapping("values"))
        del self._interactions.modals[person.id]
        return await self._until_answered(Type.MODAL_SUBMIT, person, opened_by.channel, data, opened_by.message)

    async def _all(self, _given: Body) -> object:
        """How each was answered, oldest first."""
        return [one.shown() for one in self._interactions.known.values()]

    async def _until_answered(
        self, kind: Type, person: User, channel: Channel, data: JsonObject, message: Message | None = None
    ) -> JsonObject:
        interaction = self._interactions.begin(kind, person, channel, data, message)
        interaction.is_menu = data.get("type") == _MESSAGE
        return await self._interactions.until_answered(interaction)

    def _offered(self, person: User, channel: Channel, name: str, kind: int) -> JsonObject:
        """Raises ValueError where it is not."""
        guild = self._world.guild_of(channel)
        is_member = guild is None or self._world.bot.id in guild.members
        context = _CONTEXTS.get(channel.kind, 0)
        for command in (*self._world.commands[""], *self._world.commands.get(channel.guild_id, [])):
            contexts, installs = command.get("contexts"), list_in(command.get("integration_types"))
            names = {command["name"], object_in(command.get("name_localizations")).get(person.locale)}
            if command["type"] != kind or name not in names:
                continue
            if contexts is not None and context not in list_in(contexts):
                continue
            if (0 in installs and is_member and context != 2) or (1 in installs and person.has_app):
                return command
        raise ValueError(f"there is no command {name} for {person.username} here")

    def _person(self, given: Body) -> User:
        return self._world.user(given.text("person"))

    def _place(self, given: Body) -> Channel:
        return self._world.channel(given.text("channel"))

    def _message(self, given: Body) -> Message:
        """Raises Refused."""
        message = self._place(given).messages.get(given.text("message"))
        if message is None or message.deleted_at is not None or message.only_for not in {"", given.text("person")}:
            raise unknown_message()
        return message


def _called(command: JsonObject) -> JsonObject:
    return {"id": command["id"], "name": command["name"], "type": command["type"]}


def _options(command: JsonObject, given: JsonObject, *, is_partial: bool = False) -> list[JsonObject]:
    """Raises ValueError where something is missing, unknown or not offered."""
    known = [object_in(option) for option in list_in(command.get("options"))]
    if unknown := set(given) - {str(option["name"]) for option in known}:
        raise ValueError(f"{command['name']} has no options {sorted(unknown)}")
    told: list[JsonObject] = []
    for option in known:
        name = str(option["name"])
        if name not in given:
            if option.get("required") and not is_partial:
                raise ValueError(f"{command['name']} needs {name}")
            continue
        choices = [object_in(choice).get("value") for choice in list_in(option.get("choices"))]
        if choices and given[name] not in choices:
            raise ValueError(f"{given[name]} is no choice of {name}")
        told.append({"name": name, "type": option["type"], "value": given[name]})
    return told


def _called_by(component: JsonObject) -> set[str]:
    return {label_of(component), str(component.get("custom_id"))}
