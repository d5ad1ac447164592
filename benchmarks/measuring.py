"""From what a crowd heard to figures. Standard library alone."""

import math
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.crowd import Crowd, Heard

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one rival did with one workload."""

    requests: int
    tokens: int
    seconds: float
    tokens_per_s: float
    #: Until the last request had come: what is held, without the last replies' ends; 0 where all came at once.
    tokens_per_s_while_arriving: float
    first_token_p50_s: float
    first_token_p95_s: float
    #: Between two tokens of one reply.
    token_p50_s: float
    token_p95_s: float
    #: Of the process, weights included.
    peak_bytes: int
    prompt_tokens: int
    #: None where the rival does not tell.
    prefilled_tokens: int | None

    @property
    def prefilled_share(self) -> float | None:
        """Against prefilling every prompt whole."""
        return None if self.prefilled_tokens is None else self.prefilled_tokens / self.prompt_tokens


def figures(crowd: Crowd, last_arrival_s: float, peak_bytes: int) -> Figures:
    answered = crowd.answered
    tokens = sum(heard.ask.reply_tokens for heard in answered)
    seconds = max(heard.finished_s for heard in answered)
    first_s = [heard.first_s - heard.arrived_s for heard in answered]
    token_s = [_token_s(heard) for heard in answered]
    prefilled = [heard.prefilled_tokens for heard in answered if heard.prefilled_tokens is not None]
    return Figures(
        requests=len(answered),
        tokens=tokens,
        seconds=seconds,
        tokens_per_s=tokens / seconds,
        tokens_per_s_while_arriving=crowd.tokens_while_arriving / last_arrival_s if last_arrival_s else 0.0,
        first_token_p50_s=percentile(first_s, 50),
        first_token_p95_s=percentile(first_s, 95),
        token_p50_s=percentile(token_s, 50),
        token_p95_s=percentile(token_s, 95),
        peak_bytes=peak_bytes,
        prompt_tokens=sum(len(heard.ask.prompt_ids) for heard in answered),
        prefilled_tokens=sum(prefilled) if len(prefilled) == len(answered) else None,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed."""
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]


def forget_peak() -> None:
    """From here on `peak_bytes` counts anew; https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html"""
    if _STATUS.exists():
        _CLEAR_REFS.write_text("5", encoding="ascii")


def peak_bytes() -> int:
    """The largest resident size of this process since `forget_peak`; without /proc, since its start."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    status = _STATUS.read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def _token_s(heard: Heard) -> float:
    return (heard.finished_s - heard.first_s) / max(heard.ask.reply_tokens - 1, 1)
