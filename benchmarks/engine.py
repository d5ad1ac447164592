"""The engine beside its rivals, on the same work, in one run: `banter bench engine`.

Works: `equal` (1, 8 and 32 requests of one length, at once), `storm` (Poisson arrivals of chats at 1.5 and 0.5 times
what static batching was measured to hold), `sessions` (16 dialogues of 10 turns), `long` (4 of 60 turns, which outgrow
the window). All draw greedily in float32 with the same threads; no token ends a reply: all draw the same number.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from benchmarks.models import GPT2, model_folder, vocabulary
from benchmarks.report import Conditions, content, table
from benchmarks.rivals.process import RivalFailed, RivalProcess
from benchmarks.rivals.rival import Setting
from benchmarks.runs import WORKS, Benchmark, Scale
from benchmarks.targets import targets
from core.errors import BanterError, SettingsError

#: Those that are compared stand beside each other.
RIVALS = ("transformers", "sequential", "banter", "static")
#: Run where they are installed, here or in the environment that an option names.
GUESTS = {"vllm": "vllm", "llama.cpp": "llama_cpp"}
#: Less than five minutes on two cores, also where others use them too: then there are fewer rounds.
QUICK = Scale(prompt_tokens=32, reply_tokens=24, rounds=5, rounds_s=120.0)

_console = Console(stderr=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 where a rival failed, or with --check where a target was missed."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except BanterError as error:
        _tell(f"error: {error}")
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.plot and find_spec("matplotlib") is None:
        raise SettingsError("--plot needs matplotlib: pip install banter[bench]")
    folder, began = model_folder(options.model), time.monotonic()
    asked = vocabulary(folder)
    setting = Setting(str(folder), options.threads, asked.window)
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        rivals = _start(stack, options, setting, missing)
        benchmark = Benchmark(rivals, asked, _scale(options), _tell)
        benchmark.warm_up()
        for work in options.works or (("equal",) if options.quick else WORKS):
            benchmark.run(work)
    for name, reason in benchmark.failed.items():
        _tell(f"{name} failed: {reason}")
    conditions = Conditions(options.model, options.threads, _machine(), asked.window, _scale(options).rounds)
    _report(options, conditions, benchmark, missing | benchmark.failed)
    _tell(f"{time.monotonic() - began:.0f} s")
    is_missed = options.check and not all(target.held for target in targets(benchmark.runs))
    return 1 if is_missed or set(RIVALS) & {*missing, *benchmark.failed} else 0


def _start(
    stack: ExitStack, options: argparse.Namespace, setting: Setting, missing: dict[str, str]
) -> list[RivalProcess]:
    """Those that are ready; the others go to `missing`, with one line each."""
    pythons = {"vllm": options.vllm_python, "llama.cpp": options.llama_python}
    ready = []
    for name in options.rivals or (*RIVALS, *GUESTS):
        python = pythons.get(name)
        if name in GUESTS and python is None and find_spec(GUESTS[name]) is None:
            missing[name] = (
                f"{GUESTS[name]} is not installed here; --{name.split('.')[0]}-python names a Python that has it"
            )
        elif name == "llama.cpp" and options.gguf is None:
            missing[name] = "it reads GGUF files alone; --gguf names one of the same model"
        else:
            own = replace(setting, folder=str(options.gguf.absolute())) if name == "llama.cpp" else setting
            _tell(f"loading: {name}")
            try:
                ready.append(stack.enter_context(RivalProcess(name, own, python)))
            except (RivalFailed, OSError) as error:
                missing[name] = str(error)
        if name in missing:
            _tell(f"{name} is left out: {missing[name]}")
    return ready


def _scale(options: argparse.Namespace) -> Scale:
    chosen = QUICK if options.quick else Scale()
    given = {
        "requests": tuple(options.requests) if options.requests else None,
        "prompt_tokens": options.prompt_tokens,
        "reply_tokens": options.new_tokens,
        "rounds": options.rounds,
        "storm_requests": options.storm_requests,
        "storm_loads": tuple(options.storm_loads) if options.storm_loads else None,
        "sessions": tuple(options.sessions) if options.sessions else None,
        "long_sessions": tuple(options.long_sessions) if options.long_sessions else None,
    }
    return replace(chosen, **{name: value for name, value in given.items() if value is not None})


def _report(options: argparse.Namespace, conditions: Conditions, benchmark: Benchmark, missing: dict[str, str]) -> None:
    console = Console()
    console.print(table(conditions, benchmark.runs))
    for target in targets(benchmark.runs):
        console.print(str(target), highlight=False)
    if options.json:
        found = content(conditions, benchmark.runs, benchmark.static_capacity_per_s, missing)
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        from benchmarks.plot import draw

        draw(options.plot, conditions, benchmark.runs)


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in _lines(info) if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, Python {platform.python_version()}"


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _tell(line: str) -> None:
    _console.print(line, style="dim", highlight=False, markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("banter bench engine", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the work `equal` alone, small: under five minutes")
    parser.add_argument("--model", default=GPT2, help=f"{GPT2} (random weights), a model's name, or a folder")
    parser.add_argument("--works", nargs="+", choices=WORKS)
    parser.add_argument("--rivals", nargs="+", choices=(*RIVALS, *GUESTS), help="in the order in which they alternate")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="exit code 1 where a target is missed")
    files = parser.add_argument_group("what is written")
    files.add_argument("--json", type=Path, metavar="FILE")
    files.add_argument("--plot", type=Path, metavar="FILE", help="a PNG")
    scale = parser.add_argument_group("how much is asked")
    scale.add_argument("--requests", type=int, nargs="+", help="of `equal`, at once")
    scale.add_argument("--prompt-tokens", type=int, help="of `equal`")
    scale.add_argument("--new-tokens", type=int, help="of `equal`")
    scale.add_argument("--rounds", type=int, help="of `equal`")
    scale.add_argument("--storm-requests", type=int, help="at the highest of the loads")
    scale.add_argument("--storm-loads", type=float, nargs="+", help="against what static batching holds (1.5 and 0.5)")
    scale.add_argument("--sessions", type=int, nargs=2, metavar=("COUNT", "TURNS"))
    scale.add_argument("--long-sessions", type=int, nargs=2, metavar=("COUNT", "TURNS"))
    guests = parser.add_argument_group("rivals of other environments")
    guests.add_argument("--vllm-python", type=Path, metavar="PYTHON", help="bin/python of an environment with vLLM")
    guests.add_argument("--llama-python", type=Path, metavar="PYTHON", help="the same with llama-cpp-python")
    guests.add_argument("--gguf", type=Path, metavar="FILE", help="the same model for llama.cpp")
    return parser


if __name__ == "__main__":
    sys.exit(main())
