"""A plain discord.py client talks to people on the local Discord."""

import io

import discord

from bots.sandbox.json_values import list_in, object_in
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Document, Person
from bots.sandbox.local_discord.places import Place, Server
from tests.integration.discord.plain_clients import Echoing, Noting, ids_in, online


async def test_a_direct_message_is_answered_and_the_answer_grows(local: LocalDiscord, ann: Person) -> None:
    async with online(local, Echoing()):
        asked = await ann.says("hello")
        answer = await ann.dm.shows("you said: hello")

    assert answer.texts == ["…", "you said: hello"]
    assert answer.times == sorted(answer.times)
    assert (answer.author_id, answer.kind, answer.replies_to) == (local.bot_id, 19, asked.id)
    assert answer.nonce, "discord.py always sends one"


async def test_a_mention_in_a_channel_is_answered_there(local: LocalDiscord, ann: Person, general: Place) -> None:
    async with online(local, Echoing()) as client:
        await ann.says(f"{local.mention} hello", general)
        await general.shows(f"you said: {local.mention} hello")
        heard = await client.hears("MESSAGE_CREATE")

    assert ids_in(heard["mentions"]) == [local.bot_id]
    assert heard["guild_id"] == general.guild_id
    assert object_in(heard["member"])["nick"] is None
    assert not object_in(heard["author"])["bot"]


async def test_edits_deletions_and_bulk_deletions_are_told(local: LocalDiscord, ann: Person, general: Place) -> None:
    async with online(local, Noting()) as client:
        first = await ann.says("helo", general)
        await ann.edits(first, "hello", general)
        edited = await client.hears("MESSAGE_UPDATE")
        await general.unfurl(first)
        unfurled = await client.hears("MESSAGE_UPDATE", 2)
        await ann.deletes(first, general)
        deleted = await client.hears("MESSAGE_DELETE")
        several = [await ann.says(text, general) for text in ("a", "b")]
        await general.delete_messages(*several)
        gone = await client.hears("MESSAGE_DELETE_BULK")
        seen = await general.look()

    assert (edited["content"], bool(edited["edited_timestamp"])) == ("hello", True)
    assert (unfurled["content"], unfurled["edited_timestamp"]) == ("hello", edited["edited_timestamp"])
    assert deleted == {"id": first.id, "channel_id": general.id, "guild_id": general.guild_id}
    assert gone["ids"] == [message.id for message in several]
    assert seen.messages == []
    assert len(seen.all_messages) == 3


async def test_a_reply_carries_what_it_replies_to(local: LocalDiscord, ann: Person, general: Place) -> None:
    async with online(local, Echoing()) as client:
        await ann.says("hello", general)
        answer = await general.shows("you said: hello")
        await ann.says("and?", general, reply_to=answer)
        await general.shows("you said: and?")
        heard = await client.hears("MESSAGE_CREATE", 3)
        await ann.says("psst", general, reply_to=answer, pings=False)
        quiet = await client.hears("MESSAGE_CREATE", 5)

    assert object_in(heard["referenced_message"])["id"] == answer.id
    assert object_in(object_in(heard["referenced_message"])["author"])["id"] == local.bot_id
    assert ids_in(heard["mentions"]) == [local.bot_id]
    assert (quiet["type"], quiet["mentions"]) == (19, [])


async def test_reactions_come_and_go(local: LocalDiscord, ann: Person, general: Place) -> None:
    async with online(local, Echoing()) as client:
        await ann.says("hello", general)
        answer = await general.shows("you said: hello")
        await ann.reacts("👍", answer, general)
        added = await client.hears("MESSAGE_REACTION_ADD")
        await ann.takes_back("👍", answer, general)
        removed = await client.hears("MESSAGE_REACTION_REMOVE")
        channel = client.get_channel(int(general.id))
        assert isinstance(channel, discord.TextChannel)
        message = await channel.fetch_message(int(answer.id))
        await message.add_reaction("👀")
        await message.remove_reaction("👀", discord.Object(int(local.bot_id)))
        await message.add_reaction("✅")

    assert added["emoji"] == removed["emoji"] == {"id": None, "name": "👍"}
    assert (added["user_id"], added["message_author_id"]) == (ann.id, local.bot_id)
    (seen,) = (await general.look()).bots
    assert seen.reactions == {"👍": [], "👀": [], "✅": [local.bot_id]}


async def test_typing_is_seen_both_ways(local: LocalDiscord, ann: Person, general: Place) -> None:
    async with online(local, Noting()) as client:
        await ann.types(general)
        heard = await client.hears("TYPING_START")
        channel = client.get_channel(int(general.id))
        assert isinstance(channel, discord.TextChannel)
        await channel.typing()
        seen = await general.until(lambda seen: len(seen.typing) == 1)

    assert heard["user_id"] == ann.id
    assert seen.typing[0][1] == local.bot_id


async def test_files_come_and_go(local: LocalDiscord, ann: Person) -> None:
    class Reading(Noting):
        async def on_message(self, message: discord.Message) -> None:
            if message.author != self.user:
                content = await message.attachments[0].read()
                file = discord.File(io.BytesIO(content[::-1]), filename="back.md")
                await message.channel.send("back", file=file)

    async with online(local, Reading()):
        await ann.says("", files=[Document("there.txt", b"abc")])
        answer = await ann.dm.shows("back")

    assert [(one.filename, one.text) for one in answer.attachments] == [("back.md", "cba")]


async def test_servers_come_go_and_fail(local: LocalDiscord, ann: Person, server: Server) -> None:
    async with online(local, Noting()) as client:
        first = await client.hears("GUILD_CREATE")
        other = await local.guild("Others", ann)
        joined = await client.hears("GUILD_CREATE", 2)
        await other.kick_bot()
        left = await client.hears("GUILD_DELETE")
        await server.fails()
        failed = await client.hears("GUILD_DELETE", 2)
        await server.recovers()
        back = await client.hears("GUILD_CREATE", 3)

    assert (first["id"], joined["id"], back["id"]) == (server.id, other.id, server.id)
    assert left == {"id": other.id}
    assert failed == {"id": server.id, "unavailable": True}
    assert [object_in(object_in(one)["user"])["id"] for one in list_in(first["members"])] == [local.bot_id]


async def test_the_bot_can_write_first_and_finds_who_it_is(local: LocalDiscord, ann: Person) -> None:
    async with online(local, Noting()) as client:
        person = await client.fetch_user(int(ann.id))
        await person.send("hello, Ann")
        info = await client.application_info()

    await ann.dm.shows("hello, Ann")
    assert client.user is not None
    assert (str(client.user.id), str(client.application_id)) == (local.bot_id, local.application_id)
    assert local.bot_id != local.application_id
    assert (info.name, info.flags.gateway_message_content_limited) == ("Banter", True)


async def test_webhooks_and_other_bots_can_be_told_from_people(
    local: LocalDiscord, ann: Person, general: Place
) -> None:
    robot = await local.person("Robot", is_bot=True)
    async with online(local, Noting()) as client:
        await robot.says("beep", general)
        await ann.says_by_webhook("news", general)
        beep, news = await client.hears("MESSAGE_CREATE"), await client.hears("MESSAGE_CREATE", 2)

    assert object_in(beep["author"])["bot"] is True
    assert news["webhook_id"]
    assert "member" not in news
