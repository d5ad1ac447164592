"""What was said too long ago while nobody listened is handed over as late."""

from datetime import UTC, datetime

from adapters.discord.back_fill import CatchUp
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from tests.integration.discord.receiving import QUICK, Kept, listening


async def test_after_a_long_gap_the_newest_are_handed_over_at_once_and_as_late(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        await ann.says("0", general)
        await kept.says("0")
    for number in range(1, 151):
        await ann.says(f"{number}", general)
    await discord.advance(7200)
    await ann.says("now", general)
    clock = datetime.fromtimestamp((await discord.look()).now, UTC)
    async with listening(discord, kept, catch_up=CatchUp(3600.0, pauses=QUICK, now=lambda: clock)):
        await kept.says("0", *map(str, range(51, 151)), "now")

    assert [said.text for said in kept.said if said.is_late] == [str(number) for number in range(51, 151)]
    assert 100 in kept.batches


async def test_a_late_mention_begins_no_thread(discord: LocalDiscord, ann: Person, general: Place, kept: Kept) -> None:
    async with listening(discord, kept):
        await ann.says("0", general)
        await kept.says("0")
    await ann.says(f"{discord.mention} late", general)
    await discord.advance(7200)
    in_time = await ann.says(f"{discord.mention} now", general)
    clock = datetime.fromtimestamp((await discord.look()).now, UTC)
    async with listening(discord, kept, catch_up=CatchUp(3600.0, pauses=QUICK, now=lambda: clock)):
        await kept.says("0", "late", "now")

    [_, late, now] = kept.said
    assert (late.is_late, late.session_key.thread, late.wants_title) == (True, "", False)
    assert (now.is_late, now.session_key.thread, now.wants_title) == (False, in_time.id, True)
