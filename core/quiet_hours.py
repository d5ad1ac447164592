"""When the program keeps quiet, by the clock on somebody's wall."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class QuietSpan:
    """Every day from one time until before another; past midnight where it ends earlier than it starts."""

    start: time
    end: time

    def holds(self, at: time) -> bool:
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


@dataclass(frozen=True, slots=True)
class QuietHours:
    spans: tuple[QuietSpan, ...] = ()
    zone: tzinfo = UTC
    #: People are told; otherwise they get no answer at all.
    is_told: bool = True

    def until(self, moment: datetime) -> datetime | None:
        """When the quiet of a moment ends; None where there is none. Spans that touch are one."""
        end = None
        for _ in self.spans:
            later = self._end(end or moment)
            if later is None:
                break
            end = later
        return end

    def _end(self, moment: datetime) -> datetime | None:
        local = moment.astimezone(self.zone)
        holding = next((span for span in self.spans if span.holds(local.time())), None)
        if holding is None:
            return None
        days = 0 if local.time() < holding.end else 1
        end = datetime.combine(local.date() + timedelta(days=days), holding.end, self.zone)
        if end.astimezone(UTC) <= moment:  # the hour that is said twice when summer ends
            end = end.replace(fold=1)
        return end.astimezone(UTC)


NEVER_QUIET = QuietHours()
