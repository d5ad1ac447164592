"""Threads and forum posts of the local Discord."""

import pytest

from bots.sandbox.json_values import list_in, object_in
from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.limits import NO_RATES, Limits
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place, Server
from tests.integration.discord.plain_clients import Noting, Rest, Said, ids_in, online


async def begun(rest: Rest, channel: Place, message_id: str, name: str = "a talk") -> Said:
    return await rest.ask("POST", f"/channels/{channel.id}/messages/{message_id}/threads", {"name": name})


async def test_a_thread_from_a_message_has_its_id_and_is_begun_once(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    async with online(local, Noting()) as client:
        asked = await ann.says("hello", general)
        first, again = await begun(rest, general, asked.id), await begun(rest, general, asked.id)
        made, updated = await client.hears("THREAD_CREATE"), await client.hears("MESSAGE_UPDATE")
        starter = await client.hears("MESSAGE_CREATE", 2)
    thread = await general.thread_from(asked)
    seen = await thread.look()
    got = await rest.ask("GET", f"/channels/{general.id}/messages/{asked.id}")

    assert first.body["id"] == asked.id == thread.id
    assert (again.status, again.code) == (400, 160004)
    assert (made["id"], made["newly_created"], made["parent_id"], made["type"]) == (asked.id, True, general.id, 11)
    assert (updated["id"], updated["edited_timestamp"]) == (asked.id, None)
    assert int(str(updated["flags"])) & 1 << 5
    assert (starter["type"], object_in(starter["referenced_message"])["id"]) == (21, asked.id)
    assert object_in(got.body["thread"])["name"] == "a talk"
    assert (seen.owner_id, seen.names[0][1], seen.bots) == (local.bot_id, "a talk", [])


async def test_archived_threads_refuse_edits_until_somebody_writes(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    thread = await ann.begins_thread("a talk", general)
    message_id = str((await rest.says(thread.id, "hello")).body["id"])
    await thread.archive()
    edit = await rest.edits(thread.id, message_id, "hello!")
    reaction = await rest.ask("PUT", f"/channels/{thread.id}/messages/{message_id}/reactions/👍/@me")
    async with online(local, Noting()) as client:
        sent = await rest.says(thread.id, "still there?")
        updated = await client.hears("THREAD_UPDATE")

    assert [(one.status, one.code) for one in (edit, reaction)] == [(400, 50083), (400, 50083)]
    assert sent.status == 200
    assert object_in(updated["thread_metadata"])["archived"] is False
    assert (await rest.edits(thread.id, message_id, "hello!")).status == 200


async def test_locked_threads_are_for_those_who_manage_threads(
    local: LocalDiscord, rest: Rest, ann: Person, server: Server, general: Place
) -> None:
    thread = await ann.begins_thread("a talk", general)
    await thread.lock()
    unarchived = await rest.ask("PATCH", f"/channels/{thread.id}", {"archived": False})
    sent = await rest.says(thread.id, "hello")
    await server.kick_bot()
    await server.add_bot(May.VIEW_CHANNEL | May.SEND_MESSAGES_IN_THREADS | May.MANAGE_THREADS)
    as_manager = await rest.says(thread.id, "hello")

    assert [(one.status, one.code) for one in (unarchived, sent)] == [(403, 50013), (403, 160005)]
    assert as_manager.status == 200


async def test_anybody_who_may_write_can_unarchive_and_owners_can_rename(
    rest: Rest, ann: Person, general: Place
) -> None:
    asked = await ann.says("hello", general)
    await begun(rest, general, asked.id)
    thread, foreign = general.thread_of(asked), await ann.begins_thread("hers", general)
    renamed = await rest.ask("PATCH", f"/channels/{thread.id}", {"name": "greetings"})
    not_hers = await rest.ask("PATCH", f"/channels/{foreign.id}", {"name": "mine now"})
    await foreign.archive()
    opened = await rest.ask("PATCH", f"/channels/{foreign.id}", {"archived": False})

    assert (renamed.body["name"], not_hers.code) == ("greetings", 50013)
    assert opened.status == 200
    assert [name for _, name in (await thread.look()).names] == ["a talk", "greetings"]


async def test_threads_need_permission_a_channel_that_has_them_and_room(
    rest: Rest, ann: Person, server: Server, general: Place
) -> None:
    voice = await server.channel("talk", "voice")
    in_voice = await begun(rest, voice, (await ann.says("hello", voice)).id)
    asked = await ann.says("hello", general)
    nameless = await begun(rest, general, asked.id, "")
    await general.deny(May.CREATE_PUBLIC_THREADS)
    denied = await begun(rest, general, asked.id)

    assert [one.code for one in (in_voice, nameless, denied)] == [50024, 50035, 50013]


@pytest.mark.parametrize("options", [Options(rates=NO_RATES, limits=Limits(active_threads=1))])
async def test_a_server_has_so_many_active_threads(rest: Rest, ann: Person, general: Place) -> None:
    first = await ann.begins_thread("one", general)
    asked = await ann.says("hello", general)
    full = await begun(rest, general, asked.id)
    await first.archive()

    assert (full.status, full.code) == (400, 160006)
    assert (await begun(rest, general, asked.id)).status == 200


async def test_a_forum_post_has_a_title_tags_and_its_messages_id(
    local: LocalDiscord, rest: Rest, ann: Person, server: Server
) -> None:
    forum = await server.forum("help", "bug", "idea")
    async with online(local, Noting()) as client:
        post = await ann.posts("It broke", "What now?", forum, tags=["bug"])
        made, said = await client.hears("THREAD_CREATE"), await client.hears("MESSAGE_CREATE")
    parent = await rest.ask("GET", f"/channels/{forum.id}")
    tags = {object_in(one)["id"]: object_in(one)["name"] for one in list_in(parent.body["available_tags"])}

    assert made["id"] == said["id"] == said["channel_id"] == post.id
    assert (made["name"], [tags[one] for one in list_in(made["applied_tags"])]) == ("It broke", ["bug"])
    assert (await rest.says(post.id, "Let me see.")).status == 200
    assert parent.body["type"] == 15


async def test_the_bot_can_post_in_a_forum_too(rest: Rest, server: Server) -> None:
    forum = await server.forum("news")
    given = {"name": "News", "message": {"content": "Here they are."}}
    posted = await rest.ask("POST", f"/channels/{forum.id}/threads", given)

    assert object_in(posted.body["message"])["id"] == posted.body["id"]
    assert object_in(posted.body["message"])["content"] == "Here they are."


async def test_private_threads_are_for_their_members(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    async with online(local, Noting()) as client:
        secret = await ann.begins_thread("psst", general, is_private=True)
        await ann.says("nobody hears", secret)
        unseen = await rest.ask("GET", f"/channels/{secret.id}")
        await secret.add_bot()
        await ann.says("now you do", secret)
        heard = await client.hears("MESSAGE_CREATE")

    assert (unseen.status, unseen.code) == (403, 50001)
    assert heard["content"] == "now you do"


async def test_threads_are_listed_active_and_archived(rest: Rest, ann: Person, server: Server, general: Place) -> None:
    old, new = await ann.begins_thread("old", general), await ann.begins_thread("new", general)
    await old.archive()
    active = await rest.ask("GET", f"/guilds/{server.id}/threads/active")
    archived = await rest.ask("GET", f"/channels/{general.id}/threads/archived/public")

    assert ids_in(active.body["threads"]) == [new.id]
    assert ids_in(archived.body["threads"]) == [old.id]
    assert archived.body["has_more"] is False


async def test_what_is_deleted_is_told_and_gone(local: LocalDiscord, rest: Rest, ann: Person, general: Place) -> None:
    thread = await ann.begins_thread("a talk", general)
    other = await ann.begins_thread("another", general)
    async with online(local, Noting()) as client:
        await thread.delete()
        told = await client.hears("THREAD_DELETE")
        await general.delete()
        channel = await client.hears("CHANNEL_DELETE")
    gone = [await rest.says(place.id, "hello?") for place in (thread, other, general)]

    assert told == {"id": thread.id, "guild_id": general.guild_id, "parent_id": general.id, "type": 11}
    assert channel["id"] == general.id
    assert [(one.status, one.code) for one in gone] == 3 * [(404, 10003)]


async def test_voice_text_wants_connect(rest: Rest, ann: Person, server: Server) -> None:
    voice = await server.channel("talk", "voice")
    said = await rest.says(voice.id, "hello")
    await voice.deny(May.CONNECT)
    denied = await rest.says(voice.id, "hello")

    assert (said.status, denied.status, denied.code) == (200, 403, 50001)


async def test_a_quiet_thread_is_archived_after_a_day(local: LocalDiscord, ann: Person, general: Place) -> None:
    quiet, lively = await ann.begins_thread("quiet", general), await ann.begins_thread("lively", general)
    async with online(local, Noting()) as client:
        await local.advance(86_000)
        await ann.says("still here", lively)
        await local.advance(500)
        told = await client.hears("THREAD_UPDATE")

    assert told["id"] == quiet.id
    assert [(await thread.look()).is_archived for thread in (quiet, lively)] == [True, False]
