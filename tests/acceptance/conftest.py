"""The program as a newcomer has it: a home of its own, the real weights, real processes."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.generation.models import ResolvedModel

PROJECT = Path(__file__).parents[2]
TIMEOUT_S = 240.0
#: An engine that a test left behind ends by itself so soon.
IDLE_S = "5"


def obey_file_modes() -> None:
    """Makes root an ordinary user as far as file modes go: without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP, capabilities(7)


@dataclass(frozen=True)
class Home:
    """A home folder and what runs in it."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BANTER_", "XDG_"))}
        short = {"BANTER_ENGINE__IDLE_S": IDLE_S, "BANTER_SAMPLING__MAX_NEW_TOKENS": "48"}
        return kept | short | {"HOME": str(self.folder), "NO_COLOR": "1", "COLUMNS": "160"}

    @property
    def data(self) -> Path:
        return self.folder / ".local/share/banter"

    @property
    def cache(self) -> Path:
        return self.folder / ".cache/banter"

    def banter(
        self, *arguments: str, said: str = "", ordinary: bool = False, variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs the program, from a folder that is not the project's."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "bots", *arguments],
            input=said,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment | (variables or {}),
            timeout=TIMEOUT_S,
            check=False,
            preexec_fn=obey_file_modes if ordinary else None,
        )

    def chat(
        self, said: str, *arguments: str, variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self.banter("chat", *arguments, said=said, variables=variables)


@pytest.fixture
def empty_home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def home(empty_home: Home, default_model: ResolvedModel) -> Iterator[Home]:
    """With the default model in its cache already."""
    models = empty_home.cache / "models"
    models.mkdir(parents=True)
    (models / default_model.folder.name).symlink_to(default_model.folder)
    yield empty_home
    empty_home.banter("engine", "--stop")
    shutil.rmtree(empty_home.cache)
