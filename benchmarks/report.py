"""A run's figures as a table for people and as JSON for programs. Medians where there were several rounds."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from benchmarks.measuring import Figures
from benchmarks.runs import Run
from benchmarks.targets import figures_of, targets

_COLUMNS = (
    "tokens/s",
    "first s",
    "p95",
    "each ms",
    "p95",
    "MB",
    "read",
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which all was measured."""

    model: str
    threads: int
    machine: str
    window: int
    rounds: int


def table(conditions: Conditions, runs: Sequence[Run]) -> Table:
    title = f"{conditions.model}, float32, {conditions.threads} threads, window of {conditions.window:,} tokens"
    caption = "first: to the first token; each: from token to token; read: prefilled, of all prompts"
    shown = Table(title=title, caption=caption, box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("work", "rival", *_COLUMNS):
        shown.add_column(heading, justify="left" if heading in ("work", "rival") else "right")
    last = ""
    for (work, case, rival), found in medians(runs).items():
        name = f"{work} {case}"
        if last and name != last:
            shown.add_section()
        shown.add_row("" if name == last else name, rival, *_cells(found))
        last = name
    return shown


def content(
    conditions: Conditions, runs: Sequence[Run], static_capacity_per_s: float, missing: dict[str, str]
) -> dict[str, object]:
    """`equal` is requests → rival → tokens/s; `figures` is work → case → rival → all of them."""
    equal: dict[str, dict[str, float]] = {}
    figures: dict[str, dict[str, dict[str, object]]] = {}
    for (work, case, rival), found in medians(runs).items():
        figures.setdefault(work, {}).setdefault(case, {})[rival] = asdict(found)
        if work == "equal":
            equal.setdefault(case, {})[rival] = found.tokens_per_s
    return {
        "conditions": asdict(conditions),
        "equal": equal,
        "figures": figures,
        "static_capacity_per_s": static_capacity_per_s,
        "targets": [asdict(target) | {"held": target.held} for target in targets(runs)],
        "missing": missing,
        "runs": [asdict(run) for run in runs],
    }


def medians(runs: Sequence[Run]) -> dict[tuple[str, str, str], Figures]:
    """(work, case, rival) → figures, in the order in which they were first measured."""
    keys = dict.fromkeys((run.work, run.case, run.rival) for run in runs)
    return {key: median(figures_of(runs, *key)) for key in keys}


def median(rounds: Sequence[Figures]) -> Figures:
    """Of every figure by itself; None where a round does not tell it."""
    middle: dict[str, Any] = {}
    for name in (field.name for field in fields(Figures)):
        values = [getattr(figures, name) for figures in rounds]
        middle[name] = None if None in values else statistics.median_low(values)
    return Figures(**middle)


def _cells(found: Figures) -> tuple[str, ...]:
    share = found.prefilled_share
    return (
        f"{found.tokens_per_s:.1f}",
        f"{found.first_token_p50_s:.2f}",
        f"{found.first_token_p95_s:.2f}",
        f"{1000 * found.token_p50_s:.0f}",
        f"{1000 * found.token_p95_s:.0f}",
        f"{found.peak_bytes / 1e6:,.0f}",
        "—" if share is None else f"{share:.0%}",
    )
