"""Files on the local Slack: what people send, what an app fetches and sends."""

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Document, Person
from tests.integration.slack.slack_apps import error_of

NOTES = Document("notes.txt", "tea ☕".encode(), "text/plain")


async def told_file(slack: LocalSlack) -> JsonObject:
    (told,) = await slack.deliveries("message.file_share")
    files = object_in(told.body["event"])["files"]
    assert isinstance(files, list)
    return object_in(files[0])


async def test_a_file_is_told_and_fetched_with_a_token(slack: LocalSlack, ann: Person) -> None:
    sent = await ann.says("look", files=[NOTES])
    file = await told_file(slack)
    content, answer = await fetched(str(file["url_private_download"]), slack.token)

    assert (file["name"], file["mimetype"], file["size"]) == ("notes.txt", "text/plain", len(NOTES.content))
    assert (file["mode"], file["filetype"], sent.text) == ("hosted", "txt", "look")
    assert (content, answer.content_type) == (NOTES.content, "text/plain")


async def fetched(url: str, token: str) -> tuple[bytes, aiohttp.ClientResponse]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        return await answer.read(), answer


@pytest.mark.parametrize("token", ["", "xoxb-wrong"])
async def test_without_a_good_token_the_sign_in_page_comes(slack: LocalSlack, ann: Person, token: str) -> None:
    await ann.says("look", files=[NOTES])
    page, answer = await fetched(str((await told_file(slack))["url_private"]), token)

    assert (answer.status, answer.content_type) == (200, "text/html")
    assert b"Sign in" in page


async def test_another_companys_token_sees_no_file(slack: LocalSlack, ann: Person) -> None:
    await ann.says("look", files=[NOTES])
    other = await slack.installs(await slack.team("Other"))
    file = await told_file(slack)
    stranger = AsyncWebClient(other.token, base_url=slack.api_url, retry_handlers=[])
    page, answer = await fetched(str(file["url_private"]), other.token)

    assert (len(answer.history), answer.history[0].status) == (1, 302)
    assert b"Sign in" in page
    assert await error_of(stranger.files_info(file=str(file["id"]))) == "file_not_found"


async def test_a_snippet_has_a_preview_and_a_size_can_be_a_lie(slack: LocalSlack, ann: Person) -> None:
    await ann.says("", files=[Document("long.py", b"print()\n" * 100, size=5, is_snippet=True)])
    file = await told_file(slack)

    assert (file["mode"], file["size"]) == ("snippet", 5)
    assert len(str(file["preview"])) == 200


async def test_an_app_sends_a_file_into_a_thread(slack: LocalSlack, client: AsyncWebClient, ann: Person) -> None:
    asked = await ann.says("send it")
    await client.files_upload_v2(
        filename="a.txt", content="hello", channel=ann.dm.id, thread_ts=asked.ts, initial_comment="here"
    )
    (seen,) = await ann.dm.answers(root=asked)

    assert (seen.text, seen.files[0]["name"], seen.files[0]["size"]) == ("here", "a.txt", 5)
    info = await client.files_info(file=str(seen.files[0]["id"]))
    assert info["file"]["user"] == slack.install.bot_user_id


async def test_an_upload_that_never_came_is_not_completed(client: AsyncWebClient) -> None:
    asked = await client.files_getUploadURLExternal(filename="a.txt", length=5)
    early = client.files_completeUploadExternal(files=[{"id": asked["file_id"]}])

    assert await error_of(early) == "file_not_found"
    assert await error_of(client.files_getUploadURLExternal(filename="a.txt", length=0)) == "missing_argument"
    assert await error_of(client.files_info(file="F1")) == "file_not_found"
