"""How long from the command to the first words of a reply, beside what only importing and loading costs.

`python -m benchmarks.start` in the project's folder; it wants the default model to be here (`banter models pull`).
Both figures are taken in turn, in one run: the machine may be noisy, the ratio is what counts.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import platformdirs
from rich.console import Console
from rich.table import Table

from core.generation.catalogue import DEFAULT_MODEL
from core.generation.models import Models

ROUNDS = 5
#: The bound of the first release: a start costs at most so much more than loading alone.
BOUND = 2.0
QUESTION = b"Say hello.\n"
LOAD_ALONE = """
import sys, torch, transformers
transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1])
"""


def main() -> int:
    cache = Path(os.environ.get("MODEL_CACHE_FOR_TESTS") or platformdirs.user_cache_dir("banter"))
    folder = Models(cache).resolve(DEFAULT_MODEL).folder
    with tempfile.TemporaryDirectory() as data:
        environment = os.environ | {"BANTER_PATHS__CACHE": str(cache), "BANTER_PATHS__DATA": data}
        measured: dict[str, list[float]] = {"load alone": [], "cold start": [], "engine running": []}
        for _ in range(ROUNDS):
            measured["load alone"].append(_load_alone(folder))
            end_engine(environment)
            measured["cold start"].append(_first_word(environment))
            measured["engine running"].append(_first_word(environment))
        end_engine(environment)
    ratio = statistics.median(c / a for c, a in zip(measured["cold start"], measured["load alone"], strict=True))
    _print(measured, ratio)
    return 0 if ratio <= BOUND else 1


def end_engine(environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "bots", "engine", "--stop"], env=environment, check=True, stdout=subprocess.DEVNULL
    )


def _load_alone(folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", LOAD_ALONE, str(folder)], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def _first_word(environment: dict[str, str]) -> float:
    """Seconds from `make chat` to the first byte of the reply."""
    started = time.perf_counter()
    make = shutil.which("make") or "make"
    chat = subprocess.Popen(
        [make, "-s", "chat", "CHAT=--new"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert chat.stdin
    assert chat.stdout
    chat.stdin.write(QUESTION)
    chat.stdin.close()
    if not chat.stdout.read(1):
        raise SystemExit("no reply came")
    seconds = time.perf_counter() - started
    chat.stdout.read()
    chat.wait()
    return seconds


def _print(measured: dict[str, list[float]], ratio: float) -> None:
    table = Table("seconds", "min", "median", "max", title=f"{ROUNDS} rounds")
    for name, seconds in measured.items():
        table.add_row(name, *(f"{value:.2f}" for value in (min(seconds), statistics.median(seconds), max(seconds))))
    console = Console()
    console.print(table)
    console.print(f"cold start / load alone, median of pairs: {ratio:.2f} (at most {BOUND})")


if __name__ == "__main__":
    sys.exit(main())
