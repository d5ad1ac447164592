"""Where the Slack app is installed is kept sealed, found by any program, and gone when it is taken away."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.slack.workspaces import Workspace
from bots.slack_workspaces import InstalledWorkspaces
from core.errors import PlatformRefused
from core.memory.database import Database
from core.memory.sealing import Sealing
from core.memory.secrets import Secrets
from core.memory.tables import SecretRow
from core.secret_key import load_keys

ACME = Workspace("T1", "U1", "B1", "xoxb-secret-of-acme", "Acme")
ORGANISATION = Workspace("E1", "U2", "B2", "xoxb-secret-of-all", "All of them")


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(database: Database, tmp_path: Path, clock: Clock) -> Callable[[], InstalledWorkspaces]:
    """What another program of the same database would open."""
    sealing = Sealing(lambda: load_keys("", tmp_path / "secret.key"), texts=False)
    return lambda: InstalledWorkspaces(Secrets(database, sealing), "A1", clock)


async def test_an_installation_is_found_by_another_program(opened: Callable[[], InstalledWorkspaces]) -> None:
    await opened().installed(ACME)

    assert await opened().of("T1") == ACME
    assert await opened().serving("T1", "", is_enterprise_install=False) == ACME
    with pytest.raises(PlatformRefused, match="not installed"):
        await opened().of("T2")


async def test_its_token_stands_nowhere_in_the_clear(
    opened: Callable[[], InstalledWorkspaces], database: Database
) -> None:
    await opened().installed(ACME)
    async with database.reading() as connection:
        rows = (await connection.execute(select(SecretRow.name, SecretRow.sealed))).all()

    assert [row.name for row in rows] == ["slack A1 T1"]
    assert b"xoxb" not in rows[0].sealed
    assert "xoxb" not in repr(ACME)


async def test_an_organisation_serves_its_teams_and_a_team_its_own(opened: Callable[[], InstalledWorkspaces]) -> None:
    workspaces = opened()
    await workspaces.installed(ORGANISATION)
    await workspaces.installed(ACME)

    assert await workspaces.serving("T9", "E1", is_enterprise_install=True) == ORGANISATION
    assert await workspaces.serving("T1", "E1", is_enterprise_install=False) == ACME
    assert await workspaces.serving("T9", "E1", is_enterprise_install=False) == ORGANISATION


async def test_what_was_taken_away_is_soon_gone_in_every_program(
    opened: Callable[[], InstalledWorkspaces], clock: Clock
) -> None:
    here, there = opened(), opened()
    await here.installed(ACME)
    assert await there.of("T1") == ACME
    await here.removed("T1", time.time())
    clock.now_s += 61.0

    for workspaces in (here, there):
        with pytest.raises(PlatformRefused):
            await workspaces.of("T1")


async def test_an_app_that_is_installed_again_has_its_new_token(opened: Callable[[], InstalledWorkspaces]) -> None:
    workspaces = opened()
    await workspaces.installed(ACME)
    await workspaces.removed("T1", time.time())
    again = Workspace("T1", "U1", "B1", "xoxb-another", "Acme")
    await workspaces.installed(again)

    assert (await workspaces.of("T1")).token == (await opened().of("T1")).token == again.token


async def test_news_of_an_earlier_removal_takes_no_later_installation_away(
    opened: Callable[[], InstalledWorkspaces],
) -> None:
    """Slack brings events again that nobody acked."""
    workspaces = opened()
    await workspaces.installed(ACME)
    await workspaces.removed("T1", time.time() - 60.0)

    assert await workspaces.of("T1") == await opened().of("T1") == ACME
