"""discord.py's loggers say nothing: they tell addresses with an interaction's token in them, and whole messages."""

import logging

_LOUD = ("discord.http", "discord.gateway", "discord.client", "discord.webhook.async", "discord.webhook.sync")


def silence() -> None:
    """What goes wrong with a call is told by what it raises."""
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
