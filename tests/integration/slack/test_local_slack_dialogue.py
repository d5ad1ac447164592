"""Messages, as a plain app of slack-bolt's exchanges them with people on the local Slack."""

from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Person, Place
from tests.integration.slack.slack_apps import bolt_app, echoing, error_of, over_sockets


async def test_an_app_answers_mentions_threads_and_direct_messages_over_socket_mode(
    slack: LocalSlack, ann: Person, general: Place
) -> None:
    async with over_sockets(slack, echoing(bolt_app(slack))):
        asked = await ann.says(f"{slack.mention} hello", general)
        mentioned = await general.shows(f"you said: {slack.mention} hello")
        again = await ann.says(f"{slack.mention} again", general, thread=asked)
        threaded = await general.shows(f"you said: {slack.mention} again")
        direct = await ann.says("hi")
        answered = await ann.dm.shows("you said: hi")
        await slack.settled()

    assert (mentioned.thread_ts, threaded.thread_ts, again.thread_ts) == (asked.ts, asked.ts, asked.ts)
    assert answered.thread_ts == direct.ts
    assert len((await general.look()).bots) == 2
    assert {call.install for call in await slack.calls("chat.postMessage")} == {slack.team_id}


async def test_the_app_learns_who_it_is(slack: LocalSlack, client: AsyncWebClient) -> None:
    me = await client.auth_test()

    assert (me["user_id"], me["bot_id"], me["team_id"]) == (
        slack.install.bot_user_id,
        slack.install.bot_id,
        slack.team_id,
    )
    assert (me["team"], me["is_enterprise_install"]) == ("Acme", False)
    assert "chat:write" in me.headers["x-oauth-scopes"]


async def test_a_mention_is_told_twice_with_two_event_ids_and_one_ts(
    slack: LocalSlack, ann: Person, general: Place
) -> None:
    asked = await ann.says(f"{slack.mention} hello", general)
    message, mention = await slack.deliveries()

    assert (message.what, mention.what) == ("message", "app_mention")
    assert message.event_id != mention.event_id
    assert (message.ts, mention.ts) == (asked.ts, asked.ts)
    assert object_in(message.body["event"])["client_msg_id"] == object_in(mention.body["event"])["client_msg_id"]
    assert object_in(message.body["event"])["channel_type"] == "channel"
    assert message.body["authorizations"] == [
        {
            "enterprise_id": None,
            "team_id": slack.team_id,
            "user_id": slack.install.bot_user_id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]


async def test_each_kind_of_channel_has_events_of_its_own(slack: LocalSlack, ann: Person, general: Place) -> None:
    ben = await slack.person("Ben")
    secret, together = await slack.channel("secret", ann, kind="group"), await slack.group_dm(ann, ben)
    for place in (general, secret, together, ann.dm):
        await ann.says("hello", place)
    kinds = [object_in(delivery.body["event"])["channel_type"] for delivery in await slack.deliveries("message")]

    assert kinds == ["channel", "group", "mpim", "im"]
    assert await slack.deliveries("app_mention") == []
    assert [place.id[0] for place in (general, secret, together, ann.dm)] == ["C", "C", "G", "D"]


async def test_an_edit_tells_what_was_said_before_and_an_unfurl_changes_no_text(slack: LocalSlack, ann: Person) -> None:
    asked = await ann.says("helo")
    await ann.edits(asked, "hello")
    await ann.dm.unfurl(asked)
    changes = [object_in(one.body["event"]) for one in await slack.deliveries("message.message_changed")]

    texts = [(object_in(one["previous_message"])["text"], object_in(one["message"])["text"]) for one in changes]
    assert texts == [("helo", "hello"), ("hello", "hello")]
    assert object_in(changes[0]["message"])["ts"] == asked.ts != changes[0]["ts"]
    assert "edited" in object_in(changes[0]["message"])
    assert "edited" not in object_in(changes[0]["previous_message"])


async def test_a_deleted_message_is_told_and_a_root_with_replies_leaves_a_tombstone(
    slack: LocalSlack, client: AsyncWebClient, ann: Person
) -> None:
    alone, root = await ann.says("alone"), await ann.says("root")
    await client.chat_postMessage(channel=ann.dm.id, text="reply", thread_ts=root.ts)
    await ann.deletes(alone)
    await ann.deletes(root)
    (gone,) = await slack.deliveries("message.message_deleted")
    (stone,) = await slack.deliveries("message.message_changed")
    left = (await client.conversations_replies(channel=ann.dm.id, ts=root.ts))["messages"]

    assert object_in(gone.body["event"])["deleted_ts"] == alone.ts
    assert object_in(object_in(stone.body["event"])["message"])["subtype"] == "tombstone"
    assert [one.get("subtype", one["text"]) for one in left] == ["tombstone", "reply"]
    assert await error_of(client.conversations_replies(channel=ann.dm.id, ts=alone.ts)) == "thread_not_found"


async def test_the_app_is_told_of_its_own_messages_too(slack: LocalSlack, client: AsyncWebClient, ann: Person) -> None:
    sent = await client.chat_postMessage(channel=ann.dm.id, text="hello")
    await client.chat_update(channel=ann.dm.id, ts=sent["ts"], text="goodbye")
    await client.chat_delete(channel=ann.dm.id, ts=sent["ts"])
    told = await slack.deliveries()

    assert [one.what for one in told] == ["message", "message.message_changed", "message.message_deleted"]
    assert object_in(told[0].body["event"])["bot_id"] == slack.install.bot_id


async def test_others_messages_are_not_the_apps_to_change(client: AsyncWebClient, ann: Person) -> None:
    asked = await ann.says("mine")

    assert await error_of(client.chat_update(channel=ann.dm.id, ts=asked.ts, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=ann.dm.id, ts=asked.ts)) == "cant_delete_message"
    assert await error_of(client.chat_update(channel=ann.dm.id, ts="1.000001", text="x")) == "message_not_found"


async def test_reactions_are_told_and_can_be_taken_back(slack: LocalSlack, client: AsyncWebClient, ann: Person) -> None:
    sent = await client.chat_postMessage(channel=ann.dm.id, text="hello")
    message = (await ann.dm.look()).bots[0]
    await ann.reacts("+1", message)
    await ann.takes_back("+1", message)
    await client.reactions_add(channel=ann.dm.id, timestamp=sent["ts"], name="eyes")
    added, removed, own = [object_in(one.body["event"]) for one in await slack.deliveries() if "reaction" in one.what]

    assert (added["type"], removed["type"]) == ("reaction_added", "reaction_removed")
    assert (added["user"], own["user"]) == (ann.id, slack.install.bot_user_id)
    assert added["item"] == {"type": "message", "channel": ann.dm.id, "ts": sent["ts"]}
    assert added["item_user"] == slack.install.bot_user_id
    again = client.reactions_add(channel=ann.dm.id, timestamp=sent["ts"], name="eyes")
    assert await error_of(again) == "already_reacted"


async def test_only_one_person_sees_what_is_for_that_person(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, general: Place
) -> None:
    asked = await ann.says("hello", general)
    await client.chat_postEphemeral(channel=general.id, user=ann.id, text="psst", thread_ts=asked.ts)
    stranger = await slack.person("Ben")
    seen = (await general.look()).bots[0]
    refused = await error_of(client.chat_postEphemeral(channel=general.id, user=stranger.id, text="psst"))

    assert (seen.text, seen.only_for, seen.thread_ts) == ("psst", ann.id, asked.ts)
    assert refused == "user_not_in_channel"
    assert len((await client.conversations_replies(channel=general.id, ts=asked.ts))["messages"]) == 1


async def test_bodies_reach_the_app_whole(slack: LocalSlack, ann: Person) -> None:
    heard: list[JsonObject] = []
    async with over_sockets(slack, echoing(bolt_app(slack, heard))):
        await ann.says("hällo 🙂")
        await ann.dm.shows("you said: hällo 🙂")
        await slack.settled()
    told = [delivery.body for delivery in await slack.deliveries()]

    assert heard == told[:1]  # Bolt itself passes over what the app said
    assert len(told) == 2


async def test_a_message_that_would_reach_people_is_seen_to_do_so(client: AsyncWebClient, ann: Person) -> None:
    await client.chat_postMessage(
        channel=ann.dm.id, markdown_text=f"<!channel> <@{ann.id}> <#C1|x> &lt;!here&gt; a < b"
    )
    (seen,) = (await ann.dm.look()).bots

    assert seen.fires == ["<!channel>", f"<@{ann.id}>", "<#C1|x>"]
    assert seen.text == f"<!channel> <@{ann.id}> <#C1|x> <!here> a < b"
