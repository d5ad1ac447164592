"""Events that Slack brings to the program's own web server: who may bring them, and what becomes of them."""

import asyncio
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

import httpx2
import pytest

from adapters.slack.events_http import HttpOptions
from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from core.dialogue import InboundMessage
from tests.integration.slack.receiving import DEADLINE_S, Stage, at_a_url, lines, listening
from tests.unit.slack.happenings import Body, said_alone

TIME, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"


def signed(secret: str, told: str, body: bytes) -> str:
    """As Slack's documentation has it."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + told.encode() + b":" + body, sha256).hexdigest()


@dataclass(frozen=True)
class Posting:
    stage: Stage
    web: httpx2.AsyncClient

    def headers(self, body: bytes, ahead_s: float = 0.0) -> dict[str, str]:
        told = str(int(time.time() + ahead_s))
        return {TIME: told, SIGNATURE: signed(self.stage.slack.signing_secret, told, body)}

    async def post(self, body: bytes | Body, headers: dict[str, str] | None = None) -> httpx2.Response:
        """As Slack would, where nothing else is said."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.web.post(self.stage.url, content=content, headers=headers or self.headers(content))

    def event(self, text: str) -> Body:
        """A message in this Slack's own words."""
        slack = self.stage.slack
        return said_alone(text) | {"api_app_id": slack.app_id, "team_id": slack.team_id, "authorizations": []}


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as slack:
        yield slack


@pytest.fixture
async def posting(slack: LocalSlack) -> AsyncIterator[Posting]:
    async with at_a_url(slack) as stage, httpx2.AsyncClient(timeout=DEADLINE_S, trust_env=False) as web:
        yield Posting(stage, web)


@pytest.fixture
async def heard(posting: Posting) -> AsyncIterator[Posting]:
    async with listening(posting.stage):
        await asyncio.sleep(0)
        yield posting


async def test_what_slack_signed_is_kept(heard: Posting) -> None:
    answer = await heard.post(heard.event("hello"))

    assert (answer.status_code, answer.content) == (200, b"")
    assert heard.stage.kept.texts == ["hello"]


class TestForged:
    @pytest.mark.parametrize(
        "signature",
        [
            "",
            "v0=",
            "v0=" + "0" * 64,
            "v1=" + "0" * 64,
            "v0=" + "0" * 63,
            "v0=" + "0" * 65,
            "v0=" + "é" * 64,
            "v0=" + "٠" * 64,
            "0" * 67,
        ],
    )
    async def test_another_signature_is_refused(self, heard: Posting, signature: str) -> None:
        body = json.dumps(heard.event("forged")).encode()
        headers = [(TIME.encode(), str(int(time.time())).encode()), (SIGNATURE.encode(), signature.encode())]
        answer = await heard.web.post(heard.stage.url, content=body, headers=headers)

        assert answer.status_code == 401
        assert heard.stage.kept.calls == 0

    @pytest.mark.parametrize("missing", [TIME, SIGNATURE])
    async def test_so_is_none(self, heard: Posting, missing: str) -> None:
        body = json.dumps(heard.event("forged")).encode()
        headers = heard.headers(body)
        del headers[missing]

        assert (await heard.post(body, headers or {"X": "y"})).status_code == 401
        assert heard.stage.kept.calls == 0

    @pytest.mark.parametrize("told", ["now", "-5", "1e9", "", "9" * 13, "9" * 5000, "1.5", "٣"])
    async def test_a_time_that_is_none_is_refused_even_if_it_is_signed(self, heard: Posting, told: str) -> None:
        body = json.dumps(heard.event("forged")).encode()
        headers = [
            (TIME.encode(), told.encode()),
            (SIGNATURE.encode(), signed(heard.stage.slack.signing_secret, told, body).encode()),
        ]
        answer = await heard.web.post(heard.stage.url, content=body, headers=headers)

        assert answer.status_code == 401
        assert heard.stage.kept.calls == 0

    async def test_a_body_that_was_changed_is_refused(self, heard: Posting) -> None:
        body = json.dumps(heard.event("hello")).encode()

        assert (await heard.post(body + b" ", heard.headers(body))).status_code == 401
        assert heard.stage.kept.calls == 0

    async def test_a_time_that_was_changed_is_refused(self, heard: Posting) -> None:
        body = json.dumps(heard.event("hello")).encode()
        headers = heard.headers(body, -10.0) | {TIME: str(int(time.time()))}

        assert (await heard.post(body, headers)).status_code == 401
        assert heard.stage.kept.calls == 0

    async def test_a_body_whose_signature_can_be_none_is_not_read(self, heard: Posting) -> None:
        answer = await heard.post(b"x" * 60_000, {SIGNATURE: "none", TIME: str(int(time.time()))})

        assert answer.status_code == 401  # and not 413


class TestTime:
    @pytest.mark.parametrize(("ahead_s", "status"), [(-295, 200), (295, 200), (-305, 401), (305, 401), (-86400, 401)])
    async def test_what_is_older_than_five_minutes_or_as_far_ahead_is_refused(
        self, heard: Posting, ahead_s: float, status: int
    ) -> None:
        body = json.dumps(heard.event("hello")).encode()
        answer = await heard.post(body, heard.headers(body, ahead_s))

        assert answer.status_code == status
        assert heard.stage.kept.texts == (["hello"] if status == 200 else [])

    async def test_a_replay_within_five_minutes_is_taken_and_has_the_same_event_key(self, heard: Posting) -> None:
        body = json.dumps(heard.event("hello")).encode()
        headers = heard.headers(body)
        answers = [(await heard.post(body, headers)).status_code for _ in range(3)]

        assert answers == [200, 200, 200]
        keys = [one.inbound.event_key for one in heard.stage.kept.arrivals if isinstance(one.inbound, InboundMessage)]
        assert len(keys) == 3
        assert len(set(keys)) == 1


class TestWhatSlackBrings:
    async def test_slack_learns_that_somebody_is_there(self, heard: Posting) -> None:
        answer = await heard.post({"type": "url_verification", "challenge": "3eZbrw1aB", "token": "x"})

        assert answer.json() == {"challenge": "3eZbrw1aB"}
        assert heard.stage.kept.calls == 0

    async def test_forms_are_understood_as_what_they_are(self, heard: Posting) -> None:
        slack, native = heard.stage.slack, heard.stage.native
        pressed = {"type": "block_actions", "team": {"id": slack.team_id}, "api_app_id": slack.app_id, "actions": []}
        command = {"command": "/banter", "text": "ask why?", "team_id": slack.team_id, "api_app_id": slack.app_id}
        native.acks = {"response_action": "errors", "errors": {"question": "Say something."}}
        first = await heard.post(urlencode({"payload": json.dumps(pressed)}).encode())
        second = await heard.post(urlencode(command).encode())
        await native.shows(2)

        assert native.understood == [pressed, command]
        assert first.json() == second.json() == native.acks
        assert native.answered == [pressed, command]

    async def test_what_an_interaction_says_is_kept_without_its_doors(self, heard: Posting) -> None:
        slack, native = heard.stage.slack, heard.stage.native
        await heard.post(heard.event("hello"))
        native.says = [heard.stage.kept.said[0]]
        doors = {"token": "doors", "trigger_id": "doors", "response_url": "https://hooks.slack.com/doors"}
        await heard.post(urlencode({"command": "/banter", "team_id": slack.team_id, **doors}).encode())

        assert len(heard.stage.kept.arrivals) == 2
        assert "doors" not in heard.stage.kept.arrivals[1].raw
        assert "/banter" in heard.stage.kept.arrivals[1].raw

    @pytest.mark.parametrize(
        "body",
        [b"", b"\xff\xfe", b"{", b"[1]", b"{" + b"[" * 20_000, b"payload=5", b"payload={", b"&".join([b"a=1"] * 200)],
    )
    async def test_what_can_not_be_taken_apart_is_a_dead_letter(self, heard: Posting, body: bytes) -> None:
        assert (await heard.post(body)).status_code == 200
        assert [(one.inbound, bool(one.error)) for one in heard.stage.kept.arrivals] == [(None, True)]

    async def test_a_body_that_is_too_long_is_not_read_to_its_end(self, heard: Posting) -> None:
        body = json.dumps(heard.event("x" * 60_000)).encode()

        assert (await heard.post(body)).status_code == 413
        assert heard.stage.kept.calls == 0

    async def test_only_posts_are_taken(self, heard: Posting) -> None:
        assert (await heard.web.get(heard.stage.url)).status_code == 405


class TestNotNow:
    async def test_nobody_accepts_yet(self, posting: Posting) -> None:
        answer = await posting.post(posting.event("hello"))

        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0

    async def test_a_database_that_is_away_makes_slack_bring_it_again(self, heard: Posting) -> None:
        heard.stage.kept.fails = 1
        answers = [(await heard.post(heard.event("hello"))).status_code for _ in range(2)]

        assert answers == [503, 200]
        assert heard.stage.kept.texts == ["hello"]

    async def test_what_is_being_kept_at_the_end_is_kept(self, posting: Posting) -> None:
        kept = posting.stage.kept
        kept.opened.clear()
        async with listening(posting.stage) as receiving:
            await asyncio.sleep(0)
            posted = asyncio.create_task(posting.post(posting.event("hello")))
            await kept.until(lambda kept: kept.calls == 1)
            receiving.cancel()
            late = await posting.post(posting.event("too late"))
            assert not receiving.done()
            kept.opened.set()
            assert (await posted).status_code == 200

        assert late.status_code == 503
        assert kept.texts == ["hello"]

    async def test_a_slow_database_is_given_up_in_time(
        self, slack: LocalSlack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with at_a_url(slack) as stage, httpx2.AsyncClient(timeout=DEADLINE_S, trust_env=False) as web:
            monkeypatch.setattr(stage.receiver._intake, "_limits", type(stage.receiver._intake._limits)(accept_s=0.05))
            posting = Posting(stage, web)
            async with listening(stage):
                await asyncio.sleep(0)
                stage.kept.opened.clear()
                answer = await posting.post(posting.event("hello"))
                stage.kept.opened.set()

        assert answer.status_code == 503


async def test_neither_secrets_nor_texts_are_in_the_log(heard: Posting, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await heard.post(heard.event("something private"))
    await heard.post(b'{"type": "event_callback", "token": "secret-of-old", "event": {"text": "private too"}}')
    await heard.post(json.dumps(heard.event("private"))[:-9].encode())
    await heard.post(heard.event("private"), {SIGNATURE: "v0=" + "0" * 64})

    ours = [one for one in caplog.records if one.name.startswith(("adapters", "slack", "core", "uvicorn", "asyncio"))]
    told = " ".join(str(vars(record)) for record in ours)
    for secret in ("private", heard.stage.slack.signing_secret, "secret-of-old", "v0="):
        assert secret not in told
    assert lines(caplog) == []


def test_an_empty_signing_secret_would_let_everybody_in() -> None:
    with pytest.raises(ValueError, match="never empty"):
        HttpOptions(" ")
