"""A short run of `python -m tests.fuzz`: nothing that people or platforms send may stop a bot."""

from pathlib import Path

from tests.contract.conftest import (  # noqa: F401 - fixtures are found by their names
    database_url,
    kind,
    migrated_file,
    migrated_template,
    postgres,
)
from tests.fuzz.running import feed
from tests.platforms.paper_bot import paper_voices

INPUTS = 2500


def test_whatever_comes_in_is_answered_or_left_and_nothing_breaks(database_url: str, tmp_path: Path) -> None:  # noqa: F811 - as above
    feeder = feed(database_url, paper_voices(tmp_path), INPUTS, number=20_261_121)

    assert feeder.inputs >= INPUTS
    assert feeder.ends["delivered"] > INPUTS / 10  # it was not all left
    assert set(feeder.ends) <= {"delivered", "ignored", "cancelled", "refused", "failed", "dead"}
