"""Fixtures that every kind of test shares."""

import os

import pytest

pytest_plugins = ["tests.integration.model_fixtures", "tests.integration.openai_fixtures"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many a test waits for a clock or another process."""
    return (os.cpu_count() or 1) + 1
