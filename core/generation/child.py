"""Runs another program to its end: line by line, with a deadline, and never left behind."""

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

_STDERR_LIMIT_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class ChildExit:
    #: Negative: killed by this signal.
    code: int
    #: The end of what it wrote there.
    stderr: str
    timed_out: bool


def run_child(command: Sequence[str], on_line: Callable[[str], None], timeout_s: float, stdin: int) -> ChildExit:
    """Calls `on_line` with every line of the child's standard output. What `on_line` raises kills the child.

    `stdin` is `subprocess.DEVNULL`, or `subprocess.PIPE` for a child that ends itself when its input does: it then
    does not outlive a parent that was killed.
    """
    with tempfile.TemporaryFile() as errors:
        late = threading.Event()
        with subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8", errors="replace"
        ) as child:
            timer = threading.Timer(timeout_s, _end, (child, late))
            timer.daemon = True
            timer.start()
            try:
                for line in child.stdout or ():
                    on_line(line.rstrip("\n"))
                code = child.wait()
            finally:
                timer.cancel()
                child.kill()
        return ChildExit(code, _tail(errors), late.is_set())


def _end(child: "subprocess.Popen[str]", late: threading.Event) -> None:
    late.set()
    child.kill()


def _tail(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - _STDERR_LIMIT_BYTES))
    return errors.read().decode("utf-8", "replace").strip()
