"""What the local Discord takes and refuses of messages, and how it lists them."""

import pytest

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import AppOptions, Options
from bots.sandbox.local_discord.people import Document, Person
from bots.sandbox.local_discord.places import Place, Server
from tests.integration.discord.plain_clients import ALL, NO_CONTENT, Noting, Rest, Said, ids_in, online


def button(custom_id: str, **more: object) -> JsonObject:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": custom_id, **more}


def row(*buttons: JsonObject) -> JsonObject:
    return {"type": 1, "components": list(buttons)}


def wrong_field(said: Said) -> str:
    """Of a form that was refused."""
    assert (said.status, said.code) == (400, 50035)
    path, errors = [], object_in(said.body["errors"])
    while "_errors" not in errors:
        (name, inner) = next(iter(errors.items()))
        path.append(name)
        errors = object_in(inner)
    return ".".join(path)


async def test_a_nonce_means_one_message_for_a_while(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    first = await rest.says(general.id, "once", nonce="n1", enforce_nonce=True)
    again = await rest.says(general.id, "once more", nonce="n1", enforce_nonce=True)
    unasked = await rest.says(general.id, "twice", nonce="n1")
    await local.advance(301)
    later = await rest.says(general.id, "later", nonce="n1", enforce_nonce=True)
    seen = await general.look()

    assert (first.body["id"], first.body["nonce"]) == (again.body["id"], "n1")
    assert again.body["content"] == "once"
    assert len({one.body["id"] for one in (first, unasked, later)}) == 3
    assert [(one.text, one.nonce, one.repeats) for one in seen.bots] == [
        ("once", "n1", 1),
        ("twice", "n1", 0),
        ("later", "n1", 0),
    ]


async def test_only_posts_answer_and_the_event_tell_a_nonce(local: LocalDiscord, rest: Rest, general: Place) -> None:
    async with online(local, Noting()) as client:
        posted = await rest.says(general.id, "hello", nonce=17)
        heard = await client.hears("MESSAGE_CREATE")
        edited = await rest.edits(general.id, str(posted.body["id"]), "hello!")
        updated = await client.hears("MESSAGE_UPDATE")
        listed = (await rest.ask("GET", f"/channels/{general.id}/messages")).items
        got = await rest.ask("GET", f"/channels/{general.id}/messages/{posted.body['id']}")

    assert (posted.body["nonce"], heard["nonce"]) == (17, 17)
    assert all("nonce" not in one for one in (edited.body, updated, listed[0], got.body))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"content": "x" * 2001}, "content"),
        ({"content": "😀" * 1001}, "content"),
        ({"content": 5 * [1]}, "content"),
        ({"content": "x", "nonce": "n" * 26}, "nonce"),
        ({"content": "x", "components": [row(button("a"), button("a"))]}, "components.0.components.1.custom_id"),
        ({"content": "x", "components": [row(button("c" * 101))]}, "components.0.components.0.custom_id"),
        ({"content": "x", "components": [row(button("a", label=""))]}, "components.0.components.0.label"),
        ({"content": "x", "components": [row(*[button(f"{n}") for n in range(6)])]}, "components.0.components"),
        ({"content": "x", "components": [button("a")]}, "components.0.type"),
        ({"content": "x", "components": 6 * [row(button("a"))]}, "components"),
        ({"content": "x", "message_reference": {"message_id": "1"}}, "message_reference"),
    ],
)
async def test_wrong_messages_are_refused_field_by_field(
    rest: Rest, general: Place, given: JsonObject, field: str
) -> None:
    said = await rest.ask("POST", f"/channels/{general.id}/messages", given)

    assert wrong_field(said) == field
    assert (await general.look()).all_messages == ()


async def test_what_just_fits_is_taken_and_blanks_at_the_ends_go(rest: Rest, general: Place) -> None:
    full = await rest.says(general.id, "😀" * 1000)
    trimmed = await rest.says(general.id, " \n hello\t\n")
    empty = await rest.says(general.id, " \n ")

    assert full.status == 200
    assert trimmed.body["content"] == "hello"
    assert (empty.status, empty.code) == (400, 50006)


async def test_replies_stand_in_the_same_channel(rest: Rest, ann: Person, server: Server, general: Place) -> None:
    other = await server.channel("other")
    asked, gone = await ann.says("hello", general), await ann.says("gone", general)
    await ann.deletes(gone, general)
    answer = await rest.says(general.id, "hi", message_reference={"message_id": asked.id})
    to_gone = {"message_id": gone.id, "fail_if_not_exists": False}
    loose = await rest.says(general.id, "hm", message_reference=to_gone)
    across = await rest.says(other.id, "hi", message_reference={"message_id": asked.id, "channel_id": general.id})

    assert object_in(answer.body["referenced_message"])["content"] == "hello"
    assert (answer.body["type"], loose.body["type"]) == (19, 0)
    assert "message_reference" not in loose.body
    assert wrong_field(across) == "message_reference"


async def test_only_allowed_mentions_call_anybody(rest: Rest, ann: Person, server: Server, general: Place) -> None:
    role = await server.role("crew")
    asked = await ann.says("hello", general)
    text = f"@everyone {ann.mention} <@&{role}> `@here`"
    loud = await rest.says(general.id, text)
    quiet = await rest.says(general.id, text, allowed_mentions={"parse": []})
    reply: JsonObject = {"message_reference": {"message_id": asked.id}}
    told = await rest.says(general.id, "yes", **reply, allowed_mentions={"parse": [], "replied_user": True})
    untold = await rest.says(general.id, "no", **reply, allowed_mentions={"parse": []})
    await rest.edits(general.id, str(quiet.body["id"]), "@everyone")
    seen = (await general.look()).bots

    assert (loud.body["mention_everyone"], loud.body["mention_roles"]) == (True, [role])
    assert (quiet.body["mention_everyone"], quiet.body["mentions"], quiet.body["mention_roles"]) == (False, [], [])
    assert (ids_in(told.body["mentions"]), untold.body["mentions"]) == ([ann.id], [])
    assert [one.is_pinging for one in seen] == [True, True, False, False], "an edit without the rule calls again"
    assert (await rest.says(general.id, "`@everyone`")).body["mention_everyone"] is False


async def test_lists_are_newest_first_and_bounded(rest: Rest, ann: Person, general: Place) -> None:
    said = [await ann.says(f"{number}", general) for number in range(7)]
    await ann.deletes(said[3], general)

    async def listed(**params: str) -> list[object]:
        told = await rest.ask("GET", f"/channels/{general.id}/messages", params=params)
        return [one["content"] for one in told.items]

    assert await listed() == ["6", "5", "4", "2", "1", "0"]
    assert await listed(limit="2") == ["6", "5"]
    assert await listed(after=said[1].id, limit="2") == ["4", "2"]
    assert await listed(before=said[4].id, limit="2") == ["2", "1"]
    assert await listed(around=said[4].id, limit="3") == ["5", "4", "2"]
    assert await listed(after="0", limit="3") == ["2", "1", "0"]
    assert wrong_field(await rest.ask("GET", f"/channels/{general.id}/messages", params={"limit": "101"})) == "limit"


async def test_only_own_messages_are_edited_and_others_deleted_with_permission(
    rest: Rest, ann: Person, server: Server, general: Place
) -> None:
    asked = await ann.says("hello", general)
    own = str((await rest.says(general.id, "hi")).body["id"])
    foreign = await rest.edits(general.id, asked.id, "no")
    unasked = await rest.ask("DELETE", f"/channels/{general.id}/messages/{asked.id}")
    deleted = await rest.ask("DELETE", f"/channels/{general.id}/messages/{own}")
    gone = await rest.edits(general.id, own, "again")

    assert (foreign.status, foreign.code) == (403, 50005)
    assert (unasked.status, unasked.code) == (403, 50013)
    assert (deleted.status, gone.status, gone.code) == (204, 404, 10008)


@pytest.mark.parametrize(
    ("denied", "answers"),
    [
        (May.VIEW_CHANNEL, [(403, 50001), (403, 50001), (403, 50001)]),
        (May.SEND_MESSAGES, [(403, 50013), (200, None), (200, None)]),
        (May.READ_MESSAGE_HISTORY, [(200, None), (200, None), (403, 50013)]),
    ],
)
async def test_what_is_denied_in_a_channel_is_refused(
    rest: Rest, ann: Person, general: Place, denied: May, answers: list[tuple[int, object]]
) -> None:
    asked = await ann.says("hello", general)
    await general.deny(denied)
    said = [
        await rest.says(general.id, "hi"),
        await rest.ask("GET", f"/channels/{general.id}/messages"),
        await rest.ask("GET", f"/channels/{general.id}/messages/{asked.id}"),
    ]

    assert [(one.status, one.code) for one in said] == answers
    if denied is May.READ_MESSAGE_HISTORY:
        assert said[1].items == []
        reply = await rest.says(general.id, "hi", message_reference={"message_id": asked.id})
        assert (reply.status, reply.code) == (400, 160002)


async def test_strangers_kicked_bots_and_closed_doors(
    local: LocalDiscord, rest: Rest, server: Server, general: Place
) -> None:
    shy = await local.person("Shy", takes_dms=False)
    closed = await rest.says(shy.dm.id, "hi")
    unknown = await rest.says("1", "hi")
    forum = await server.forum("help")
    nowhere = await rest.says(forum.id, "hi")
    await server.kick_bot()
    kicked = await rest.says(general.id, "hi")
    token = await Rest(rest.session, local, "wrong").says(general.id, "hi")
    lost = await rest.ask("GET", "/no/such/place")

    refused = [(one.status, one.code) for one in (closed, unknown, nowhere, kicked, token, lost)]
    assert refused == [(403, 50007), (404, 10003), (400, 50008), (403, 50001), (401, 0), (404, 0)]


@pytest.mark.parametrize("options", [Options(AppOptions(message_content=False), rates=NO_RATES)])
async def test_without_the_intent_only_what_is_meant_for_the_bot_can_be_read(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    async with online(local, Noting(NO_CONTENT)) as client:
        own = await rest.says(general.id, "mine")
        await ann.says("a secret", general, files=[Document("a.txt", b"secret")])
        await ann.says(f"{local.mention} hello", general)
        mine = (await general.look()).bots[0]
        await ann.says("a reply", general, reply_to=mine)
        await ann.says("a quiet reply", general, reply_to=mine, pings=False)
        await ann.says("direct")
        heard = [await client.hears("MESSAGE_CREATE", number) for number in range(1, 7)]
    listed = (await rest.ask("GET", f"/channels/{general.id}/messages")).items

    texts = ["mine", "", f"{local.mention} hello", "a reply", "", "direct"]
    assert [one["content"] for one in heard] == texts
    assert [one["content"] for one in reversed(listed)] == texts[:-1]
    assert heard[1]["attachments"] == listed[-2]["attachments"] == []
    assert object_in(heard[4]["referenced_message"])["content"] == "mine"
    assert own.body["content"] == "mine"


async def test_a_client_that_does_not_ask_for_content_gets_none_whatever_the_switch_says(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    async with online(local, Noting(NO_CONTENT)) as blind, online(local, Noting(ALL)) as seeing:
        await ann.says("hello", general, files=[Document("a.txt", b"abc")])
        heard = [await client.hears("MESSAGE_CREATE") for client in (blind, seeing)]
    listed = (await rest.ask("GET", f"/channels/{general.id}/messages")).items

    assert [one["content"] for one in heard] == ["", "hello"]
    assert [len(list_in(one["attachments"])) for one in heard] == [0, 1]
    assert listed[0]["content"] == "hello"
