"""Registering application commands at the local Discord, by hand and with discord.py."""

import asyncio

import discord
import pytest
from discord import app_commands

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place, Server
from bots.sandbox.orders import OrderRefused
from tests.integration.discord.plain_clients import Noting, Rest, online

ASK: JsonObject = {"name": "ask", "description": "Ask", "name_localizations": {"es-ES": "preguntar"}}
NEW: JsonObject = {"name": "new", "description": "Anew", "contexts": [0, 1], "integration_types": [0]}


@pytest.fixture
def where(local: LocalDiscord) -> str:
    return f"/applications/{local.application_id}/commands"


async def test_all_are_put_at_once_and_keep_their_ids(rest: Rest, where: str) -> None:
    first = (await rest.ask("PUT", where, [ASK, NEW])).items
    second = (await rest.ask("PUT", where, [ASK | {"description": "Ask away"}])).items
    plain = (await rest.ask("GET", where)).items
    full = (await rest.ask("GET", where, params={"with_localizations": "true"})).items

    assert [one["name"] for one in first] == ["ask", "new"]
    assert (first[0]["id"], second[0]["id"]) == (second[0]["id"], full[0]["id"])
    assert first[0]["version"] != second[0]["version"]
    assert [one["name"] for one in plain] == ["ask"]
    assert "name_localizations" not in plain[0]
    assert full[0]["name_localizations"] == {"es-ES": "preguntar"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Ask"},
        {"name": "ask me"},
        {"description": ""},
        {"description": "x" * 101},
        {"name_localizations": {"ar": "x"}},
        {"name_localizations": {"de": "Fragen"}},
        {"options": [{"name": "a", "type": 3, "description": "a"}] * 26},
        {"options": [{"name": "a", "type": 3, "description": "a", "autocomplete": True, "choices": [{}]}]},
        {
            "options": [
                {"name": "a", "type": 3, "description": "a"},
                {"name": "b", "type": 3, "description": "b", "required": True},
            ]
        },
        {"type": 3, "description": "menus have none"},
    ],
)
async def test_wrong_commands_are_refused_and_change_nothing(rest: Rest, where: str, wrong: JsonObject) -> None:
    await rest.ask("PUT", where, [NEW])
    said = await rest.ask("PUT", where, [NEW, ASK | wrong])

    assert (said.status, said.code) == (400, 50035)
    assert [one["name"] for one in (await rest.ask("GET", where)).items] == ["new"]


async def test_two_of_one_name_and_other_peoples_applications_are_refused(
    local: LocalDiscord, rest: Rest, where: str
) -> None:
    twice = await rest.ask("PUT", where, [NEW, NEW])
    foreign = await rest.ask("PUT", where.replace(local.application_id, local.bot_id), [NEW])

    assert (twice.code, foreign.code) == (50035, 20012)


async def test_one_server_can_have_its_own(
    local: LocalDiscord, rest: Rest, where: str, ann: Person, server: Server, general: Place
) -> None:
    own = where.replace("/commands", f"/guilds/{server.id}/commands")
    await rest.ask("PUT", own, [NEW])
    other = await (await local.guild("Others", ann)).channel("general")
    async with online(local, Noting()) as client:
        asking = asyncio.create_task(ann.commands("new", general))
        await client.hears("INTERACTION_CREATE")
        with pytest.raises(OrderRefused, match="no command new"):
            await ann.commands("new", other)
        await local.advance(4)
        assert not (await asking).is_answered


async def test_commands_are_offered_where_they_belong_and_in_peoples_languages(
    local: LocalDiscord, rest: Rest, where: str
) -> None:
    await rest.ask("PUT", where, [ASK | {"options": [{"name": "q", "type": 3, "description": "q", "required": True}]}])
    await rest.ask("POST", where, NEW)
    await rest.ask("POST", where, {"name": "private", "description": "In DMs", "contexts": [1]})
    paz = await local.person("Paz", locale="es-ES", has_app=True)
    group = await local.group_dm(paz)
    async with online(local, Noting()) as client:
        asking = asyncio.create_task(paz.commands("preguntar", q="¿qué?"))
        heard = await client.hears("INTERACTION_CREATE")
        await local.advance(4)
        await asking
    for wrong, name, options in (
        (group, "new", {}),
        (group, "private", {}),
        (paz.dm, "ask", {}),
        (paz.dm, "ask", {"q": "x", "unknown": 1}),
        (paz.dm, "unknown", {}),
    ):
        with pytest.raises(OrderRefused):
            await paz.commands(name, wrong, **options)

    assert heard["locale"] == "es-ES"
    assert len(await local.interactions()) == 1


async def test_discord_pys_own_command_tree_works(local: LocalDiscord, ann: Person, general: Place) -> None:
    client = Noting()
    tree = app_commands.CommandTree(client)

    @tree.command(name="echo", description="Say it back")
    async def echo(interaction: discord.Interaction, text: str) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.edit_original_response(content=f"you said: {text}")
        await interaction.followup.send("that is all", ephemeral=True)

    class Button(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"again:(?P<word>\w+)"):
        def __init__(self, word: str) -> None:
            super().__init__(discord.ui.Button(label="Again", custom_id=f"again:{word}"))
            self.word = word

        @classmethod
        async def from_custom_id(cls, _interaction, _item, match, /):  # type: ignore[no-untyped-def]
            return cls(match["word"])

        async def callback(self, interaction: discord.Interaction) -> None:
            await interaction.response.edit_message(content=f"again {self.word}", view=None)

    client.add_dynamic_items(Button)
    async with online(local, client):
        await client.hears("GUILD_CREATE")
        (command,) = await tree.sync()
        answer = await ann.commands("echo", general, text="hello")
        shown = await general.shows("you said: hello")
        quiet = await general.shows("that is all")
        channel = client.get_channel(int(general.id))
        assert isinstance(channel, discord.TextChannel)
        view = discord.ui.View()
        view.add_item(Button("once"))
        await channel.send("press", view=view)
        await ann.presses("Again", await general.shows("press"), general)
        await general.shows("again once")

    assert str(command.id) == (await local.look()).commands[""][0]["id"]
    assert (answer.type, answer.message_id, quiet.only_for) == (5, shown.id, ann.id)
