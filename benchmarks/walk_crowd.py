"""1,000 sessions at once with a slow model: what it takes, who is refused, and whether the order holds."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.measuring import forget_peak, peak_bytes
from benchmarks.walk_places import Places
from tests.integration.walk_stage import Stage, SteadyModel

SESSIONS, MESSAGES, PLACES = 1000, 3, 512
_REFUSAL = "Too many people"


@dataclass(frozen=True, slots=True)
class CrowdFigures:
    answered: int
    refused: int
    refusal: str
    seconds: float
    #: Of the process, above what it had before.
    grown_bytes: int
    most_at_the_model: int

    @property
    def told(self) -> str:
        return (
            f"{SESSIONS} sessions × {MESSAGES} messages at once in {self.seconds:.1f} s: {self.answered} answered, "
            f"{self.refused} refused, order held; {self.grown_bytes / 1e6:.0f} MB more, at most "
            f"{self.most_at_the_model} at the model; “{self.refusal}”"
        )


async def crowd(places: Places, name: str, numbers: Iterator[int]) -> CrowdFigures:
    """1,000 people say three things at once to a model that is slow and takes 256 waiting requests."""
    model = SteadyModel(seconds=0.1, parallel=32, waiting_limit=256)
    forget_peak()
    before = peak_bytes()
    async with places.database(name, numbers) as database, places.stage(database, PLACES, model) as stage:
        begin = time.perf_counter()
        channels = [str(channel) for channel in range(SESSIONS)]
        await asyncio.gather(*(_speak(stage, channel) for channel in channels))
        for channel in channels:
            await stage.board.answer(channel, f"m{MESSAGES - 1}")
        seconds, answers = time.perf_counter() - begin, stage.board.answers
    require_order(answers)
    refusals = [text for text in answers.values() if _REFUSAL in text]
    refusal = refusals[0] if refusals else ""
    return CrowdFigures(
        len(answers) - len(refusals), len(refusals), refusal, seconds, peak_bytes() - before, model.most
    )


async def _speak(stage: Stage, channel: str) -> None:
    for number in range(MESSAGES):
        await stage.hand_over(channel, number)


def require_order(answers: Mapping[tuple[str, str], str]) -> None:
    """Each session's questions were answered one after another, each by its own answer."""
    heard: dict[str, list[str]] = {}
    for (channel, message_id), text in answers.items():
        heard.setdefault(channel, []).append(message_id)
        if _REFUSAL not in text and not text.endswith(f"({channel}.{message_id[1:]})"):
            raise AssertionError(f"{message_id} of {channel} got another one's answer")
    asked = [f"m{number}" for number in range(MESSAGES)]
    wrong = [channel for channel, order in heard.items() if order != asked]
    if wrong or len(heard) != SESSIONS:
        raise AssertionError(f"{len(wrong)} of {len(heard)} sessions were answered in another order")
