"""Candidates and scores from a server that follows OpenAI's streaming format."""

import pytest

from core.errors import (
    DeadlineExceeded,
    EngineUnavailable,
    RequestFailed,
)
from core.generation.request import (
    ModelSpec,
    SamplingParams,
    ScorePair,
)
from tests.integration.local_openai import (
    CHAT,
    DONE,
    Answer,
    Fault,
    LocalOpenAI,
    chunk,
    event,
    failure,
)
from tests.integration.openai_fixtures import Connect, happens, read, request


class TestCandidates:
    async def test_are_drawn_in_one_request_where_the_server_can(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        mixed = [
            chunk(CHAT, "Red", 1),
            chunk(CHAT, "Blue", 0),
            chunk(CHAT, ".", 1, "stop"),
            chunk(CHAT, "!", 0, "stop"),
        ]
        local_openai.answers = [Answer([*mixed, DONE])]

        pieces, completion = await read(
            connect(extensions=frozenset({"n"})).submit(request(SamplingParams(candidates=2)))
        )

        assert pieces == []
        assert [candidate.text for candidate in completion.candidates] == ["Blue!", "Red."]
        assert [body["n"] for body in local_openai.bodies] == [2]

    async def test_are_requests_of_their_own_elsewhere(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        _, completion = await read(connect().submit(request(SamplingParams(candidates=3, seed=5))))

        assert [candidate.text for candidate in completion.candidates] == ["I am here."] * 3
        assert sorted(str(body["seed"]) for body in local_openai.bodies) == ["5", "6", "7"]
        assert all("n" not in body for body in local_openai.bodies)

    async def test_that_the_server_leaves_out_are_an_error(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        with pytest.raises(RequestFailed, match='take "n" out'):
            await read(connect(extensions=frozenset({"n"})).submit(request(SamplingParams(candidates=2))))

    async def test_fail_together(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [failure(401, "no")]
        waiting = [Answer([Fault.SILENCE])] * 2
        local_openai.answers += waiting

        with pytest.raises(EngineUnavailable, match="API key"):
            await read(connect().submit(request(SamplingParams(candidates=3))))


class TestScores:
    PAIRS = (ScorePair((1, 2), (3, 4)), ScorePair((1,), ()), ScorePair((1,), (5,)))

    async def test_are_sums_over_the_continuation(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        told = [[None, -9, -1, -0.5, -9], [None, -9], [None, -2, -9]]
        choices = [
            {"index": number, "text": "", "logprobs": {"token_logprobs": each}} for number, each in enumerate(told)
        ]
        body = event({"choices": choices}).removeprefix(b"data: ")
        local_openai.answers = [failure(500, "not now"), Answer([body], content_type="application/json")]

        scores = await connect().score(ModelSpec("tiny", ""), self.PAIRS)

        assert scores == [-1.5, 0.0, -2.0]
        assert local_openai.bodies[1]["prompt"] == [[1, 2, 3, 4], [1], [1, 5]]
        assert local_openai.bodies[1]["echo"] is True

    async def test_need_a_server_that_gives_them(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        body = event({"choices": [{"text": "x", "logprobs": None}]}).removeprefix(b"data: ")
        local_openai.answers = [Answer([body], content_type="application/json")]

        with pytest.raises(RequestFailed, match=r"can't score: .* set `generation\.backend = \"local\"`"):
            await connect().score(ModelSpec("tiny", ""), self.PAIRS[:1])

    async def test_have_a_deadline(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([Fault.SILENCE], content_type="application/json")]

        with pytest.raises(DeadlineExceeded, match="no scores came within"):
            await connect().score(ModelSpec("tiny", ""), self.PAIRS, timeout_s=0.2)
        await happens(local_openai.left)
