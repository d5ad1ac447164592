"""A run's figures as a picture. Needs matplotlib."""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.measuring import Figures
from benchmarks.report import Conditions, medians
from benchmarks.runs import Run

_COLOURS = {
    "sequential": "#b8bfc7",
    "static": "#8d99a6",
    "transformers": "#5b6875",
    "banter": "#e4572e",
    "vllm": "#3a7ca5",
    "llama.cpp": "#7a9e7e",
}
_LABELS = {"equal": "{} at once", "storm": "{} × static's rate", "sessions": "{} sessions", "long": "{} sessions"}


def draw(file: Path, conditions: Conditions, runs: Sequence[Run]) -> None:
    """Writes a PNG: what each rival gives, and how long people wait."""
    figure = Figure(figsize=(11, 4.2), layout="constrained", dpi=150)
    left, right = figure.subplots(1, 2)
    _bars(left, runs, lambda found: found.tokens_per_s)
    left.set_title("tokens per second (more is better)")
    _bars(right, runs, lambda found: found.first_token_p95_s)
    right.set_title("seconds to the first token, 95th percentile (less is better)")
    right.set_yscale("log")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle(f"{conditions.model}, float32, {conditions.threads} threads, {conditions.machine}", fontsize=10)
    figure.savefig(file, format="png")


def _bars(axes: Axes, runs: Sequence[Run], figure_of: Callable[[Figures], float]) -> None:
    """A group of bars for each case, a colour for each rival."""
    found = {key: value for key, value in medians(runs).items() if key[0] != "long"}
    cases = list(dict.fromkeys(key[:2] for key in found))
    rivals = [rival for rival in _COLOURS if any(key[2] == rival for key in found)]
    width = 0.8 / max(len(rivals), 1)
    for number, rival in enumerate(rivals):
        places = [place for place, case in enumerate(cases) if (*case, rival) in found]
        heights = [figure_of(found[*cases[place], rival]) for place in places]
        offsets = [place + (number - (len(rivals) - 1) / 2) * width for place in places]
        axes.bar(offsets, heights, width, label=rival, color=_COLOURS[rival])
    names = [_LABELS[work].format(case) for work, case in cases]
    axes.set_xticks(range(len(cases)), names, rotation=20 if len(cases) > 3 else 0)
    axes.spines[["top", "right"]].set_visible(False)
