"""`banter pair`, as an operator uses it: a code out, somebody in, somebody out again."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.dialogue import Person, Platform
from core.memory.database import Database
from core.memory.pairing import Pairings
from core.pairing import hash_of

ANNA = Person(Platform.TELEGRAM, "", "42", "Anna")


def banter(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bots", "pair", *words],
        env={**os.environ, "BANTER_PATHS__DATA": str(folder), "BANTER_ANSWERING__UNKNOWN_PEOPLE": "pair"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def redeem(folder: Path, code: str) -> bool:
    async with Database(f"sqlite:///{folder / 'banter.db'}") as database:
        return await Pairings(database).redeem(hash_of(code), ANNA, datetime.now(UTC))


def test_a_code_lets_somebody_in_until_they_are_put_out(tmp_path: Path) -> None:
    told = banter(tmp_path, "code", "--hours", "1")
    code = told.stdout.strip()
    assert (told.returncode, told.stderr) == (0, "")
    assert banter(tmp_path, "list").stderr == "0 people; 1 codes wait for somebody\n"

    assert asyncio.run(redeem(tmp_path, code))

    listed = banter(tmp_path, "list")
    assert listed.stdout.startswith("telegram//42  since ")
    assert banter(tmp_path, "revoke", "telegram//42").stdout == "telegram//42 needs another code now.\n"
    assert banter(tmp_path, "list").stdout == ""
    assert not asyncio.run(redeem(tmp_path, code))


@pytest.mark.parametrize("name", ["anna", "telegram/42", "myspace//42"])
def test_a_name_that_is_none_is_told(tmp_path: Path, name: str) -> None:
    told = banter(tmp_path, "revoke", name)

    assert told.returncode == 1
    assert told.stderr == f"error: {name}: no such person; name them as `banter pair list` does: telegram//42\n"
