"""Starts the engine's process where none answers.

Bots' side: no torch. Any number of bots may start at once; a lock file lets one of them start the engine, and the
others find it.
"""

import asyncio
import os
import stat
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import EngineUnavailable
from core.generation.messages import LINE_LIMIT_BYTES, PROTOCOL

#: What Linux and macOS allow for the path of a socket, with some room.
_SOCKET_PATH_LIMIT_BYTES = 100
_POLL_S = 0.02
#: A log that has grown larger is begun anew with the next engine.
_LOG_LIMIT_BYTES = 2 * 1024 * 1024

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """How the engine is reached, and how it is started."""

    socket: Path
    #: The command line that serves `socket`.
    command: tuple[str, ...]
    #: Receives what the engine says.
    log: Path
    start_timeout_s: float = 120.0

    async def connect(self) -> Connection:
        """A connection to the engine that answers, or to a new one. Raises EngineUnavailable."""
        make_private(self.socket.parent)
        return await _open(self.socket) or await self._start()

    async def connect_if_running(self) -> Connection | None:
        return await _open(self.socket)

    async def _start(self) -> Connection:
        lock = FileLock(self.socket.with_suffix(".starting"))
        give_up_at = time.monotonic() + self.start_timeout_s
        while not _acquired(lock):
            if time.monotonic() >= give_up_at:
                raise EngineUnavailable(f"another program has been starting the engine for too long; see {self.log}")
            await asyncio.sleep(_POLL_S)
        try:
            return await _open(self.socket) or await self._launch()
        except OSError as error:
            raise EngineUnavailable(f"the engine did not start: {error}") from None
        finally:
            lock.release()

    async def _launch(self) -> Connection:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.log.open("wb" if _is_large(self.log) else "ab") as log:
            offset = log.tell()
            process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        # The engine may outlive this program; should it end before, somebody has to take note of it.
        threading.Thread(target=process.wait, name="engine-reaper", daemon=True).start()
        give_up_at = time.monotonic() + self.start_timeout_s
        while time.monotonic() < give_up_at:
            connection = await _open(self.socket)
            if connection:
                return connection
            if process.poll() is not None:
                raise EngineUnavailable(f"the engine did not start: {_last_line(self.log, offset)}")
            await asyncio.sleep(_POLL_S)
        process.terminate()
        raise EngineUnavailable(f"the engine did not answer within {self.start_timeout_s:g} s; see {self.log}")


def socket_path(cache_dir: Path) -> Path:
    """Where the engine listens: in the cache folder, or among temporary files where that makes too long a path."""
    folder = cache_dir / "engine"
    name = f"engine-{PROTOCOL}.sock"
    if len(os.fsencode(folder / name)) > _SOCKET_PATH_LIMIT_BYTES:
        digest = blake2s(os.fsencode(folder), digest_size=6).hexdigest()
        folder = Path(tempfile.gettempdir()) / f"banter-{os.getuid()}-{digest}"
    return folder / name


def make_private(folder: Path) -> None:
    """A folder that only this user can open. Raises EngineUnavailable when it belongs to somebody else."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat(follow_symlinks=False)
        if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode):
            raise EngineUnavailable(f"{folder} belongs to somebody else; remove it or set paths.cache")
        folder.chmod(0o700)
    except OSError as error:
        raise EngineUnavailable(
            f"{folder}: {error.strerror}; set paths.cache to a folder that can be written"
        ) from None


def _is_large(log: Path) -> bool:
    return log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


async def _open(socket: Path) -> Connection | None:
    try:
        return await asyncio.open_unix_connection(socket, limit=LINE_LIMIT_BYTES)
    except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError):
        return None


def _last_line(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else f"it said nothing; see {log}"
