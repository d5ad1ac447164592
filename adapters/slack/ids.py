"""Ids that stand somewhere in what Slack sends. All raise NotUnderstood where there is none."""

from adapters.slack.payloads import NotUnderstood, found_in
from adapters.slack.told import ts, word


def word_in(payload: object, *path: str) -> str:
    return word(found_in(payload, *path))


def ts_in(payload: object, *path: str) -> str:
    """A message's."""
    return ts(found_in(payload, *path))


def first_ts_in(payload: object, *paths: tuple[str, ...]) -> str:
    """The first that is told."""
    for path in paths:
        if found_in(payload, *path) is not None:
            return ts_in(payload, *path)
    raise NotUnderstood("no message is told")
