"""A rival in a process of its own, so that its peak memory and its threads are its own.

Several can be held at once; one that is not asked costs no processor time, so their rounds can alternate.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Self

import benchmarks
from benchmarks.measuring import Figures
from benchmarks.rivals.rival import Setting
from benchmarks.workloads import Workload

#: The longest that a rival may load, or serve one workload.
TIMEOUT_S = 1800.0
_END_TIMEOUT_S = 10.0


class RivalFailed(Exception):
    """This rival is left out of the rest of the run."""


class RivalProcess:
    """A context manager; `serve` blocks."""

    def __init__(self, name: str, setting: Setting, python: Path | None = None) -> None:
        """`python` is another environment's; it needs none of this one's packages."""
        self.name = name
        self._setting = setting
        self._python = python

    def __enter__(self) -> Self:
        """Returns as soon as the rival is ready."""
        self._folder = tempfile.TemporaryDirectory(prefix="banter-rival-")
        self._log = Path(self._folder.name) / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._command(), json.dumps(asdict(self._setting))],
                env=self._environment(Path(self._folder.name)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            self._read()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait(_END_TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._folder.cleanup()

    def serve(self, workload: Workload) -> Figures:
        """Raises RivalFailed."""
        try:
            _open(self._process.stdin).write(workload.to_json() + "\n")
            _open(self._process.stdin).flush()
        except BrokenPipeError:
            raise RivalFailed(self._last_words()) from None
        return Figures(**json.loads(self._read()))

    def _read(self) -> str:
        with self._watched():
            line = _open(self._process.stdout).readline()
        if not line:
            raise RivalFailed(self._last_words())
        return line

    @contextmanager
    def _watched(self) -> Iterator[None]:
        timer = threading.Timer(TIMEOUT_S, self._process.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _command(self) -> list[str]:
        return [str(self._python or sys.executable), "-P", "-m", "benchmarks.rivals.worker", self.name]

    def _environment(self, folder: Path) -> dict[str, str]:
        threads = str(self._setting.threads)
        own = os.environ | {
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_VERBOSITY": "error",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_CPU_KVCACHE_SPACE": "2",
        }
        if self._python:
            (folder / "benchmarks").symlink_to(Path(benchmarks.__path__[0]).resolve())
            own["PYTHONPATH"] = str(folder)
        return own

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1][:300] if said else "it ended without a word"


def _open(pipe: IO[str] | None) -> IO[str]:
    assert pipe
    return pipe
