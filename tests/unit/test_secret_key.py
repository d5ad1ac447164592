"""The keys: made once, for one's own eyes alone, the newest first."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.secret_key import SecretKeys, add_key, load_keys


def key(byte: int) -> str:
    return base64.urlsafe_b64encode(bytes([byte]) * 32).decode()


def test_a_file_is_made_at_the_first_start_and_read_at_the_next(tmp_path: Path) -> None:
    file = tmp_path / "new" / "secret.key"

    first = load_keys("", file)

    assert len(first.newest_first) == 1
    assert load_keys("", file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["secret.key"]


def test_no_two_files_hold_the_same_key(tmp_path: Path) -> None:
    assert load_keys("", tmp_path / "one") != load_keys("", tmp_path / "other")


def test_programs_that_start_together_have_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        keys = set(threads.map(lambda _: load_keys("", tmp_path / "secret.key"), range(64)))

    assert len(keys) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret.key"
    load_keys("", file)
    file.chmod(mode)

    with pytest.raises(SettingsError, match=rf"others can read the keys \(its mode is {mode:o}\); chmod 600 {file}"):
        load_keys("", file)


def test_the_environment_goes_before_the_file_and_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"

    assert load_keys(f" {key(1)}, {key(2)}\n", file) == SecretKeys((key(1).encode(), key(2).encode()))
    assert not file.exists()


@pytest.mark.parametrize("text", ["hunter2", key(1)[:-5], f"{key(1)},hunter2", "ключ", key(1) + key(1)])
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="this is no key") as refused:
        load_keys(text, tmp_path / "secret.key")

    assert "hunter2" not in str(refused.value)
    assert key(1)[:20] not in str(refused.value)


@pytest.mark.parametrize("content", ["", "# nothing but a comment\n", "not a key\n"])
def test_a_file_without_a_key_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secret.key"
    file.write_text(content)
    file.chmod(0o600)

    with pytest.raises(SettingsError, match="restore it from a copy"):
        load_keys("", file)
    assert file.read_text() == content


def test_a_new_key_stands_before_the_old_ones(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    before = load_keys("", file)

    after = add_key(file)

    assert load_keys("", file) == after
    assert after.newest_first[1:] == before.newest_first
    assert after.newest_first[0] not in before.newest_first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_keys_are_not_shown(tmp_path: Path) -> None:
    keys = load_keys(key(1), tmp_path / "secret.key")

    assert key(1) not in repr(keys)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)

    with pytest.raises(SettingsError, match=r"Permission denied; .* BANTER_PRIVACY__KEY"):
        load_keys("", folder / "secret.key")


def test_a_folder_in_the_keys_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Is a directory; let this user read and write it"):
        load_keys("", tmp_path)
