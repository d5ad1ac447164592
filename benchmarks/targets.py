"""What this engine promises against its rivals: ratios within one run."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.measuring import Figures
from benchmarks.runs import Run

#: Requests of equal length, a rival, and the least against it.
_EQUAL = (("1", "sequential", 0.97), ("32", "static", 1.0), ("8", "vllm", 1.0), ("32", "vllm", 1.0))
#: Work → the most that may be prefilled, against prefilling every turn whole.
_PREFILLED_SHARES = {"sessions": 0.20, "long": 0.35}


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    value: float
    bound: float
    at_least: bool

    @property
    def held(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{self.name}: {self.value:.2f} ({sign} {self.bound}) {'held' if self.held else 'MISSED'}"


def targets(runs: Sequence[Run]) -> list[Target]:
    """Those that these runs can show."""
    return [*_equal(runs), *_storm(runs), *_sessions(runs)]


def figures_of(runs: Sequence[Run], work: str, case: str, rival: str) -> list[Figures]:
    """One for each round."""
    return [run.figures for run in runs if (run.work, run.case, run.rival) == (work, case, rival)]


def _equal(runs: Sequence[Run]) -> Iterator[Target]:
    for case, rival, bound in _EQUAL:
        own, other = figures_of(runs, "equal", case, "banter"), figures_of(runs, "equal", case, rival)
        ratios = [one.tokens_per_s / two.tokens_per_s for one, two in zip(own, other, strict=False)]
        if ratios:
            name = f"equal {case}: tokens/s against {rival}, median of pairs"
            yield Target(name, statistics.median(ratios), bound, at_least=True)


def _storm(runs: Sequence[Run]) -> Iterator[Target]:
    loads = {float(run.case) for run in runs if run.work == "storm"}
    for load in sorted(loads, reverse=True):
        own, other = figures_of(runs, "storm", str(load), "banter"), figures_of(runs, "storm", str(load), "static")
        if not own or not other:
            continue
        if load > 1:
            ratio = own[0].tokens_per_s / other[0].tokens_per_s
            yield Target(f"storm {load}: tokens/s against static", ratio, 1.5, at_least=True)
            arriving = own[0].tokens_per_s_while_arriving / other[0].tokens_per_s_while_arriving
            yield Target(f"storm {load}: tokens/s while people arrive", arriving, 1.5, at_least=True)
        ratio = own[0].first_token_p95_s / other[0].first_token_p95_s
        yield Target(f"storm {load}: first token at p95 against static", ratio, 0.5, at_least=False)


def _sessions(runs: Sequence[Run]) -> Iterator[Target]:
    for run in runs:
        share = run.figures.prefilled_share
        if run.rival == "banter" and run.work in _PREFILLED_SHARES and share is not None:
            name = f"{run.work} {run.case}: prefilled against whole"
            yield Target(name, share, _PREFILLED_SHARES[run.work], at_least=False)
