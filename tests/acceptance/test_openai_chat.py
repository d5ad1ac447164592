"""A chat whose replies a server writes: only the model's tokenizer is used here, and no engine is started."""

import asyncio

import pytest

from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.integration.local_openai import CHAT, KEY, Answer, Fault, LocalOpenAI, chunk, failure, reply


@pytest.fixture
def home(empty_home: Home, default_model: ResolvedModel) -> Home:
    link_model(default_model, empty_home.cache)
    return empty_home


def variables(local_openai: LocalOpenAI, **more: str) -> dict[str, str]:
    return {
        "BANTER_GENERATION__BACKEND": "openai",
        "BANTER_OPENAI__BASE_URL": local_openai.base_url,
        "BANTER_OPENAI__API_KEY": KEY,
        **more,
    }


async def test_a_pipe_is_answered_by_the_server_and_remembered(home: Home, local_openai: LocalOpenAI) -> None:
    local_openai.answers = [reply(CHAT, "The capital", " is Paris."), reply(CHAT, "You asked", " for a capital.")]

    told = await asyncio.to_thread(
        home.chat, "What is the capital of France?\nWhat did I ask?\n", variables=variables(local_openai)
    )

    assert (told.stdout, told.stderr) == ("The capital is Paris.\nYou asked for a capital.\n", "")
    assert [body["model"] for body in local_openai.bodies] == ["smollm2-135m-instruct"] * 2
    assert [message["content"] for message in local_openai.bodies[1]["messages"]][1:] == [  # type: ignore[attr-defined]
        "What is the capital of France?",
        "The capital is Paris.",
        "What did I ask?",
    ]
    assert local_openai.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert not (home.data / "engine.log").exists()
    assert KEY not in (home.data / "banter.log").read_text()


async def test_a_failure_of_the_server_is_one_line(home: Home, local_openai: LocalOpenAI) -> None:
    local_openai.answers = [
        failure(401, f"{KEY} is wrong"),
        Answer([chunk(CHAT, "I am"), Fault.DROP]),
        reply(CHAT, "Here", " I am."),
    ]

    told = await asyncio.to_thread(home.chat, "One\nTwo\nThree\n", variables=variables(local_openai))

    assert told.returncode == 1
    assert told.stdout == "I am\nHere I am.\n"
    refused, lost = told.stderr.splitlines()
    assert "refused the API key (HTTP 401); set BANTER_OPENAI__API_KEY" in refused
    assert "the reply breaks off here: ask again" in lost
    assert KEY not in told.stderr + (home.data / "banter.log").read_text()


async def test_the_doctor_asks_the_server(home: Home, local_openai: LocalOpenAI) -> None:
    def examined(**more: str) -> str:
        return home.banter("doctor", variables=variables(local_openai, **more)).stdout

    good, missing, away = (
        await asyncio.to_thread(examined, BANTER_OPENAI__MODEL="tiny"),
        await asyncio.to_thread(examined),
        await asyncio.to_thread(examined, BANTER_OPENAI__BASE_URL="http://127.0.0.1:9/v1"),
    )

    assert f"✓ server: {local_openai.base_url} answers and has tiny" in good
    assert "✓ model: smollm2-135m-instruct; its tokenizer counts, and the server writes" in good
    assert "engine" not in good
    assert f"✗ server: {local_openai.base_url} has tiny, not smollm2-135m-instruct; set `openai.model`" in missing
    assert "✗ server: nothing answers at http://127.0.0.1:9/v1" in away
