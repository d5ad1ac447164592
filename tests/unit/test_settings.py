"""Settings: a default for every key, and one clear sentence for every mistake."""

import errno
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from core.errors import SettingsError
from core.generation.catalogue import DEFAULT_MODEL
from core.generation.request import SamplingParams
from core.settings.file import find_config, load_settings
from core.settings.sampling import SamplingSettings
from core.settings.settings import DatabaseSettings, Settings

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BANTER_CONFIG", "BANTER_PATHS__CACHE", "BANTER_PATHS__DATA", "BANTER_ENGINE__IDLE_S"):
        monkeypatch.delenv(name, raising=False)


def written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text)
    return file


def test_without_a_file_everything_has_a_default() -> None:
    settings = load_settings()

    assert settings.generation.model == DEFAULT_MODEL
    assert settings.database_url.startswith("sqlite:///")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[generation]\nmodl = "x"', "generation.modl: unknown key; did you mean model?"),
        ('[genration]\nmodel = "x"', "genration: unknown key; did you mean generation?"),
        ('[personas.pirate]\nprompt = "arr"', "personas.pirate.prompt: unknown key"),
        ('[generation]\ncontext_window = "big"', "generation.context_window = 'big': should be a valid integer"),
        ("[generation]\ncontext_window = 3", "generation.context_window = 3: should be greater than or equal to 64"),
        ("[sampling]\ntop_p = 0", "sampling.top_p = 0: should be greater than 0"),
        ('[engine]\ndevice = "toaster"', "engine.device = 'toaster': "),
        ('persona = "nobody"', "persona: no such persona; known are banter"),
        ('[models.mine]\nformat = "yaml"', "models.mine.format = 'yaml': should be '', 'chat' or 'dialogpt'"),
        ("[generation\n", "not valid TOML"),
        (
            '[generation]\nbackend = "openai"',
            'openai.base_url: generation.backend = "openai" needs a server, such as http',
        ),
        ('[openai]\nbase_url = "localhost:8000"', "openai.base_url = 'localhost:8000': should begin with http://"),
        ('[openai]\nbase_url = "ftp://localhost"', "openai.base_url = 'ftp://localhost': should begin with http://"),
        (
            '[openai]\nbase_url = "http://localhost:port/v1"',
            "openai.base_url = 'http://localhost:port/v1': should begin",
        ),
        (
            '[personas.pirate]\nadapter = "pirate"\n[openai]\nbase_url = "http://h"\n[generation]\nbackend = "openai"',
            'generation.backend: should be "local" for personas.pirate.adapter; a server has',
        ),
        ('[openai]\nextensions = ["top_q"]', "openai.extensions.0 = 'top_q': should be 'assistant_prefill', "),
    ],
)
def test_a_mistake_is_named_with_its_key_and_what_would_be_right(tmp_path: Path, text: str, told: str) -> None:
    file = written(tmp_path, text)

    with pytest.raises(SettingsError) as raised:
        load_settings(file)

    assert str(raised.value).startswith(str(file))
    assert told in str(raised.value)
    assert "\n" not in raised.value.problems[0] or "TOML" in told


def test_every_mistake_is_found_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, "[engine]\nthreads = -1\nidle_s = 0\n[log]\nlevel = 'loud'")

    with pytest.raises(SettingsError) as raised:
        load_settings(file)

    assert len(raised.value.problems) == 3
    assert "(and 2 more" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[database]\nurl = ['postgresql://me:hunter2@localhost/banter']", "database.url = (hidden)"),
        ("[database.url]\nis = 'postgresql://me:hunter2@localhost/banter'", "database.url = (hidden)"),
        ("database = 'postgresql://me:hunter2@localhost/banter'", "database = (hidden)"),
        ("hub = 'hf_hunter2'", "hub = (hidden)"),
        ("models = 'hf_hunter2'", "models = (hidden)"),
        ("[models]\nmine = 'hf_hunter2'", "models.mine = (hidden)"),
        ("[openai]\nbase_url = 'http://me:hunter2@localhost/v1'", "openai.base_url = (hidden): should hold no secrets"),
        ("[openai]\nbase_url = 'http://localhost/v1?key=hunter2'", "openai.base_url = (hidden)"),
        ("[openai]\napi_key = 'hunter2 ü'", "openai.api_key = (hidden): should be plain characters"),
    ],
)
def test_a_wrong_secret_is_not_repeated(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(written(tmp_path, text))

    assert "hunter2" not in str(raised.value)
    assert told in str(raised.value)


def test_a_path_may_begin_at_home_or_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.chdir(tmp_path)

    paths = load_settings(written(tmp_path, '[paths]\ndata = "~/data"\ncache = "cache"')).paths

    assert (paths.data, paths.cache) == (tmp_path / "me" / "data", tmp_path / "cache")


def test_an_adapter_is_a_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.chdir(tmp_path)
    text = '[personas.one]\nadapter = "~/one"\n[personas.two]\nadapter = "two"\n[personas.three]'

    personas = load_settings(written(tmp_path, text)).personas

    assert [persona.adapter for persona in personas.values()] == [f"{tmp_path}/me/one", f"{tmp_path}/two", ""]


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("sqlite:///~/x.db", "sqlite:////home/me/x.db"),
        ("sqlite+aiosqlite:///~/x.db", "sqlite+aiosqlite:////home/me/x.db"),
        ("sqlite:///x~.db", "sqlite:///x~.db"),
        ("postgresql:///~me", "postgresql:///~me"),
    ],
)
def test_a_database_file_may_be_at_home(monkeypatch: pytest.MonkeyPatch, url: str, meant: str) -> None:
    monkeypatch.setenv("HOME", "/home/me")

    assert Settings(database=DatabaseSettings(url=SecretStr(url))).database_url == meant


def test_nobodys_home_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"paths\.data = '~nobody-here/x': .*no such home"):
        load_settings(written(tmp_path, '[paths]\ndata = "~nobody-here/x"'))
    with pytest.raises(SettingsError, match=r"personas\.p\.adapter = '~nobody-here/x': .*no such home"):
        load_settings(written(tmp_path, '[personas.p]\nadapter = "~nobody-here/x"'))
    with pytest.raises(SettingsError, match=r"database\.url: there is no such home"):
        _ = load_settings(written(tmp_path, '[database]\nurl = "sqlite:///~nobody-here/x"')).database_url


def test_secrets_are_not_shown() -> None:
    settings = Settings(hub={"token": "hf_secret"}, database={"url": "postgresql://me:hunter2@localhost/banter"})  # type: ignore[arg-type]

    assert "hf_secret" not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANTER_ENGINE__THREADS", "3")

    settings = load_settings(written(tmp_path, "[engine]\nthreads = 1\nidle_s = 9.0"))

    assert (settings.engine.threads, settings.engine.idle_s) == (3, 9.0)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("BANTER_GENERATON__MODEL", "x", "environment variable BANTER_GENERATON__MODEL: unknown"),
        ("BANTER_ENGINE__IDLE_S", "soon", "environment variable BANTER_ENGINE__IDLE_S: engine.idle_s = 'soon'"),
        ("BANTER_ENGINE", "x", "set its keys one by one"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=told):
        load_settings()


def test_a_file_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        find_config(tmp_path / "nothing.toml")

    monkeypatch.setenv("BANTER_CONFIG", str(tmp_path / "nothing.toml"))
    with pytest.raises(SettingsError, match="no such file"):
        find_config(None)


def test_a_folder_that_may_not_be_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(Path, "is_file", refuse)

    assert find_config(None) is None
    with pytest.raises(SettingsError, match=r"mine\.toml: Permission denied; make it readable"):
        find_config(tmp_path / "mine.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(file)


def test_a_server_instead_of_the_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BANTER_OPENAI__API_KEY", "sk-secret\n")
    file = written(tmp_path, '[generation]\nbackend = "openai"\n[openai]\nbase_url = "http://localhost:8000/v1/"')

    settings = load_settings(file)

    assert settings.openai.base_url == "http://localhost:8000/v1"
    assert settings.openai.api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(settings)


def test_sampling_settings_go_over_what_the_model_recommends() -> None:
    recommended = SamplingParams(temperature=0.2, top_p=0.9)

    assert SamplingSettings(temperature=0.7).over(recommended) == SamplingParams(temperature=0.7, top_p=0.9)


def test_the_default_persona_stays_beside_configured_ones(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, '[personas.pirate]\nsystem_prompt = "Arr."'))

    assert sorted(settings.known_personas) == ["banter", "pirate"]
    assert settings.chosen(persona="pirate").persona == "pirate"
    with pytest.raises(SettingsError, match="--persona nobody"):
        settings.chosen(persona="nobody")


def test_the_example_is_right_and_shows_the_defaults() -> None:
    defaults = Settings().model_dump()

    assert load_settings(EXAMPLE).model_dump() == defaults


def test_the_example_shows_every_key() -> None:
    uncommented = "\n".join(line.removeprefix("# ") for line in EXAMPLE.read_text().splitlines())
    shown = {line.split("=")[0].strip(" []") for line in uncommented.splitlines() if "=" in line}

    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            assert set(field.annotation.model_fields) <= shown, name
    assert tomllib.loads(EXAMPLE.read_text())["persona"] == "banter"
