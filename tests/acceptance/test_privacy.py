"""An operator hands out, deletes and encrypts what the program remembers."""

import getpass
import json
import stat
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import Home
from tests.acceptance.test_bad_input import refused

#: Like no other bytes on the disk.
WORD = "Quetzalcoatlus7319"
ME = f"terminal/{getpass.getuser()}"


@pytest.fixture
def talkative(home: Home) -> Home:
    """Where something was said."""
    assert home.chat(f"My name is {WORD}.\n").returncode == 0
    return home


def done(told: subprocess.CompletedProcess[str]) -> str:
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


def found_in(folder: Path) -> set[str]:
    """The files that hold the word, in whatever case an index has it."""
    word = WORD.lower().encode()
    return {file.name for file in folder.rglob("*") if file.is_file() and word in file.read_bytes().lower()}


def test_what_was_said_is_handed_out_and_then_forgotten(talkative: Home) -> None:
    lines = [json.loads(line) for line in done(talkative.banter("export", "--person", ME)).splitlines()]
    assert next(line["text"] for line in lines if line["type"] == "turn") == f"My name is {WORD}."
    assert lines[0]["may_train"]["terminal"] is False
    assert found_in(talkative.data) != set()

    told = done(talkative.banter("forget", "--person", ME, "--yes"))

    assert "Forgotten: 2 turns" in told
    assert found_in(talkative.folder) == set()
    [header] = done(talkative.banter("export", "--person", ME)).splitlines()
    assert json.loads(header)["of"] == {"person": ME}


def test_nothing_is_forgotten_before_somebody_has_said_yes(talkative: Home) -> None:
    for answer in ("n\n", ""):
        told = talkative.banter("forget", "--session", "1", said=answer)
        assert told.returncode == 1
        assert "for good?" in told.stdout

    assert WORD in done(talkative.banter("export", "--session", "1"))
    done(talkative.banter("forget", "--session", "1", said="y\n"))
    assert WORD not in done(talkative.banter("export", "--session", "1"))


def test_an_export_goes_into_a_new_file_for_ones_own_eyes(talkative: Home) -> None:
    file = talkative.folder / "me.jsonl"
    done(talkative.banter("export", "--session", "1", "--output", str(file)))

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert WORD in file.read_text()
    refused(talkative.banter("export", "--session", "1", "--output", str(file)), str(file), "name a new file")


def test_training_is_stated_for_each_platform(talkative: Home) -> None:
    variables = {"BANTER_PRIVACY__TRAIN_ON": '["terminal"]'}

    header, *_ = done(talkative.banter("export", "--person", ME, variables=variables)).splitlines()

    assert json.loads(header)["may_train"] == {
        "discord": False,
        "slack": False,
        "telegram": False,
        "terminal": True,
    }


@pytest.mark.parametrize("command", ["export", "forget"])
def test_nobody_and_nothing_are_named_in_one_line(empty_home: Home, command: str) -> None:
    sure = ["--yes"] if command == "forget" else []

    refused(empty_home.banter(command, "--person", "irc/7", *sure), "names nobody")
    refused(empty_home.banter(command, "--session", "7", *sure), "there is no session 7")
    assert empty_home.banter(command).returncode == 2
    assert empty_home.banter(command, "--person", ME, "--session", "1").returncode == 2


def test_what_is_too_old_is_deleted(talkative: Home) -> None:
    assert "Deleted: 0 turns" in done(talkative.banter("retain"))

    told = done(talkative.banter("retain", variables={"BANTER_RETENTION__TURNS_DAYS": "0.0000001"}))

    assert "Deleted: 2 turns" in told
    assert WORD not in done(talkative.banter("export", "--session", "1"))


def test_encrypted_texts_are_read_by_nobody_else_and_survive_a_new_key(home: Home) -> None:
    variables = {"BANTER_PRIVACY__ENCRYPT": "true"}
    assert home.chat(f"My name is {WORD}.\n", variables=variables).returncode == 0
    key = home.data / "secret.key"

    assert found_in(home.data) == set()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert WORD in done(home.banter("sessions", "show", "1", variables=variables))

    old = key.read_text()
    done(home.banter("db", "rotate-key", variables=variables))
    key.write_text(key.read_text().splitlines()[2] + "\n")
    assert key.read_text() not in old
    assert WORD in done(home.banter("sessions", "show", "1", variables=variables))

    key.write_text(old)
    refused(home.banter("chat", said="hi\n", variables=variables), "begun with another key", "privacy.key_file")
    key.chmod(0o644)
    refused(home.banter("chat", said="hi\n", variables=variables), "others can read the keys", f"chmod 600 {key}")


def test_texts_are_encrypted_and_decrypted_later_as_well(talkative: Home) -> None:
    assert "sealed now" in done(talkative.banter("db", "reseal", variables={"BANTER_PRIVACY__ENCRYPT": "true"}))
    assert found_in(talkative.data) == set()
    assert WORD in done(talkative.banter("sessions", "show", "1"))

    assert "in the clear now" in done(talkative.banter("db", "reseal"))
    assert found_in(talkative.data) == {"banter.db"}


def test_no_text_reaches_a_log(talkative: Home) -> None:
    done(talkative.banter("export", "--person", ME))
    done(talkative.banter("forget", "--person", ME, "--yes", variables={"BANTER_LOG__LEVEL": "debug"}))

    assert [file.name for file in talkative.folder.rglob("*.log") if WORD in file.read_text()] == []
