"""Workspaces install the app by a link, and nothing of one is heard, said or remembered in another."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bots.sandbox.local_slack.driver import local_slack
from bots.sandbox.local_slack.people import Person
from core.voice import Voices
from tests.integration.slack.assistants import WAIT_S, Scene, assistant, installed_by_people
from tests.platforms.paper_bot import paper_voices
from tests.platforms.paper_model import answer_to

_BACK = "/slack/oauth_redirect"
#: slack_sdk says who it is in a way that aiohttp is giving up.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    return paper_voices(tmp_path_factory.mktemp("voices"))


@asynccontextmanager
async def installable(folder: Path, voices: Voices) -> AsyncIterator[Scene]:
    async with local_slack() as slack, assistant(folder, voices, installed_by_people(slack), slack) as found:
        yield found


async def install(found: Scene, person: Person, *, is_denied: bool = False, cookie: bool = True) -> httpx.Response:
    """As a person's browser does it."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{found.port}") as browser:
        page = await browser.get("/slack/install")
        state = page.headers["set-cookie"].partition(";")[0]
        [address] = re.findall(r'href="(http[^"]+)"', page.text)
        back = httpx.URL(await person.consents(html.unescape(address), is_denied=is_denied))
        browser.cookies.clear()
        return await browser.get(_BACK, params=back.params, headers={"Cookie": state} if cookie else {})


async def test_two_workspaces_have_an_assistant_each(tmp_path: Path, voices: Voices) -> None:
    async with installable(tmp_path, voices) as found:
        slack = found.slack
        elsewhere = await slack.team("Elsewhere")
        ann, ben = await slack.person("Ann"), await slack.person("Ben", elsewhere)
        assert (await install(found, ann)).status_code == 200
        assert (await install(found, ben)).status_code == 200
        bens = next(one for one in (await slack.look()).installs if elsewhere in one.team_ids)
        ben = await slack.person("Ben", elsewhere, bens)
        await ann.says("hello from here")
        await ben.says("hello from there")
        await ann.dm.shows(answer_to("hello from here"), WAIT_S)
        await ben.dm.shows(answer_to("hello from there"), WAIT_S)

        assert {call.install for call in await slack.calls("chat.postMessage")} <= {slack.install.id, bens.id}
        file = tmp_path / "banter.db"
        kept = b"".join(part.read_bytes() for part in file.parent.iterdir() if part.name.startswith("banter.db"))
        assert b"xoxb" not in kept
        assert bens.token.encode() not in kept


async def test_what_comes_back_without_the_browsers_cookie_installs_nothing(tmp_path: Path, voices: Voices) -> None:
    async with installable(tmp_path, voices) as found:
        ann = await found.slack.person("Ann")
        assert (await install(found, ann, cookie=False)).status_code == 400
        assert (await install(found, ann, is_denied=True)).status_code == 200

        assert await found.slack.calls("oauth.v2.access") == []


async def test_a_state_is_good_once_and_not_for_ever() -> None:
    from bots.slack_installing import SignedStates

    now = [1000.0]
    states = SignedStates(b"secret", lambda: now[0])
    state, late = await states.async_issue(), await states.async_issue()

    assert await states.async_consume(state)
    assert not await states.async_consume(state)
    assert not await SignedStates(b"another", lambda: now[0]).async_consume(late)
    assert not await states.async_consume(f"2000.{late.partition('.')[2]}")
    now[0] += 601.0
    assert not await states.async_consume(late)
    assert not await states.async_consume("")
