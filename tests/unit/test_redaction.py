"""What is cut from platforms' messages before it is kept."""

import json

import pytest

from core.redaction import without_secrets

_DEPTHS = [10, 100, 300, 600, 900, 2_000, 100_000]


@pytest.mark.parametrize(
    "name", ["token", "bot_token", "client_secret", "password", "Authorization", "api_key", "response_url", "cookie"]
)
def test_fields_named_like_secrets_lose_their_text(name: str) -> None:
    raw = json.dumps({"event": [{name: "tell-nobody", "text": "Good morning"}]})

    kept = json.loads(without_secrets(raw))

    assert kept == {"event": [{name: "[cut]", "text": "Good morning"}]}


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1234567890-abcdefghij",
        "xapp-1-A012345-6789",
        "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc",
        "sk-abcdefghijklmnopqrstuvwx",
        "https://hooks.slack.com/services/T0/B0/x",
        "wss://wss-primary.slack.com/link/?ticket=1",
        "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs",
    ],
)
@pytest.mark.parametrize("raw", ['{{"text": "mine is {secret} ."}}', "not JSON: {secret} .", '{{"a":"{secret}"}}'])
def test_what_looks_like_a_secret_is_cut_wherever_it_stands(secret: str, raw: str) -> None:
    kept = without_secrets(raw.format(secret=secret))

    assert secret not in kept
    assert "[cut]" in kept


def test_a_secret_that_is_spelled_with_escapes_is_cut() -> None:
    raw = json.dumps({"text": "xoxb-1234567890-abcdefghij"}).replace("x", "\\u0078")

    assert json.loads(without_secrets(raw)) == {"text": "[cut]"}


def test_other_text_stays_as_it_is() -> None:
    raw = json.dumps({"token": "", "tokens": 17, "text": "¿Qué tal? 12:30"}, ensure_ascii=False)

    assert json.loads(without_secrets(raw)) == json.loads(raw)


@pytest.mark.parametrize("depth", _DEPTHS)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}")])
def test_no_depth_breaks_it_or_lets_a_secret_through(depth: int, opening: str, closing: str) -> None:
    raw = opening * depth + '{"token": "tell-nobody"}' + closing * depth

    kept = without_secrets(raw)

    assert "tell-nobody" not in kept
    assert "[cut]" in kept
