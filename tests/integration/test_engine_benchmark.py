"""`banter bench engine` from end to end, with a tiny model: processes, workloads, files. No time is judged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import engine
from benchmarks.crowd import Crowd
from benchmarks.workloads import Vocabulary, sessions
from tests.integration.tiny_networks import save_tiny_network

RIVALS = ("sequential", "static", "transformers", "banter")
SMALL = ["--quick", "--requests", "1", "3", "--prompt-tokens", "4", "--new-tokens", "3", "--rounds", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_network("gpt2", tmp_path_factory.mktemp("model"))


def test_a_quick_run_writes_every_rivals_tokens_per_second(folder: Path, tmp_path: Path) -> None:
    file, picture = tmp_path / "engine.json", tmp_path / "engine.png"
    command = [sys.executable, "-m", "bots", "bench", "engine", "--model", str(folder), *SMALL]

    told = subprocess.run(
        [*command, "--rivals", *RIVALS, "--json", str(file), "--plot", str(picture)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert told.returncode == 0, told.stderr
    equal = json.loads(file.read_text())["equal"]
    assert {count: set(rates) for count, rates in equal.items()} == {"1": set(RIVALS), "3": set(RIVALS)}
    assert all(rate > 0 for rates in equal.values() for rate in rates.values())
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_rival_that_is_not_there_is_one_line_and_the_others_go_on(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "engine.json"
    arguments = ["--model", str(folder), *SMALL, "--rivals", "static", "llama.cpp", "--json", str(file)]

    code = engine.main(arguments)

    assert code == 0
    assert "llama.cpp is left out: " in capfd.readouterr().err
    assert set(json.loads(file.read_text())["equal"]["3"]) == {"static"}


def test_a_picture_without_matplotlib_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.engine.find_spec", lambda _name: None)

    assert engine.main(["--plot", "never.png"]) == 1
    assert "pip install banter[bench]" in capfd.readouterr().err


def test_a_batch_hears_what_each_would_hear_alone(folder: Path) -> None:
    from benchmarks.rivals.rival import Setting, load

    asked = sessions(Vocabulary(500, window=256), 3, 2)
    replies = []
    for name in ("sequential", "static", "banter"):
        crowd = Crowd(asked)
        load(name, Setting(str(folder), threads=1, window=256)).serve(crowd)
        replies.append({heard.ask.id: heard.token_ids for heard in crowd.answered})

    assert replies[0] == replies[1] == replies[2]
