"""A rival's own process: `python -P -m benchmarks.rivals.worker NAME SETTING`, the setting as JSON.

A workload as one line of JSON comes in on standard input, its figures as one line of JSON go out; before them, once the
model is loaded, an empty object. Whatever the libraries print goes to standard error. It ends with its input.
"""

import json
import os
import sys
from dataclasses import asdict

from benchmarks.crowd import Crowd
from benchmarks.measuring import figures, forget_peak, peak_bytes
from benchmarks.rivals.rival import Setting, load
from benchmarks.workloads import parse


def main(name: str, setting: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    rival = load(name, Setting(**json.loads(setting)))
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        workload = parse(line)
        forget_peak()
        crowd = Crowd(workload)
        rival.serve(crowd)
        measured = figures(crowd, workload.last_arrival_s, peak_bytes())
        print(json.dumps(asdict(measured)), file=answers, flush=True)
    os._exit(0)  # the libraries' threads need not end well


if __name__ == "__main__":
    main(*sys.argv[1:])
