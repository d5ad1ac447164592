"""An engine whose device hangs in its first step, once: `python -m tests.integration.hanging_engine SOCKET MARK`.

The file MARK remembers that it has hung; the next engine works.
"""

import sys
import threading
from pathlib import Path

from core.generation.engine import Engine
from core.generation.loaded_models import EngineLimits
from core.generation.messages import Answer
from core.generation.server import ServerLimits, serve

HANG_S = 1.0


class HangingEngine(Engine):
    mark: Path

    def step(self) -> list[Answer]:
        if not self.mark.exists():
            self.mark.touch()
            threading.Event().wait()
        return super().step()


def main(socket: str, mark: str) -> None:
    engine = HangingEngine(EngineLimits(device="cpu", threads=1, memory_bytes=10**9))
    engine.mark = Path(mark)
    serve(engine, Path(socket), ServerLimits(idle_s=1.0, hang_s=HANG_S))


if __name__ == "__main__":
    main(*sys.argv[1:])
