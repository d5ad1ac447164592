"""The engine's process: how the bots reach it, and how a program becomes it."""

import logging
import os
import sys
from pathlib import Path

from core.generation.launcher import EngineProcess, socket_path
from core.settings.settings import Settings


def engine_process(settings: Settings, config: Path | None) -> EngineProcess:
    """How this machine's engine is reached; it reads the same settings."""
    named = ("--config", str(config.resolve())) if config else ()
    return EngineProcess(
        socket=socket_path(settings.paths.cache),
        # -P: what lies in the working folder is not part of the program.
        command=(sys.executable, "-P", "-m", "bots", *named, "engine"),
        log=settings.paths.data / "engine.log",
        start_timeout_s=settings.engine.start_timeout_s,
    )


def serve_engine(settings: Settings) -> None:
    """Becomes the engine's process; returns when it has nothing to do any more."""
    # Before torch is loaded. Threads that spin while they wait for each other make a busy machine many times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from core.generation.engine import Engine
    from core.generation.loaded_models import EngineLimits
    from core.generation.queue import QueueLimits
    from core.generation.scheduler import BatchLimits
    from core.generation.server import ServerLimits, serve

    limits = EngineLimits(
        device=settings.engine.device,
        threads=settings.engine.threads,
        memory_bytes=int(settings.engine.memory_gb * 1e9),
        context_window=settings.generation.context_window,
        batch=BatchLimits(running=settings.engine.batch, prefill_tokens=settings.engine.prefill_tokens),
    )
    queue = QueueLimits(
        waiting=settings.engine.waiting_limit,
        waiting_per_person=settings.engine.waiting_per_person,
        weights=settings.engine.weights,
    )
    waiting = ServerLimits(queue=queue, idle_s=settings.engine.idle_s, hang_s=settings.engine.hang_timeout_s)
    serve(Engine(limits), socket_path(settings.paths.cache), waiting)
    logging.shutdown()
    os._exit(0)  # torch takes a second to say goodbye, and a model that is still being loaded would be waited for
