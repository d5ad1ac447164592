"""How long work on a model (download, conversion, loading) says how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Called from working threads, one call at a time. What it raises stops the work, and nothing half-made is kept."""

    def __call__(self, step: str, fraction: float | None, /) -> None:
        """`step` is for people; `fraction` is 0 to 1 of this step, None where it is not known."""
        ...


def silent(_step: str, _fraction: float | None, /) -> None:
    """Progress that nobody looks at."""
