"""Whether each message has its one answer; and if not, all that is known of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from core.memory.database import Database
from core.memory.tables import DeliveryRow, InboxRow, LeaseRow, PartRow
from tests.crash.scenario import Scenario
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_platform import PaperPlatform
from tests.platforms.paper_sender import PaperEvent


@dataclass(frozen=True, slots=True)
class Fault:
    #: "lost", "doubled" or "broken".
    what: str
    message_id: str
    told: str


def judged(scenario: Scenario, platform: PaperPlatform) -> list[Fault]:
    events = [event for _, event in scenario.said]
    faults = [fault for event in events if (fault := _judge(scenario, platform, event)) is not None]
    return faults + [Fault("broken", "", violation) for violation in platform.violations] + _left_over(platform)


def _judge(scenario: Scenario, platform: PaperPlatform, event: PaperEvent) -> Fault | None:
    said = " ".join(" ".join(platform.said(event.id)).split())
    expected = answer_to(event.text, scenario.words)
    if said == expected:
        return None
    what = "doubled" if len(said) > len(expected) else "lost"
    return Fault(what, event.id, f"expected {expected!r}, people read {said!r}")


def _left_over(platform: PaperPlatform) -> list[Fault]:
    """A placeholder may be left only where nobody can ask what was sent."""
    if not platform.kind.capabilities.read_back:
        return []
    left = [seen for seen in platform.messages.values() if not (seen.is_said or seen.is_deleted)]
    return [Fault("doubled", seen.reply_to, f"{seen.handle} was left as {seen.text!r}") for seen in left]


async def history(database: Database, platform: PaperPlatform, message_id: str) -> str:
    """Inbox, delivery and parts of a message, and the platform's log of it."""
    lines: list[str] = []
    async with database.reading() as connection:
        for row in (await connection.execute(select(InboxRow.__table__))).mappings().all():
            if row["inbound"] is None or json.loads(row["inbound"]).get("message_id") != message_id:
                continue
            lines.append(f"  inbox      {_short(dict(row))}")
            of_place = select(LeaseRow.__table__).where(LeaseRow.place == row["place"])
            leases = (await connection.execute(of_place)).mappings().all()
            lines += [f"  lease      {_short(dict(lease))}" for lease in leases]
            owed = select(DeliveryRow.__table__).where(DeliveryRow.inbox_id == row["id"])
            for delivery in (await connection.execute(owed)).mappings().all():
                lines.append(f"  delivery   {_short(dict(delivery))}")
                parts = select(PartRow.__table__).where(PartRow.delivery_id == delivery["id"]).order_by(PartRow.part)
                lines += [f"  part       {_short(dict(part))}" for part in (await connection.execute(parts)).mappings()]
    return "\n".join([*lines, *_log_of(platform, message_id)])


def _log_of(platform: PaperPlatform, message_id: str) -> Sequence[str]:
    handles = [seen.handle for seen in platform.messages.values() if seen.reply_to == message_id]
    calls = [
        f"  {call.at_s:10.3f} {call.name:<7} {dict(call.words)} {call.trouble or ''}"
        for call in platform.log
        if call.words.get("reply_to") == message_id and call.name != "typing"
    ]
    seen = [f"  seen       {handle}: {platform.messages[handle].texts}" for handle in handles]
    return [*calls, *seen]


def _short(row: dict[str, object]) -> str:
    return ", ".join(f"{name}={value!r:.80}" for name, value in row.items() if name not in ("raw", "event_key"))
