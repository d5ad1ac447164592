"""Bodies of every kind are understood alike by the local Bot API server; what can't be understood is said to be so."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.people import Person
from tests.integration.telegram.ptb_bots import raw_client

ENTITIES = [{"type": "bold", "offset": 0, "length": 2}]
KEYBOARD = {"inline_keyboard": [[{"text": "Stop", "callback_data": "stop"}]]}


@pytest.fixture
async def client(telegram: LocalTelegram) -> AsyncIterator[httpx2.AsyncClient]:
    async with raw_client(telegram) as client:
        yield client


@pytest.mark.parametrize("how", ["query", "form", "multipart", "json", "json of text"])
async def test_a_message_is_the_same_however_it_is_written(
    client: httpx2.AsyncClient, ann: Person, telegram: LocalTelegram, how: str
) -> None:
    values = {"chat_id": ann.id, "text": "é 🎉 & = +", "entities": ENTITIES, "reply_markup": KEYBOARD}
    values |= {"reply_parameters": {"message_id": 1}, "disable_notification": True, "message_thread_id": None}
    written = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
        if value is not None
    }
    match how:
        case "query":
            answer = await client.get("sendMessage", params=written)
        case "form":
            answer = await client.post("sendMessage", data=written)
        case "multipart":
            parts = {name: (None, value.encode()) for name, value in written.items()}
            answer = await client.post("sendMessage", files=parts)
        case "json":
            answer = await client.post("sendMessage", json=values)
        case _:
            answer = await client.post("sendMessage", json=written)

    told = answer.json()["result"]
    (call,) = await telegram.calls()
    assert {name: told[name] for name in ("message_id", "text", "entities", "reply_markup")} == {
        "message_id": 2,
        "text": "é 🎉 & = +",
        "entities": ENTITIES,
        "reply_markup": KEYBOARD,
    }
    assert told["reply_to_message"]["text"] == "/start"
    assert call.parameters == written


async def test_a_name_means_the_same_in_capitals(client: httpx2.AsyncClient, telegram: LocalTelegram) -> None:
    answers = [(await client.get(name)).json() for name in ("getMe", "getme", "GETME")]

    assert answers[0] == answers[1] == answers[2]
    assert [call.method for call in await telegram.calls("GetMe")] == ["getMe"] * 3


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("dance", 404, "Not Found: method not found"),
        ("getMe/more", 404, "Not Found"),
    ],
)
async def test_what_is_not_there_is_not_found(client: httpx2.AsyncClient, path: str, code: int, told: str) -> None:
    answer = await client.get(path)

    assert (answer.status_code, answer.json()) == (code, {"ok": False, "error_code": code, "description": told})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"text": "hi"}, "chat_id is empty"),
        ({"chat_id": "5", "text": "hi"}, "chat not found"),
        ({"chat_id": "@somebody", "text": "hi"}, "chat not found"),
        ({"chat_id": "500001"}, "message text is empty"),
        (
            {"chat_id": "500001", "text": "hi", "link_preview_options": "off"},
            "can't parse link preview options JSON object",
        ),
        ({"chat_id": "500001", "text": "hi", "entities": "{["}, "can't parse entities JSON object"),
        (
            {"chat_id": "500001", "text": "hi", "entities": ["bold"]},
            "can't parse MessageEntity: expected an Object",
        ),
        (
            {"chat_id": "500001", "text": "hi", "reply_markup": [1]},
            "object expected as reply keyboard markup",
        ),
        (
            {"chat_id": "500001", "text": "hi", "reply_parameters": "["},
            "can't parse reply parameters JSON object",
        ),
    ],
)
async def test_what_can_not_be_understood_is_said_to_be_so(
    client: httpx2.AsyncClient, ann: Person, body: dict[str, object], told: str
) -> None:
    answer = await client.post("sendMessage", json=body)

    assert (answer.status_code, answer.json()) == (
        400,
        {"ok": False, "error_code": 400, "description": f"Bad Request: {told}"},
    )
    assert (await ann.chat.look()).bots == []


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff"])
async def test_a_broken_body_is_refused(client: httpx2.AsyncClient, ann: Person, body: bytes) -> None:
    answer = await client.post("sendMessage", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["description"]) == (400, "Bad Request: can't parse JSON object")


async def test_a_broken_multipart_body_is_refused(client: httpx2.AsyncClient, ann: Person) -> None:
    kind = {"Content-Type": "multipart/form-data"}

    answer = await client.post("sendMessage", content=b"--x\r\nnothing", headers=kind)

    assert answer.status_code == 400


async def test_half_a_surrogate_pair_can_be_heard_and_not_be_said(
    client: httpx2.AsyncClient, ann: Person, telegram: LocalTelegram
) -> None:
    await ann.says("half \ud83c")
    kind = {"Content-Type": "application/json"}
    body = json.dumps({"chat_id": ann.id, "text": "half \ud83c"}).encode()
    answer = await client.post("sendMessage", content=body, headers=kind)

    assert (await client.get("getUpdates")).json()["result"][-1]["message"]["text"] == "half \ud83c"
    assert answer.json()["description"] == "Bad Request: strings must be encoded in UTF-8"
    assert (await telegram.calls("sendMessage"))[0].parameters["text"] == "half \ud83c"


async def test_times_are_unix_seconds(client: httpx2.AsyncClient, ann: Person) -> None:
    sent = (await client.post("sendMessage", json={"chat_id": ann.id, "text": "hi"})).json()["result"]
    body = {"chat_id": ann.id, "message_id": sent["message_id"], "text": "hello"}
    edited = (await client.post("editMessageText", json=body)).json()["result"]

    assert isinstance(sent["date"], int)
    assert "edit_date" not in sent
    assert edited["edit_date"] >= edited["date"] == sent["date"] > 1_700_000_000


@pytest.mark.parametrize(
    ("order", "body", "told"),
    [
        ("dance", {}, "nothing is called dance"),
        ("say", {"person": 1}, "Bad Request: nobody has that id"),
        ("seen", {"chat_id": 5}, "Bad Request: chat not found"),
        ("fault", {"kind": "flood"}, "'flood' is not a valid Kind"),
        ("bot", {"username": "true"}, "the bot has no option username"),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(
    telegram: LocalTelegram, order: str, body: dict[str, object], told: str
) -> None:
    async with httpx2.AsyncClient(timeout=20, trust_env=False) as anyone:
        answer = await anyone.post(f"{telegram.control_url}/control/{order}", json=body)

    assert (answer.status_code, answer.json()) == (400, {"error": told})


async def test_the_control_interface_is_not_the_bots(client: httpx2.AsyncClient, telegram: LocalTelegram) -> None:
    at_the_bots = await client.post(f"{telegram.base_url}/control/state", json={})

    assert at_the_bots.status_code == 404
    assert telegram.control_url.startswith("http://127.0.0.1:")
    assert telegram.control_url != telegram.base_url


async def test_a_file_needs_the_token_and_its_path(client: httpx2.AsyncClient, telegram: LocalTelegram) -> None:
    base = telegram.base_url

    wrong_token = await client.get(f"{base}/file/bot{telegram.bot_id}:wrong/documents/x")
    wrong_path = await client.get(f"{base}/file/bot{telegram.token}/documents/x")

    assert (wrong_token.status_code, wrong_path.status_code) == (401, 404)
