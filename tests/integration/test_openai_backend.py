"""The `openai` backend against a server that follows OpenAI's streaming format."""

import asyncio

import pytest

from core.dialogue import FinishReason
from core.errors import (
    EngineUnavailable,
    QueueFull,
    RequestFailed,
)
from core.generation.queue import QueueLimits
from core.generation.request import (
    Completion,
    Piece,
    SamplingParams,
    Waiting,
)
from core.generation.tokenizer import Tokenizer
from tests.integration.local_openai import (
    CHAT,
    COMPLETIONS,
    DONE,
    Answer,
    Fault,
    LocalOpenAI,
    chunk,
    event,
    reply,
    words,
)
from tests.integration.openai_fixtures import NOWHERE, PROMPT_IDS, Connect, happens, read, request, until_piece


class TestAReply:
    async def test_of_a_chat_comes_piece_by_piece(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [reply(CHAT, "I am", " fine", ".")]

        pieces, completion = await read(connect().submit(request()))

        assert pieces == ["I am", " fine", "."]
        assert completion.best.text == "I am fine."
        assert completion.best.finish_reason is FinishReason.STOP
        assert local_openai.bodies[0]["messages"] == [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "How are you?"},
        ]

    async def test_of_a_completion_is_asked_for_by_token_ids(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [reply(COMPLETIONS, "I am", " fine.", finish_reason="length")]

        pieces, completion = await read(connect(mode="completions").submit(request()))

        assert local_openai.asked[0].path == COMPLETIONS
        assert local_openai.bodies[0]["prompt"] == list(PROMPT_IDS)
        assert "".join(pieces) == completion.best.text == "I am fine."
        assert completion.best.finish_reason is FinishReason.LENGTH

    async def test_has_the_ids_that_the_tokenizer_makes_of_it(
        self, local_openai: LocalOpenAI, connect: Connect, byte_level_tokenizer: Tokenizer
    ) -> None:
        local_openai.answers = [reply(CHAT, "The capital", " of France<|im_end|>", " is Paris.")]

        events = [told async for told in connect().submit(request())]

        pieces = [told for told in events if isinstance(told, Piece)]
        assert isinstance(events[-1], Completion)
        best = events[-1].best
        assert byte_level_tokenizer.decode(best.token_ids) == best.text
        assert byte_level_tokenizer.decode(token for piece in pieces for token in piece.token_ids) == best.text
        assert not byte_level_tokenizer.control_ids & set(best.token_ids)

    async def test_survives_every_way_in_which_a_stream_may_be_cut(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        whole = b": keep-alive\r\n\r\n" + event({"choices": [{"delta": {"content": "Grüße "}}]}, "\r\n")
        whole += 'data: {"choices": [{"index": 0, "delta": {"content": "👍 schön"}}]}\n\n'.encode()
        whole += b'event: message\ndata: {"choices": [{"delta": {"content": "!"},\ndata: "finish_reason": "stop"}]}\n\n'
        whole += event({"choices": [], "usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}})
        whole += b"data: [DONE]"
        local_openai.answers = [Answer([whole[at : at + 1] for at in range(len(whole))])]

        pieces, completion = await read(connect().submit(request()))

        assert "".join(pieces) == completion.best.text == "Grüße 👍 schön!"
        assert completion.timings.prefilled_tokens == 5

    async def test_ends_before_a_stop_string_and_the_server_is_left(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "Fine.\ny"), chunk(CHAT, "ou: and"), Fault.SILENCE])]
        stops = tuple(f"\n{who}:" for who in ("a", "b", "c", "d", "you"))

        pieces, completion = await read(connect().submit(request(SamplingParams(stop=stops))))
        await happens(local_openai.left)

        assert "".join(pieces) == completion.best.text == "Fine."
        assert completion.best.finish_reason is FinishReason.STOP
        assert local_openai.bodies[0]["stop"] == list(stops[:4])

    async def test_that_ends_without_done_is_whole_when_it_has_a_finish_reason(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        local_openai.answers = [Answer(words(CHAT, "Fine."))]

        assert (await read(connect().submit(request())))[1].best.text == "Fine."

    async def test_with_done_alone_is_whole_too(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "Fine."), DONE])]

        assert (await read(connect().submit(request())))[1].best.finish_reason is FinishReason.STOP

    async def test_tells_its_log_probability_where_the_server_does(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        told = {"content": [{"token": "F", "logprob": -0.5}, {"token": "ine", "logprob": -0.25}]}
        local_openai.answers = [Answer([chunk(CHAT, "Fine", logprobs=told), *words(CHAT), DONE]), reply(CHAT, "Fine")]
        backend = connect(extensions=frozenset({"logprobs"}))

        _, known = await read(backend.submit(request()))
        _, unknown = await read(backend.submit(request()))

        assert local_openai.bodies[0]["logprobs"] is True
        assert (known.best.log_probability, unknown.best.log_probability) == (-0.75, 0.0)

    async def test_is_drawn_with_the_seed_that_is_recorded(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        backend = connect()

        _, fresh = await read(backend.submit(request()))
        _, given = await read(backend.submit(request(SamplingParams(seed=7))))

        assert [fresh.seed, given.seed] == [body["seed"] for body in local_openai.bodies]
        assert given.seed == 7


class TestTheQueue:
    async def test_holds_what_the_server_is_not_to_have_yet(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        gate = asyncio.Event()
        local_openai.answers = [Answer([chunk(CHAT, "one"), gate, *words(CHAT), DONE])]
        backend = connect(parallel_requests=1)
        first = backend.submit(request())
        await until_piece(first)
        second = backend.submit(request())

        told = await anext(second)
        assert isinstance(told, Waiting)
        assert (told.position, len(local_openai.asked)) == (0, 1)
        gate.set()
        await read(first)

        assert (await read(second))[1].best.text == "I am here."

    async def test_refuses_more_than_may_wait(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "one"), Fault.SILENCE])]
        backend = connect(parallel_requests=1, queue=QueueLimits(waiting=1))
        first, second = backend.submit(request()), backend.submit(request())
        await until_piece(first)
        await anext(second)

        with pytest.raises(QueueFull, match="wait already") as refused:
            await read(backend.submit(request()))
        await second.aclose()
        await first.aclose()

        assert refused.value.waiting == 1
        assert (await read(backend.submit(request())))[1].best.text == "I am here."


class TestAReplyThatWasBegun:
    async def test_goes_on_after_its_tokens(
        self, local_openai: LocalOpenAI, connect: Connect, byte_level_tokenizer: Tokenizer
    ) -> None:
        said = tuple(byte_level_tokenizer.encode_data("The capital"))
        local_openai.answers = [reply(COMPLETIONS, " of France.")]

        pieces, completion = await read(connect(mode="completions").submit(request(prefix_ids=said)))

        assert local_openai.bodies[0]["prompt"] == [*PROMPT_IDS, *said]
        assert pieces == [" of France."]
        assert completion.best.text == "The capital of France."
        assert completion.best.token_ids[: len(said)] == said

    async def test_loses_nothing_of_what_was_held_back_at_either_end(
        self, local_openai: LocalOpenAI, connect: Connect, byte_level_tokenizer: Tokenizer
    ) -> None:
        said = tuple(byte_level_tokenizer.encode_data("The\n"))
        local_openai.answers = [reply(COMPLETIONS, "capital\n")]
        begun = request(SamplingParams(stop=("\nyou:",)), prefix_ids=said)

        pieces, completion = await read(connect(mode="completions").submit(begun))

        assert "".join(pieces) == "\ncapital\n"
        assert completion.best.text == "The\ncapital\n"

    async def test_is_refused_where_the_server_would_begin_anew(self, connect: Connect) -> None:
        with pytest.raises(RequestFailed, match="can't go on with a reply that was begun"):
            await read(connect().submit(request(prefix_ids=(40, 41))))

    async def test_and_has_all_its_tokens_is_not_asked_for(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        full = request(SamplingParams(max_new_tokens=2), prefix_ids=(40, 41))

        _, completion = await read(connect(mode="completions").submit(full))

        assert completion.best.finish_reason is FinishReason.LENGTH
        assert local_openai.asked == []


async def test_what_the_server_is_not_told_is_in_the_log_once(
    local_openai: LocalOpenAI, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    backend, sampling = connect(extensions=frozenset({"min_p"})), SamplingParams(top_k=40, min_p=0.1)

    for _ in range(2):
        await read(backend.submit(request(sampling)))

    told = [record.getMessage() for record in caplog.records if record.name == "core.generation.openai"]
    assert told == ["the server is not told of sampling.top_k (openai.extensions: top_k)"]
    assert local_openai.bodies[0]["min_p"] == 0.1
    assert "top_k" not in local_openai.bodies[0]


async def test_the_servers_models_can_be_listed(local_openai: LocalOpenAI, connect: Connect) -> None:
    assert [model.id for model in await connect().models()] == ["tiny"]
    with pytest.raises(EngineUnavailable, match="nothing answers"):
        await connect(base_url=NOWHERE).models()
