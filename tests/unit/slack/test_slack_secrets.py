"""What the settings tell of the Slack app: what is missing or wrong is said before anybody is listened to."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.slack_secrets import slack_secrets
from core.errors import SettingsError
from core.settings.service import WebSettings
from core.settings.settings import Settings
from core.settings.slack import SlackSettings

APP_TOKEN = "xapp-1-A0123ABCD-42-secretsecret"


def settings(port: int = 8484, **told: object) -> Settings:
    given = {name: SecretStr(value) if is_secret(name) else value for name, value in told.items()}  # type: ignore[arg-type]
    return Settings(slack=SlackSettings(**given), web=WebSettings(port=port))  # type: ignore[arg-type]


def is_secret(name: str) -> bool:
    return name in ("token", "app_token", "signing_secret", "client_secret")


def problems(told: Settings) -> list[str]:
    """The keys that are to be mended."""
    with pytest.raises(SettingsError) as raised:
        slack_secrets(told)
    return [problem.partition(":")[0] for problem in raised.value.problems]


def test_socket_mode_reads_the_app_id_off_the_app_token() -> None:
    found = slack_secrets(settings(token="xoxb-1", app_token=APP_TOKEN))

    assert (found.app_id, found.token, found.app_token) == ("A0123ABCD", "xoxb-1", APP_TOKEN)


def test_tokens_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "bot").write_text("xoxb-2\n")
    (tmp_path / "app").write_text(f"{APP_TOKEN}\n")
    found = slack_secrets(settings(token_file=str(tmp_path / "bot"), app_token_file=str(tmp_path / "app")))

    assert (found.token, found.app_token) == ("xoxb-2", APP_TOKEN)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert problems(settings(token_file=str(tmp_path / "none"))) == ["slack.token_file"]


@pytest.mark.parametrize(
    ("told", "keys"),
    [
        ({}, ["BANTER_SLACK_TOKEN", "BANTER_SLACK_APP_TOKEN"]),
        ({"token": "xoxb-1"}, ["BANTER_SLACK_APP_TOKEN"]),
        ({"app_token": APP_TOKEN}, ["BANTER_SLACK_TOKEN"]),
        ({"token": "xoxp-1", "app_token": APP_TOKEN}, ["BANTER_SLACK_TOKEN"]),
        ({"token": "xoxb-1", "app_token": "xoxb-2"}, ["BANTER_SLACK_APP_TOKEN"]),
        ({"token": "xoxb-1", "app_token": APP_TOKEN, "app_id": "A9"}, ["slack.app_id"]),
        ({"token": "xoxb-1", "receive": "http"}, ["BANTER_SLACK_SIGNING_SECRET", "slack.app_id"]),
        ({"client_id": "1.2", "app_token": APP_TOKEN}, ["BANTER_SLACK_CLIENT_SECRET"]),
        ({"token": "xoxb-1", "receive": "http", "signing_secret": "s", "app_id": "A9", "port": 0}, ["web.port"]),
        ({"client_id": "1.2", "client_secret": "s", "app_token": APP_TOKEN, "port": 0}, ["web.port"]),
    ],
)
def test_what_is_missing_or_wrong_is_named(told: dict[str, object], keys: list[str]) -> None:
    assert problems(settings(**told)) == keys  # type: ignore[arg-type]


def test_no_secret_is_repeated() -> None:
    told = settings(token="xoxp-secret-of-ann", app_token="xoxb-secret-of-ben")
    with pytest.raises(SettingsError) as raised:
        slack_secrets(told)

    assert "secret-of" not in " ".join(raised.value.problems) + repr(told)


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANTER_SLACK_TOKEN", "xoxb-environment")
    monkeypatch.setenv("BANTER_SLACK_APP_TOKEN", APP_TOKEN)
    told = Settings(slack={"token": "xoxb-file", "connections": 3})  # type: ignore[arg-type]

    assert slack_secrets(told).token == "xoxb-environment"
    assert told.slack.connections == 3


def test_an_app_id_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="A0123ABCD"):
        SlackSettings(app_id="U0123")
