"""The program as a newcomer has it: a home of its own, the real weights, real processes."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.generation.models import ResolvedModel

PROJECT = Path(__file__).parents[2]
TIMEOUT_S = 240.0
#: An engine that a test left behind ends by itself so soon.
IDLE_S = "20"
#: The same words every time, and not too many.
CERTAIN_AND_SHORT = {
    "BANTER_SAMPLING__TEMPERATURE": "0",
    "BANTER_SAMPLING__SEED": "1",
    "BANTER_SAMPLING__MAX_NEW_TOKENS": "48",
}


def obey_file_modes() -> None:
    """Makes root an ordinary user as far as file modes go: without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP, capabilities(7)


@dataclass(frozen=True)
class Home:
    """A home folder and what runs in it."""

    folder: Path
    #: Where it is not the home's own.
    shared_cache: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BANTER_", "XDG_"))}
        set_here = {"BANTER_ENGINE__IDLE_S": IDLE_S, **CERTAIN_AND_SHORT}
        if self.shared_cache:
            set_here["BANTER_PATHS__CACHE"] = str(self.shared_cache)
        return kept | set_here | {"HOME": str(self.folder), "NO_COLOR": "1", "COLUMNS": "160"}

    @property
    def data(self) -> Path:
        return self.folder / ".local/share/banter"

    @property
    def cache(self) -> Path:
        return self.shared_cache or self.folder / ".cache/banter"

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
def own_engine_home(empty_home: Home, default_model: ResolvedModel) -> Iterator[Home]:
    """With the default model in its cache already, and an engine that nobody else uses."""
    link_model(default_model, empty_home.cache)
    yield empty_home
    empty_home.banter("engine", "--stop")


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory, default_model: ResolvedModel) -> Iterator[Path]:
    """One engine for all tests that only talk: it takes seconds to start."""
    home = Home(tmp_path_factory.mktemp("shared"))
    link_model(default_model, home.cache)
    yield home.cache
    home.banter("engine", "--stop")


@pytest.fixture
def home(empty_home: Home, shared_cache: Path) -> Home:
    return replace(empty_home, shared_cache=shared_cache)


def link_model(model: ResolvedModel, cache: Path) -> None:
    models = cache / "models"
    models.mkdir(parents=True)
    (models / model.folder.name).symlink_to(model.folder)
