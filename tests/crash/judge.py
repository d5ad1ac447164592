"""Whether each message has its one answer on the paper platform."""

from collections.abc import Sequence

from tests.crash.scenario import Scenario
from tests.crash.verdict import Fault
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_platform import PaperPlatform
from tests.platforms.paper_sender import PaperEvent


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


def log_of(platform: PaperPlatform, message_id: str) -> Sequence[str]:
    handles = [seen.handle for seen in platform.messages.values() if seen.reply_to == message_id]
    calls = [
        f"  {call.at_s:10.3f} {call.name:<7} {dict(call.words)} {call.trouble or ''}"
        for call in platform.log
        if call.words.get("reply_to") == message_id and call.name != "typing"
    ]
    seen = [f"  seen       {handle}: {platform.messages[handle].texts}" for handle in handles]
    return [*calls, *seen]
