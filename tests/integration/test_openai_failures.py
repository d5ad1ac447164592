"""A server that refuses, fails, falls silent or breaks off, and what the `openai` backend makes of it."""

import logging

import pytest

from core.errors import (
    BanterError,
    EngineUnavailable,
    ModelNotFound,
    RequestFailed,
)
from core.generation.openai_request import OpenAIOptions
from core.generation.request import (
    SamplingParams,
)
from core.generation.tokenizer import Tokenizer
from tests.integration.local_openai import (
    CHAT,
    COMPLETIONS,
    KEY,
    Answer,
    Fault,
    LocalOpenAI,
    chunk,
    event,
    failure,
    reply,
    words,
)
from tests.integration.openai_fixtures import NOWHERE, PROMPT_IDS, Connect, happens, read, request, until_piece


class TestAFailureThatMayPass:
    @pytest.mark.parametrize("status", [429, 500, 503])
    async def test_is_tried_again(self, local_openai: LocalOpenAI, connect: Connect, status: int) -> None:
        local_openai.answers = [failure(status, "not now", Retry_After="0"), failure(status, "not now")]

        pieces, _ = await read(connect().submit(request(SamplingParams(seed=1))))

        assert "".join(pieces) == "I am here."
        assert len(local_openai.asked) == 3
        assert local_openai.bodies[0] == local_openai.bodies[2]

    async def test_is_an_error_when_it_stays(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [failure(503, "loading the model")] * 3

        with pytest.raises(EngineUnavailable, match=r"failed \(HTTP 503\); look at its log: loading the model"):
            await read(connect(retries=2).submit(request()))

        assert len(local_openai.asked) == 3

    async def test_is_a_server_that_hangs_up_before_the_first_word(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        local_openai.answers = [Answer([Fault.DROP]), Answer([event({"choices": []})])]

        assert (await read(connect().submit(request())))[1].best.text == "I am here."

    async def test_is_an_error_in_the_stream_before_the_first_word(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        local_openai.answers = [Answer([event({"error": {"message": "overloaded", "code": 503}})])]

        assert (await read(connect().submit(request())))[1].best.text == "I am here."

    async def test_is_a_server_that_is_not_there(self, connect: Connect) -> None:
        with pytest.raises(EngineUnavailable, match=r"nothing answers at http://127\.0\.0\.1:9/v1 .*start the server"):
            await read(connect(base_url=NOWHERE, retries=1).submit(request()))


class TestAConnectionThatIsLost:
    async def test_in_a_chat_breaks_the_reply_off(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "I am"), Fault.DROP])]
        stream = connect().submit(request())
        await until_piece(stream)

        with pytest.raises(EngineUnavailable, match="the reply breaks off here: ask again"):
            await read(stream)

        assert len(local_openai.asked) == 1

    async def test_by_completions_goes_on_after_what_was_said(
        self, local_openai: LocalOpenAI, connect: Connect, byte_level_tokenizer: Tokenizer
    ) -> None:
        local_openai.answers = [Answer([chunk(COMPLETIONS, "I am"), Fault.DROP]), reply(COMPLETIONS, " fine.")]

        pieces, completion = await read(connect(mode="completions").submit(request()))

        assert "".join(pieces) == completion.best.text == "I am fine."
        said = byte_level_tokenizer.encode_data("I am")
        assert local_openai.bodies[1]["prompt"] == [*PROMPT_IDS, *said]
        assert local_openai.bodies[1]["max_tokens"] == 256 - len(said)

    async def test_in_the_middle_of_an_event_is_a_lost_one(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        whole = chunk(COMPLETIONS, " well")
        local_openai.answers = [
            Answer([chunk(COMPLETIONS, "I am"), whole[: len(whole) // 2]]),
            reply(COMPLETIONS, " fine."),
        ]

        pieces, _ = await read(connect(mode="completions").submit(request()))

        assert "".join(pieces) == "I am fine."

    async def test_by_completions_of_text_goes_on_too(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(COMPLETIONS, "I am")]), reply(COMPLETIONS, " fine.")]

        pieces, _ = await read(connect(mode="completions-text").submit(request()))

        assert "".join(pieces) == "I am fine."
        assert local_openai.bodies[1]["prompt"] == f"{local_openai.bodies[0]['prompt']}I am"

    @pytest.mark.parametrize("extension", ["assistant_prefill", "continue_final_message"])
    async def test_in_a_chat_goes_on_where_the_server_can(
        self, local_openai: LocalOpenAI, connect: Connect, extension: str
    ) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "I am"), Fault.DROP]), reply(CHAT, " fine.")]

        pieces, _ = await read(connect(extensions=frozenset({extension})).submit(request()))

        assert "".join(pieces) == "I am fine."
        assert local_openai.bodies[1]["messages"][-1] == {"role": "assistant", "content": "I am"}  # type: ignore[index]
        assert ("continue_final_message" in local_openai.bodies[1]) is (extension == "continue_final_message")

    async def test_before_a_held_back_word_was_seen_begins_again(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "\nyo"), Fault.DROP])]

        pieces, _ = await read(connect().submit(request(SamplingParams(stop=("\nyou:",)))))

        assert "".join(pieces) == "I am here."

    async def test_after_the_last_word_changes_nothing(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([*words(CHAT, "Fine."), Fault.DROP])]

        assert (await read(connect().submit(request())))[1].best.text == "Fine."

    async def test_is_not_awaited_when_all_was_said(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([*words(CHAT, "Fine."), Fault.SILENCE])]

        assert (await read(connect(read_timeout_s=0.3).submit(request())))[1].best.text == "Fine."

    async def test_again_and_again_is_an_error(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(COMPLETIONS, "on "), Fault.DROP])] * 3

        with pytest.raises(EngineUnavailable, match="was lost"):
            await read(connect(mode="completions", retries=2).submit(request()))

        assert len(local_openai.asked) == 3


REFUSALS = [
    (failure(401, "bad key"), EngineUnavailable, "refused the API key (HTTP 401); set BANTER_OPENAI__API_KEY"),
    (failure(403, "bad key"), EngineUnavailable, "refused the API key (HTTP 403)"),
    (failure(404, "The model `tiny` does not exist."), ModelNotFound, "has no model 'tiny'; `banter doctor` lists"),
    (failure(404, "Not Found"), EngineUnavailable, "correct `openai.base_url`, which usually ends in /v1"),
    (failure(307, "", Location="http://elsewhere/"), EngineUnavailable, "correct `openai.base_url`"),
    (failure(400, "maximum context length is 64 tokens"), RequestFailed, "lower `generation.context_window`"),
    (failure(400, "unknown field top_k"), RequestFailed, "(HTTP 400): unknown field top_k; if it names a field"),
    (Answer([b"<html>"], content_type="text/html"), RequestFailed, "answered with text/html instead of text/event"),
    (Answer([b"data: {nonsense\n\n"]), RequestFailed, "sent something that is no part of an answer"),
    (Answer([event({"choices": "none"})]), RequestFailed, "sent something that is no part of an answer"),
    (Answer([event({"error": {"message": "out of\nluck", "code": None}})]), RequestFailed, ": out of luck;"),
    (Answer([event({"error": "out of luck"})]), RequestFailed, ": out of luck;"),
    (Answer([chunk(CHAT, "", finish_reason="content_filter")]), RequestFailed, "content filter"),
    (Answer([chunk(CHAT, "x" * 9000)] * 9), RequestFailed, "more than 65,536 bytes for one reply"),
    (Answer([b"data: " + b"x" * 9000] * 9), RequestFailed, "more than 65,536 bytes for one reply"),
]


@pytest.mark.parametrize(("answer", "kind", "told"), REFUSALS)
async def test_an_error_is_one_line_that_says_what_to_do(
    local_openai: LocalOpenAI, connect: Connect, answer: Answer, kind: type[BanterError], told: str
) -> None:
    local_openai.answers = [answer]

    with pytest.raises(BanterError) as raised:
        await read(connect(response_limit_bytes=65_536).submit(request()))

    assert type(raised.value) is kind
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(local_openai.asked) == 1


async def test_an_error_in_the_middle_of_a_reply_ends_it(local_openai: LocalOpenAI, connect: Connect) -> None:
    local_openai.answers = [Answer([chunk(CHAT, "I am"), event({"error": {"message": "out of memory", "code": 500}})])]
    stream = connect().submit(request())
    await until_piece(stream)

    with pytest.raises(EngineUnavailable, match="out of memory; the reply breaks off"):
        await read(stream)


@pytest.mark.parametrize("before", [[], [chunk(CHAT, "I am")]])
async def test_a_silent_server_is_given_up(local_openai: LocalOpenAI, connect: Connect, before: list[bytes]) -> None:
    local_openai.answers = [Answer([*before, Fault.SILENCE])]

    with pytest.raises(EngineUnavailable, match=r"was silent for 0\.3 s; .*openai\.read_timeout_s"):
        await read(connect(read_timeout_s=0.3).submit(request()))
    await happens(local_openai.left)

    assert len(local_openai.asked) == 1


async def test_the_api_key_goes_to_the_server_and_nowhere_else(
    local_openai: LocalOpenAI, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    local_openai.answers = [failure(500, f"what is {KEY}?"), failure(400, f"what is {KEY}?")]

    with pytest.raises(RequestFailed, match=r"what is \(hidden\)\?") as raised:
        await read(connect().submit(request()))

    assert local_openai.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(raised.value) + caplog.text + repr(OpenAIOptions("http://x", api_key=KEY))
