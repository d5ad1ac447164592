"""Converts weights into safetensors in a process of its own, since only the engine's side imports torch.

The child (`core.generation.weights`) prints one JSON object a line: `{"step": …, "fraction": …}` while it works, and
`{"error": …}` before it gives up. It ends when its standard input does, so it never outlives its parent.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import ModelBroken, ModelError
from core.generation.child import ChildExit, run_child
from core.generation.model_store import STORAGE_ERRNOS
from core.generation.progress import Progress

CONVERSION_TIMEOUT_S = 1800.0
_MODULE = "core.generation.weights"

Conversion = Literal["convert-gguf", "convert-pkl"]


@dataclass(slots=True)
class _Report:
    """What the child has said so far."""

    progress: Progress
    error: str = ""
    #: Of an OSError.
    errno: int | None = None

    def line(self, line: str) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        if "error" in said:
            self.error = str(said["error"])
            self.errno = said.get("errno")
        elif "step" in said:
            fraction = said.get("fraction")
            self.progress(str(said["step"]), float(fraction) if isinstance(fraction, int | float) else None)


def convert(conversion: Conversion, source: Path, destination: Path, progress: Progress) -> None:
    """Fills the folder `destination`.

    Raises ModelBroken for a file that can't be converted, OSError where the disk refused, ModelError otherwise.
    """
    progress("Converting the weights (once)", None)
    report = _Report(progress)
    command = [sys.executable, "-P", "-m", _MODULE, conversion, str(source), str(destination)]
    ended = run_child(command, report.line, CONVERSION_TIMEOUT_S, stdin=subprocess.PIPE)
    if report.errno in STORAGE_ERRNOS:
        raise OSError(report.errno, report.error)
    if report.error:
        raise ModelBroken(f"{source.name} can't be converted: {report.error}")
    if ended.code != 0:
        raise ModelError(
            f"the conversion of {source.name} ended early ({_reason(ended)}); free some memory and try again"
        )


def _reason(ended: ChildExit) -> str:
    if ended.timed_out:
        return f"not done after {CONVERSION_TIMEOUT_S / 60:.0f} minutes"
    if ended.code < 0:
        return f"killed by signal {-ended.code}"
    return (ended.stderr.splitlines() or [f"exit code {ended.code}"])[-1][:300]
