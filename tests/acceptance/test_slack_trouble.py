"""What goes wrong with Slack is one clear line; nothing is lost, nobody else waits, and no secret gets out."""

import asyncio
import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from bots.sandbox.local_slack.limits import NO_RATES
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.people import Document, Person
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.programs import REPLY_S, Program
from tests.acceptance.slack_assistants import BAD, by_socket, installed_by_people, replies, slack_assistant, whole
from tests.acceptance.test_bad_input import refused
from tests.acceptance.test_openai_chat import variables
from tests.acceptance.test_telegram_trouble import AWAY_S, halting
from tests.integration.local_openai import LocalOpenAI

_HREF = re.compile(r'href="([^"]+/oauth/v2/authorize[^"]*)"')
_NEXT_RETRY_S = 60.0


@pytest.fixture
def home(empty_home: Home, default_model: ResolvedModel) -> Home:
    link_model(default_model, empty_home.cache)
    return empty_home


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as slack:
        yield slack


@pytest.mark.parametrize(
    ("name", "token", "words"),
    [
        ("BANTER_SLACK_APP_TOKEN", "xapp-1-A0LOCAL0001-hunter2", "Slack knows no app by this token"),
        ("BANTER_SLACK_APP_TOKEN", "hunter2", "not an app token"),
        ("BANTER_SLACK_TOKEN", "hunter2", "not a bot's token"),
        ("BANTER_SLACK_TOKEN", "", "bots/slack_manifest.yaml"),
    ],
)
async def test_a_wrong_token_ends_the_start_in_one_line(
    home: Home, slack: LocalSlack, name: str, token: str, words: str
) -> None:
    given = by_socket(slack) | {name: token, "BANTER_LOG__LEVEL": "warning"}

    told = await asyncio.to_thread(home.banter, "slack", variables=given)

    refused(told, name, words)
    assert "hunter2" not in told.stderr


async def test_a_bot_token_that_slack_does_not_know_is_said_once_and_loses_nothing(
    home: Home, slack: LocalSlack, local_openai: LocalOpenAI
) -> None:
    ann = await slack.person("Ann")
    unknown = variables(local_openai, BANTER_SLACK_TOKEN="xoxb-hunter2-hunter2")
    async with slack_assistant(home, slack, unknown) as assistant:
        await ann.says("One")
        await ann.says("Two")
        [line] = await assistant.logs(trouble="token")
        await slack.delivered(lambda events: all(len(event.attempts) == 2 for event in events))

        assert "set BANTER_SLACK_TOKEN" in str(line["message"])
        assert assistant.troubles == ["token"]
        assert (await assistant.get("/healthz")).status_code == 200
        assert await assistant.holding("hunter2") == []
    async with slack_assistant(home, slack, variables(local_openai)):
        await slack.connected()
        await slack.advance(60)
        await replies(ann.dm, 2)


async def test_tokens_that_are_revoked_are_said_once_each(
    home: Home, slack: LocalSlack, local_openai: LocalOpenAI
) -> None:
    ann = await slack.person("Ann")
    async with slack_assistant(home, slack, variables(local_openai)) as assistant:
        await slack.connected(2)
        asked = await ann.says("One")
        await replies(ann.dm)
        await slack.revoke_token()
        [bots] = await assistant.logs(trouble="token")
        await ann.says("Two", thread=asked)
        await slack.settled()
        await slack.fault("answer", "apps.connections.open", error="token_revoked", times=1000)
        await slack.refresh()
        [_, apps] = await assistant.logs(2, trouble="token")
        tries = len(await slack.calls("apps.connections.open"))
        await slack.called("apps.connections.open", tries + 1)

        assert "set BANTER_SLACK_TOKEN to its new token" in str(bots["message"])
        assert "set BANTER_SLACK_APP_TOKEN to another one" in str(apps["message"])
        assert assistant.troubles == ["token", "token"]
        assert len(whole(await ann.dm.look())) == 1
        assert (await assistant.get("/healthz")).status_code == 200
        assert await assistant.holding(slack.app_token) == await assistant.holding(slack.token) == []


async def test_nothing_is_lost_while_slack_is_away(home: Home, slack: LocalSlack, local_openai: LocalOpenAI) -> None:
    ann, ben, go_on = await slack.person("Ann"), await slack.person("Ben"), asyncio.Event()
    local_openai.answers = [halting(go_on)]
    async with slack_assistant(home, slack, variables(local_openai)) as assistant:
        await slack.connected(2)
        await ann.says("One")
        await ann.dm.until(lambda channel: any("Once upon" in message.text for message in channel.bots), REPLY_S)
        await slack.go_away()
        await assistant.logs(trouble="away")
        await ben.says("Two")
        go_on.set()
        await asyncio.sleep(AWAY_S)  # it is the time itself that is tried
        assert (await assistant.get("/healthz")).status_code == 200
        await slack.come_back()
        await assistant.logs(message="the bot is listened to again")
        await slack.advance(_NEXT_RETRY_S)
        [first], [second] = await replies(ann.dm), await replies(ben.dm)

        assert (first.text, second.text) == ("Once upon a time there was an end.", "I am here.")
        assert [len((await person.dm.look()).bots) for person in (ann, ben)] == [1, 1]
        warnings = [line["action"] for line in assistant.lines if line["level"] in ("warning", "error")]
        assert warnings in (["receive"], ["receive", "answer"])  # after a while the open reply is put off
        assert assistant.troubles == ["away"]
        assert len(assistant.logged(message="the bot is listened to again")) == 1


async def test_who_sends_the_bot_away_keeps_nobody_else_waiting(
    home: Home, slack: LocalSlack, local_openai: LocalOpenAI
) -> None:
    ann, ben = await slack.person("Ann"), await slack.person("Ben")
    archived, left = await slack.channel("archived", ann), await slack.channel("left", ann, kind="group")
    go_on = asyncio.Event()
    local_openai.answers = [halting(go_on) for _ in range(3)]
    async with slack_assistant(home, slack, variables(local_openai)) as assistant:
        await ann.says(f"{slack.mention} hello", archived)
        await ann.says(f"{slack.mention} hello", left)
        asked = await ben.says("hello")
        for place in (archived, left, ben.dm):
            await place.until(lambda channel: any("Once upon" in message.text for message in channel.bots), REPLY_S)
        await archived.archive()
        await left.remove_bot(slack.install)
        go_on.set()
        [reply] = await replies(ben.dm)
        await ben.says("and now?", thread=asked)
        await replies(ben.dm, 2)
        await assistant.logs(4, action="reply")

        query = "SELECT state, reason FROM inbox WHERE kind = 'message' AND place LIKE ? ORDER BY id"
        ends = [assistant.rows(query, f'%"{place.id}"%') for place in (archived, left, ben.dm)]
        assert assistant.troubles == []
        assert [line for line in assistant.lines if line["level"] == "error"] == []
    assert reply.text == "Once upon a time there was an end."
    assert [[state for state, _ in rows] for rows in ends] == [["failed"], ["failed"], ["delivered"] * 2]
    assert "the channel is archived" in str(ends[0][0][1])
    assert "the app was taken out" in str(ends[1][0][1])


@pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])
async def test_no_secret_gets_out(home: Home, local_openai: LocalOpenAI, *, over_http: bool) -> None:
    """Over HTTP the workspace installs the app by a link, so its token is in the database."""
    async with local_slack(Options(rates=NO_RATES)) as slack:
        ann = await slack.person("Ann")
        set_up = variables(local_openai, BANTER_LOG__LEVEL="debug")
        set_up |= installed_by_people(slack) if over_http else {}
        async with slack_assistant(home, slack, set_up, over_http=over_http) as assistant:
            if over_http:
                await install(slack, assistant, ann)
            await misuse(slack, ann, over_http=over_http)
            secrets = [secret for secret in await all_secrets(slack) if secret]

            assert len(secrets) >= 8
            for secret in secrets:
                assert await assistant.holding(secret) == [], secret[:12]
            assert await assistant.holding("/response/") == []
            assert await assistant.holding("read me") != []
            assert len(assistant.rows("SELECT * FROM secrets WHERE name LIKE 'slack %'")) == over_http
    assert "hunter" not in assistant.stderr
    assert assistant.others == []


async def install(slack: LocalSlack, assistant: Program, person: Person) -> None:
    """As a person does in a browser, whose cookie is for https alone: a proxy stands before the program."""
    async with httpx2.AsyncClient(trust_env=False, base_url=assistant.url, timeout=20) as browser:
        page = await browser.get("/slack/install")
        [link] = _HREF.findall(page.text)
        back = urlsplit(await person.consents(link.replace("&amp;", "&")))
        cookie = {"Cookie": page.headers["set-cookie"].partition(";")[0]}
        told = await browser.get(f"/slack/oauth_redirect?{back.query}", headers=cookie)
        forged = await browser.get("/slack/oauth_redirect?code=hunter2&state=hunter3")
    [slack.install] = [one for one in (await slack.look()).installs if one.id == slack.install.id]
    assert told.status_code == 200
    assert forged.status_code >= 400
    assert parse_qs(back.query)["code"][0] not in told.text


async def misuse(slack: LocalSlack, ann: Person, *, over_http: bool) -> None:
    """All that brings a secret, and much of what goes wrong with it."""
    for kind, method in (
        ("drop_before", "chat.postMessage"),
        ("drop_after", "chat.startStream"),
        ("drop_after", "chat.stopStream"),
        ("drop_before", "files.info"),
    ):
        await slack.fault(kind, method)
    for status in (400, 403, 404, 429, 500, 502):
        await slack.fault("answer", "agents.sessions.setStatus", status=status)
    for error in ("invalid_auth", "missing_scope", "internal_error", "fatal_error"):
        await slack.fault("answer", "chat.appendStream", error=error)
    asked = await ann.says("One")
    [reply] = await replies(ann.dm)
    await ann.says("Two", thread=asked, files=[Document("a.txt", b"read me"), Document("b.txt", b"x", is_snippet=True)])
    await replies(ann.dm, 2)
    assert (await ann.presses(BAD, reply)).is_ack
    assert (await ann.commands("/banter help")).is_ack
    assert (await ann.uses_shortcut("ask_about_this", reply)).is_ack
    await ann.modal()
    assert (await ann.submits(question="Three?")).is_ack
    await replies(ann.dm, 3)
    await ann.opens_app()
    await ann.home()
    assert (await ann.presses_in_home("Settings")).is_ack
    await ann.modal()
    await slack.send_event({"type": "event_callback", "event": {"type": "message", "channel": 7}, "token": "hunter4"})
    await slack.refresh()
    await slack.go_away()
    await slack.come_back()
    await (asyncio.sleep(0) if over_http else slack.connected(2))
    await slack.fault("answer", "views.publish", error="invalid_auth")
    await ann.opens_app()
    await slack.settled()
    await slack.clear_faults()
    await ann.says("Four", thread=asked)
    await replies(ann.dm, 4)


async def all_secrets(slack: LocalSlack) -> list[str]:
    """Tickets and triggers too."""
    opened = [urlsplit(str(call.answer.get("url", ""))) for call in await slack.calls("apps.connections.open")]
    tickets = [ticket for url in opened for ticket in parse_qs(url.query).get("ticket", [])]
    triggers = [str(call.parameters.get("trigger_id", "")) for call in await slack.calls("views.open")]
    codes = [str(call.parameters.get("code", "")) for call in await slack.calls("oauth.v2.access")]
    own = [slack.token, slack.app_token, slack.signing_secret, slack.client_secret]
    parts = [slack.token.rpartition("-")[2], slack.app_token.partition(slack.app_id)[2], "local-verification-token"]
    return [*own, *parts, *tickets, *triggers, *codes]
