"""Fixtures that every kind of test shares."""

pytest_plugins = ["tests.integration.model_fixtures", "tests.integration.openai_fixtures"]
