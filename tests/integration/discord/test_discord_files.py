"""Files that people send are read, and long replies go out as one."""

from collections.abc import AsyncIterator

import pytest
from discord.http import Route

from adapters.discord.endpoint import speak_to
from adapters.discord.files import is_discords
from adapters.discord.sender import LongReplies
from bots.sandbox.local_discord.people import Document
from core.dialogue import Attachment
from core.errors import PlatformAway, PlatformError, PlatformRefused
from tests.integration.discord.sending import Stage, standing


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


async def sent_file(stage: Stage, content: bytes) -> Attachment:
    asked = await stage.anna.says("read this", stage.place, files=[Document("message.txt", content)])
    (file,) = asked.attachments
    return Attachment(file.filename, "text/plain", len(content), f"{stage.place.id}/{asked.id}/{file.id}")


async def test_a_file_is_read_or_its_beginning(stage: Stage) -> None:
    content = b"rain " * 50_000
    file = await sent_file(stage, content)

    assert await stage.sender.read(stage.key, file, 1_000_000) == content
    assert await stage.sender.read(stage.key, file, 1000) == content[:1000]


async def test_it_is_read_long_after_its_address_has_ended(stage: Stage) -> None:
    file = await sent_file(stage, b"rain")
    await stage.discord.advance(200_000)
    assert await stage.sender.read(stage.key, file, 100) == b"rain"


async def test_a_file_that_is_not_there_is_a_refusal(stage: Stage) -> None:
    file = await sent_file(stage, b"rain")
    channel, message, _ = file.handle.split("/")
    for handle in ("", "https://evil.example/x", f"{channel}/{message}", f"{channel}/{message}/1", f"{channel}/1/1"):
        with pytest.raises(PlatformRefused):
            await stage.sender.read(stage.key, Attachment("a", "", 0, handle), 100)


async def test_a_file_that_can_not_be_had_now_is_asked_for_again(stage: Stage) -> None:
    file = await sent_file(stage, b"rain")
    await stage.discord.fault("answer", "get_message", status=500)
    with pytest.raises(PlatformAway):
        await stage.sender.read(stage.key, file, 100)
    assert await stage.sender.read(stage.key, file, 100) == b"rain"
    await stage.discord.go_away()
    with pytest.raises(PlatformError) as raised:
        await stage.sender.read(stage.key, file, 100)
    assert isinstance(raised.value, PlatformAway)


def test_nobody_but_discord_is_asked_for_a_file() -> None:
    before = Route.BASE
    speak_to("http://127.0.0.1:8083/api/v10")
    try:
        assert is_discords("http://127.0.0.1:8083/attachments/1/2/a.txt?ex=1")
        assert not is_discords("http://127.0.0.1:8084/attachments/1/2/a.txt")
    finally:
        speak_to(before)
    assert is_discords("https://cdn.discordapp.com/attachments/1/2/a.txt?ex=1")
    assert is_discords("https://media.discordapp.net/attachments/1/2/a.txt")
    for address in (
        "http://cdn.discordapp.com/a",
        "https://cdn.discordapp.com:8443/a",
        "https://cdn.discordapp.com.evil.example/a",
        "https://cdn.discordapp.com@evil.example/a",
        "https://evil.example/cdn.discordapp.com",
        "https://[::1",
        "http://127.0.0.1:8083/a",
        "file:///etc/passwd",
        "",
    ):
        assert not is_discords(address)


async def test_a_long_reply_is_a_file_with_its_beginning_above_where_that_is_wanted() -> None:
    async with standing(long_replies=LongReplies.FILE) as stage:
        assert stage.sender.capabilities(stage.key).limit_chars == 100_000
        text = "Rain falls on the roof. " * 500
        handle = await stage.sender.open(stage.part("Rain falls", session_key=stage.threaded))
        await stage.sender.update(handle, stage.part(text, session_key=stage.threaded))
        last = stage.last(text, session_key=stage.threaded)
        for _ in range(2):
            await stage.sender.close(handle, last)

        (message,) = await stage.written(stage.thread)
        assert message.text.startswith("Rain falls on the roof. Rain")
        assert len(message.text) <= 2000
        assert message.text.endswith("…")
        assert [(file.filename, file.text) for file in message.attachments] == [("reply.md", text)]
        assert len(message.labels) == 3

        await stage.sent(stage.last("Short.", 1, session_key=stage.threaded))
        assert (await stage.written(stage.thread))[-1].attachments == ()


async def test_a_long_reply_that_is_sent_at_once_has_its_file_too_and_once() -> None:
    async with standing(long_replies=LongReplies.FILE) as stage:
        last = stage.last("Rain falls. " * 1000)
        handle = await stage.sender.open(last)
        assert await stage.start_anew().open(last) == handle
        await stage.sender.close(handle, last)

        (message,) = await stage.written()
        assert [file.text for file in message.attachments] == [last.markdown]
        assert message.replies_to == stage.question.id
