"""Workspaces, organisations, shared channels and installations on the local Slack."""

import pytest
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.json_values import object_in
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Document, Person, Place
from bots.sandbox.orders import OrderRefused
from tests.integration.slack.slack_apps import bolt_app, client_of, echoing, error_of, over_sockets

AUTHORIZE = "https://slack.com/oauth/v2/authorize?state=s1&client_id={id}&scope=chat:write,im:history&redirect_uri={to}"
#: slack_sdk 3.47 uses what aiohttp 3.14 deprecates.
BASIC_AUTH = "BasicAuth is deprecated"
REDIRECT = "http://127.0.0.1:1/slack/oauth_redirect"


async def test_two_workspaces_have_tokens_bots_and_events_of_their_own(slack: LocalSlack, ann: Person) -> None:
    other = await slack.installs(await slack.team("Other"))
    olga = await slack.person("Olga", other.id, other)
    await ann.says("hello")
    await olga.says("hi")
    first, second = await slack.deliveries()

    assert (first.install, second.install) == (slack.team_id, other.id)
    assert (first.body["team_id"], second.body["team_id"]) == (slack.team_id, other.id)
    assert slack.token != other.token
    elsewhere = client_of(slack, other).chat_postMessage(channel=ann.dm.id, text="x")
    assert await error_of(elsewhere) == "channel_not_found"
    assert await error_of(client_of(slack, other).users_info(user=ann.id)) == "user_not_visible"


async def test_an_organisations_installation_has_all_its_workspaces(slack: LocalSlack) -> None:
    north, south = await slack.team("North", "E1"), await slack.team("South", "E1")
    install = await slack.installs("E1")
    east = await slack.team("East", "E1")
    people = [await slack.person(f"P{number}", team, install) for number, team in enumerate((north, south, east))]
    for person in people:
        await person.says("hello")
    told = await slack.deliveries()
    me = await client_of(slack, install).auth_test()

    assert {delivery.install for delivery in told} == {"E1"}
    assert [delivery.body["team_id"] for delivery in told] == [north, south, east]
    assert {delivery.body["enterprise_id"] for delivery in told} == {"E1"}
    assert object_in(told[0].body["authorizations"][0])["is_enterprise_install"]  # type: ignore[index] # JSON
    assert (me["enterprise_id"], me["is_enterprise_install"]) == ("E1", True)
    for person in people:
        await client_of(slack, install).chat_postMessage(channel=person.dm.id, text="x")


async def test_a_shared_channel_tells_both_companies_installations_and_mentions_only_the_one_meant(
    slack: LocalSlack, ann: Person
) -> None:
    other = await slack.installs(await slack.team("Other"))
    olga = await slack.person("Olga", other.id, other)
    shared = await slack.channel("shared", ann, olga, installs=[slack.install, other], shared_with=[other.id])
    await olga.says(f"<@{other.bot_user_id}> hello", shared)
    messages, mentions = await slack.deliveries("message"), await slack.deliveries("app_mention")

    assert {delivery.install for delivery in messages} == {slack.team_id, other.id}
    assert [delivery.install for delivery in mentions] == [other.id]
    assert all(delivery.body["is_ext_shared_channel"] for delivery in messages + mentions)
    assert {delivery.body["context_team_id"] for delivery in messages} == {slack.team_id}
    assert object_in(mentions[0].body["event"])["user_team"] == other.id
    told = (await client_of(slack).users_info(user=olga.id))["user"]
    assert (told["is_stranger"], told["team_id"]) == (True, other.id)


async def test_files_in_shared_channels_tell_nothing_by_themselves(slack: LocalSlack, ann: Person) -> None:
    other_team = await slack.team("Other")
    shared = await slack.channel("shared", ann, shared_with=[other_team])
    await ann.says("look", shared, files=[Document("a.txt", b"hello")])
    (told,) = [object_in(delivery.body["event"]) for delivery in await slack.deliveries("message.file_share")]
    file = object_in(told["files"][0])  # type: ignore[index] # JSON

    assert file["file_access"] == "check_file_info"
    assert "url_private" not in file
    known = (await client_of(slack).files_info(file=str(file["id"])))["file"]
    assert (known["name"], known["size"]) == ("a.txt", 5)


async def test_a_private_channel_that_is_shared_gets_another_id(
    slack: LocalSlack, client: AsyncWebClient, ann: Person
) -> None:
    secret = await slack.channel("secret", ann, kind="group")
    asked = await ann.says("hello", secret)
    shared = await secret.share_with(await slack.team("Other"))
    (told,) = await slack.deliveries("channel_id_changed")
    event = object_in(told.body["event"])

    assert (event["old_channel_id"], event["new_channel_id"]) == (secret.id, shared.id)
    assert await error_of(client.conversations_info(channel=secret.id)) == "channel_not_found"
    (message,) = (await client.conversations_replies(channel=shared.id, ts=asked.ts))["messages"]
    assert message["text"] == "hello"


async def test_a_revoked_token_is_told_and_a_new_one_works(slack: LocalSlack, client: AsyncWebClient) -> None:
    await slack.revoke_token()
    refused = await error_of(client.auth_test())
    await slack.installs(slack.team_id)
    (told,) = await slack.deliveries("tokens_revoked")

    assert refused == "token_revoked"
    assert object_in(told.body["event"])["tokens"] == {"oauth": [], "bot": [slack.install.bot_user_id]}
    assert (await client_of(slack).auth_test())["user_id"] == slack.install.bot_user_id


async def test_an_app_that_is_taken_away_hears_of_it_and_of_nothing_more(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, general: Place
) -> None:
    await slack.uninstall()
    await ann.says("anybody?", general)

    assert [delivery.what for delivery in await slack.deliveries()] == ["tokens_revoked", "app_uninstalled"]
    assert await error_of(client.auth_test()) == "account_inactive"


async def test_archiving_and_joining_are_told(slack: LocalSlack, ann: Person) -> None:
    general = await slack.channel("general", ann, installs=())
    await general.add_bot(slack.install)
    await general.archive()
    (joined,), (archived,) = await slack.deliveries("member_joined_channel"), await slack.deliveries("channel_archive")

    assert object_in(joined.body["event"])["user"] == slack.install.bot_user_id
    assert object_in(archived.body["event"])["channel"] == general.id


async def test_conversations_are_opened_once_and_looked_up(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, general: Place
) -> None:
    ben = await slack.person("Ben")
    direct = (await client.conversations_open(users=ann.id))["channel"]["id"]
    together = (await client.conversations_open(users=[ann.id, ben.id], return_im=True))["channel"]
    info = (await client.conversations_info(channel=general.id))["channel"]
    members = (await client.conversations_members(channel=together["id"]))["members"]

    assert (direct, together["is_mpim"], info["name"]) == (ann.dm.id, True, "general")
    assert set(members) == {slack.install.bot_user_id, ann.id, ben.id}
    assert (await slack.group_dm(ben, ann)).id == together["id"]
    assert await error_of(client.conversations_open(users="U1")) == "user_not_found"


async def test_threads_are_read_page_by_page_with_the_root_first(
    client: AsyncWebClient, ann: Person, general: Place
) -> None:
    root = await ann.says("root", general)
    replies = [await ann.says(f"{number}", general, thread=root) for number in range(5)]
    texts, cursor = [], None
    for _ in range(3):
        page = await client.conversations_replies(channel=general.id, ts=root.ts, limit=2, cursor=cursor)
        texts.append([message["text"] for message in page["messages"]])
        cursor = page["response_metadata"]["next_cursor"] or None
    later = await client.conversations_replies(channel=general.id, ts=root.ts, oldest=replies[2].ts)
    to_there = await client.conversations_replies(
        channel=general.id, ts=root.ts, oldest=replies[2].ts, latest=replies[3].ts, inclusive=True
    )

    assert texts == [["root", "0", "1"], ["root", "2", "3"], ["root", "4"]]
    assert cursor is None
    assert [message["text"] for message in later["messages"]] == ["root", "3", "4"]
    assert [message["text"] for message in to_there["messages"]] == ["root", "2", "3"]
    no_page = client.conversations_replies(channel=general.id, ts=root.ts, cursor="x")
    assert await error_of(no_page) == "invalid_cursor"
    no_time = client.conversations_replies(channel=general.id, ts=root.ts, oldest="yesterday")
    assert await error_of(no_time) == "invalid_ts_oldest"


async def test_history_has_roots_only_newest_first(client: AsyncWebClient, ann: Person, general: Place) -> None:
    root = await ann.says("one", general)
    await ann.says("reply", general, thread=root)
    await ann.says("two", general)
    messages = (await client.conversations_history(channel=general.id))["messages"]

    assert [message["text"] for message in messages] == ["two", "one"]
    assert messages[1]["reply_count"] == 1


async def test_people_have_names_and_locales(slack: LocalSlack, client: AsyncWebClient) -> None:
    jan = await slack.person("Jan Jansen", locale="nl-NL")
    told = (await client.users_info(user=jan.id, include_locale=True))["user"]

    assert (told["real_name"], told["locale"], told["team_id"]) == ("Jan Jansen", "nl-NL", slack.team_id)
    assert await error_of(client.users_info(user="U1")) == "user_not_found"
    assert (await client.team_info())["team"]["name"] == "Acme"
    assert (await client.bots_info(bot=slack.install.bot_id))["bot"]["user_id"] == slack.install.bot_user_id


@pytest.mark.filterwarnings(f"ignore:{BASIC_AUTH}:DeprecationWarning")
async def test_the_app_is_installed_by_consent(slack: LocalSlack) -> None:
    team = await slack.team("Other")
    olga = await slack.person("Olga", team)
    url = AUTHORIZE.format(id=slack.client_id, to=REDIRECT)
    back = await olga.consents(url)
    code = back.partition("code=")[2]
    asking = AsyncWebClient(base_url=slack.api_url, retry_handlers=[])

    async def access(secret: str, redirect: str = REDIRECT) -> AsyncWebClient:
        told = await asking.oauth_v2_access(
            client_id=slack.client_id, client_secret=secret, code=code, redirect_uri=redirect
        )
        assert (told["team"]["id"], told["scope"], told["authed_user"]["id"]) == (
            team,
            "chat:write,im:history",
            olga.id,
        )
        return AsyncWebClient(told["access_token"], base_url=slack.api_url)

    assert back.startswith(f"{REDIRECT}?state=s1&code=")
    assert await error_of(access("wrong")) == "bad_client_secret"
    assert (await (await access(slack.client_secret)).auth_test())["team_id"] == team
    assert await error_of(access(slack.client_secret)) == "invalid_code"
    assert "error=access_denied" in await olga.consents(url, is_denied=True)
    with pytest.raises(OrderRefused, match="invalid_client_id"):
        await olga.consents(url.replace(slack.client_id, "1.2"))
    back = await olga.consents(url)
    code = back.partition("code=")[2]
    assert await error_of(access(slack.client_secret, "http://elsewhere")) == "bad_redirect_uri"


@pytest.mark.filterwarnings(f"ignore:{BASIC_AUTH}:DeprecationWarning")
@pytest.mark.parametrize("place", ["", "E1"])
async def test_bolts_own_flow_installs_the_app(slack: LocalSlack, place: str) -> None:
    olga = await slack.person("Olga", await slack.team("North", place))
    settings = AsyncOAuthSettings(
        client_id=slack.client_id, client_secret=slack.client_secret, scopes=["chat:write"], redirect_uri=REDIRECT
    )
    flow = AsyncOAuthFlow(settings=settings, client=AsyncWebClient(base_url=slack.api_url, retry_handlers=[]))
    back = await olga.consents(AUTHORIZE.format(id=slack.client_id, to=REDIRECT), place)
    installation = await flow.run_installation(back.partition("code=")[2])

    assert installation is not None
    assert installation.is_enterprise_install is bool(place)
    assert (installation.enterprise_id if place else installation.team_id) == (place or olga.team_id)
    assert installation.bot_token in {install.token for install in (await slack.look()).installs}


async def test_an_echo_app_lives_in_two_workspaces_over_one_socket(slack: LocalSlack, ann: Person) -> None:
    other = await slack.installs(await slack.team("Other"))
    olga = await slack.person("Olga", other.id, other)
    app = echoing(bolt_app(slack))
    async with over_sockets(slack, app):
        await ann.says("hello")
        await ann.dm.shows("you said: hello")
        await olga.says("hi")
        told = await slack.delivered(lambda deliveries: any(one.install == other.id for one in deliveries))

    assert {attempt.over for delivery in told for attempt in delivery.attempts} <= {"s1"}
