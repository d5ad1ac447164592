"""A platform in memory, a database of each kind, and a voice that all bots share."""

from collections.abc import Callable

import pytest

from core.memory.database import Database
from core.voice import Voices
from tests.contract.conftest import (  # noqa: F401 - fixtures are found by their names
    database,
    database_url,
    kind,
    migrated_file,
    migrated_template,
    postgres,
)
from tests.integration.walk.moments import Moment
from tests.platforms.kinds import DISCORD, Kind
from tests.platforms.paper_bot import Place, paper_voices
from tests.platforms.paper_platform import PaperPlatform


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    return paper_voices(tmp_path_factory.mktemp("voices"))


@pytest.fixture
def place_on(database: Database, voices: Voices) -> Callable[[Kind], Place]:  # noqa: F811 - as above
    return lambda on: Place(PaperPlatform(on), database, voices)


@pytest.fixture
def place(place_on: Callable[[Kind], Place]) -> Place:
    return place_on(DISCORD)


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Moment:
    return Moment(monkeypatch)
